/** Receipts and counts: into Postgres, then to Redis, then to whoever waits for goods or is promised goods that are not there. */
import { ApiError } from '../../adapters/http/errors.ts'
import { type Posting, postStock } from '../../adapters/store/stock/stock.ts'
import { endShortages } from '../../adapters/store/sweep.ts'
import type { Service } from '../context.ts'
import { tellLater } from '../counters/tell-later.ts'
import { restock } from './restock.ts'
import { answerShortages } from './shortages.ts'

/** Throws ApiError where nothing was posted. */
export async function postStockOf(service: Service, posting: Posting) {
  const { sql, catalog, keeper } = service
  if (!catalog.current.nodeIndex.has(posting.node)) throw new ApiError('not_found', 'No such node.')
  const posted = await postStock(sql, posting)
  const touched = { node: posting.node, skus: posting.lines.map((l) => l.sku) }
  switch (posted.outcome) {
    case 'already_posted':
      // Whoever posted it may have died before he could answer for it.
      return { ref: posting.ref, posted: false, shortages: await answerShortages(service, touched) }
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
  await answerShortages(service, touched)
  if (posted.shortages.length === 0) await endShortages(sql)
  await restock(
    service,
    posted.delta.lines.filter((l) => l.delta > 0).map((l) => l.sku),
  )
  return { ref: posting.ref, posted: true, shortages: posted.shortages }
}
