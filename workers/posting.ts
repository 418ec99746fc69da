/** Receipts and counts: into Postgres, then to Redis, then to whoever waits for goods or is promised goods that are not there. */
import { ApiError } from '../adapters/http/errors.ts'
import { raise } from '../adapters/store/exceptions.ts'
import { type Posting, postStock, type Shortage, unpulledTasks } from '../adapters/store/stock.ts'
import { endShortages } from '../adapters/store/sweep.ts'
import type { ChannelName } from '../router/types.ts'
import { commandEvent } from './commands.ts'
import type { Service } from './context.ts'
import { restock } from './restock.ts'
import { tellLater } from './tell-later.ts'

/** Throws ApiError where nothing was posted. */
export async function postStockOf(service: Service, posting: Posting) {
  const { sql, catalog, keeper } = service
  const index = catalog.catalogue.nodeIndex.get(posting.node)
  if (index === undefined) throw new ApiError('not_found', 'No such node.')
  const posted = await postStock(sql, posting, catalog.catalogue.nodes[index]!.safetyStock)
  switch (posted.outcome) {
    case 'already_posted':
      return { ref: posting.ref, posted: false, shortages: [] }
    case 'ref_used_for_other_lines':
      throw new ApiError('ref_reused')
    case 'unknown_skus':
      throw new ApiError(
        'invalid_request',
        `lines: not a plain SKU: ${posted.skus.slice(0, 10).join(', ')}. Create it first; bundles hold no stock.`,
      )
    case 'below_zero':
      throw new ApiError(
        'conflict',
        `lines: fewer on hand than that of ${posted.skus.slice(0, 10).join(', ')}. Read the stock first.`,
      )
    case 'posted':
      break
  }
  await tellLater(service.log, () => keeper.tell([posted.delta]))
  await answerShortages(service, posting, posted.shortages)
  if (posted.shortages.length === 0) await endShortages(sql)
  await restock(
    service,
    posted.delta.lines.filter((l) => l.delta > 0).map((l) => l.sku),
  )
  return { ref: posting.ref, posted: true, shortages: posted.shortages }
}

/** The count is believed: the shortage is raised, and tasks that nobody pulled yet are sourced elsewhere, newest first. */
async function answerShortages(
  { sql, intake }: Service,
  posting: Posting,
  shortages: readonly Shortage[],
): Promise<void> {
  if (shortages.length === 0) return
  const { node, ref } = posting
  await raise(
    sql,
    shortages.map(({ sku, missing }) => ({ kind: 'shortage', ref: `${node}/${sku}`, detail: { node, sku, missing } })),
  )
  const taken = new Set<string>()
  for (const { sku, missing } of shortages) {
    let left = missing
    for (const task of await unpulledTasks(sql, node, sku)) {
      if (left <= 0) break
      left -= task.quantity
      if (taken.has(task.taskId)) continue
      taken.add(task.taskId)
      const { taskId, shop, orderId } = task
      const key = { channel: task.channel as ChannelName, shop, orderId }
      await intake.storeOwn(
        commandEvent(key, { type: 'take_back', taskId, why: 'shortage', lines: [] }, Date.now(), `${taskId}.${ref}`),
      )
    }
  }
}
