/**
 * One part with everything that it needs made beforehand: `run` is what the clock measures.
 *
 *   intake   sha256 of every body and group commits of the inbox, one at a time as the service does it
 *   decode   a batch unpacked as in a thread, channels' normalise, check, split, source on stock in memory, rows to write
 *   reserve  the parcels of whole batches reserved in Redis and confirmed, two batches at once as in a thread
 *   commit   orders looked up, then one transaction a batch of real decisions, two at once as in a thread
 */
import { commitDecisions, type DecisionWrite } from '../../adapters/store/orders/commit.ts'
import { loadByKeys } from '../../adapters/store/orders/load.ts'
import { connect, indexedPlans, keyedPlans, type Sql } from '../../adapters/store/postgres/connect.ts'
import { currentEpoch } from '../../adapters/store/stock/epoch.ts'
import { StockKeeper } from '../../workers/counters/stock-keeper.ts'
import type { EventToDecide } from '../../workers/decide/batch.ts'
import { networkOf, planOf, type StreamSettings } from '../load/stream.ts'
import type { Part } from '../measured/scenario.ts'
import { deciderOn } from './decider.ts'
import { materialOf, type OrderMaterial } from './material.ts'
import { numbered, storeOrders } from './store-orders.ts'

export interface WorkJob {
  readonly part: Exclude<Part['name'], 'http'>
  readonly stream: StreamSettings
  /** Run first, not counted: code that is still being compiled says nothing. */
  readonly warmUpOrders: number
  readonly orders: number
  readonly ordersABatch: number
  readonly databaseUrl: string
  readonly redisUrl: string
}

export interface PreparedWork {
  /** Orders `from … to - 1` of those prepared. Each is run once. */
  run(from: number, to: number): Promise<void>
  close(): Promise<void>
}

// Batches that a thread has under way at once.
const lanes = 2

export async function prepareWork(job: WorkJob): Promise<PreparedWork> {
  const material = materialOf(planOf(job.stream), 0, job.warmUpOrders + job.orders)
  if (job.part === 'decode') return await prepareDecode(job, material)
  const sql = connect(job.databaseUrl, {
    max: 4,
    applicationName: 'paidan bench part',
    statementTimeoutMs: 0,
    settings: job.part === 'intake' ? indexedPlans : keyedPlans,
  })
  try {
    if (job.part === 'intake') return prepareIntake(job, sql, material)
    return job.part === 'reserve' ? await prepareReserve(job, sql, material) : await prepareCommit(job, sql, material)
  } catch (error) {
    await sql.end({ timeout: 5 })
    throw error
  }
}

function prepareIntake(job: WorkJob, sql: Sql, material: readonly OrderMaterial[]): PreparedWork {
  return {
    run: async (from, to) => {
      await storeOrders(sql, material.slice(from, to), job.ordersABatch)
    },
    close: () => sql.end({ timeout: 5 }),
  }
}

async function prepareDecode(job: WorkJob, material: readonly OrderMaterial[]): Promise<PreparedWork> {
  const orders = numbered(material)
  const decider = await deciderOn(networkOf(job.stream), 1)
  return {
    run: async (from, to) => {
      for (const [start, end] of batches(from, to, job.ordersABatch)) await decider.decide(orders.slice(start, end))
    },
    close: async () => undefined,
  }
}

async function prepareReserve(job: WorkJob, sql: Sql, material: readonly OrderMaterial[]): Promise<PreparedWork> {
  const writes = await decideAll(job, numbered(material), 1)
  const keeper = new StockKeeper(sql, { redis: job.redisUrl })
  await keeper.open()
  return {
    run: (from, to) =>
      inLanes(batches(from, to, job.ordersABatch), async ([start, end]) => {
        const requests = writes.slice(start, end).flatMap(({ newTasks }) =>
          newTasks.map(({ task, reservationId }) => ({
            node: task.node,
            reservationId,
            lines: task.lines.map(({ sku, quantity }) => ({ sku, quantity })),
          })),
        )
        const { answers } = await keeper.reserve(Date.now, requests)
        const refused = answers.find(({ outcome }) => outcome !== 'reserved')
        if (refused !== undefined) throw new Error(`what was planned was not reserved: ${refused.outcome}`)
        await keeper.confirm(requests)
      }),
    close: async () => {
      keeper.close()
      await sql.end({ timeout: 5 })
    },
  }
}

async function prepareCommit(job: WorkJob, sql: Sql, material: readonly OrderMaterial[]): Promise<PreparedWork> {
  const epoch = await currentEpoch(sql)
  const { toDecide } = await storeOrders(sql, material, job.ordersABatch)
  const writes = await decideAll(job, toDecide, epoch)
  return {
    run: (from, to) =>
      inLanes(batches(from, to, job.ordersABatch), async ([start, end]) => {
        const batch = writes.slice(start, end)
        await loadByKeys(
          sql,
          batch.map(({ order }) => order),
        )
        const done = await commitDecisions(sql, epoch, batch)
        if (done.outcome !== 'committed' || done.conflicts.length > 0)
          throw new Error(`what was decided was not committed: ${done.outcome}`)
      }),
    close: () => sql.end({ timeout: 5 }),
  }
}

async function decideAll(
  job: WorkJob,
  orders: readonly (readonly EventToDecide[])[],
  epoch: number,
): Promise<DecisionWrite[]> {
  const decider = await deciderOn(networkOf(job.stream), epoch)
  const writes: DecisionWrite[] = []
  for (const [start, end] of batches(0, orders.length, job.ordersABatch))
    writes.push(...(await decider.decide(orders.slice(start, end))))
  return writes
}

function batches(from: number, to: number, size: number): (readonly [from: number, to: number])[] {
  const found: (readonly [number, number])[] = []
  for (let at = from; at < to; at += size) found.push([at, Math.min(at + size, to)])
  return found
}

async function inLanes<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
