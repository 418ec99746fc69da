/** Redis' part of a reservation alone: one SKU of one node, sold to zero in batches as the threads send them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reloadAll } from '../../adapters/stock/reload-all.ts'
import { Stock } from '../../adapters/stock/stock.ts'
import { claimDataDir } from '../../workers/process/embedded/data-dir.ts'
import { startRedis } from '../../workers/process/embedded/redis.ts'

const node = 'WH-HOT'
const epoch = 1
/** What a thread reserves at once when it is busy. */
const batchOrders = 256

export interface ReservedAlone {
  readonly reservations: number
  readonly seconds: number
  readonly perSecond: number
}

/** Reserves and confirms, one unit an order; throws when it was not sold exactly to zero. */
export async function reserveAlone(sku: string, units: number): Promise<ReservedAlone> {
  const dataDir = mkdtempSync(join(tmpdir(), 'paidan-bench-'))
  const claim = await claimDataDir(join(dataDir, 'data'))
  const redis = await startRedis({ dataDir: claim.path, durable: true })
  try {
    await reloadAll({ redis: redis.url }, epoch, [{ node, seq: 0, rows: [{ sku, atp: units }] }])
    const stock = new Stock({ redis: redis.url })
    await stock.connect()
    try {
      return await sellOut(stock, sku, units)
    } finally {
      stock.close()
    }
  } finally {
    await redis.stop()
    claim.release()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function sellOut(stock: Stock, sku: string, units: number): Promise<ReservedAlone> {
  const lines = [{ sku, quantity: 1 }]
  const started = performance.now()
  let reserved = 0
  for (let from = 0; ; from += batchOrders) {
    const requests = Array.from({ length: batchOrders }, (_, i) => ({ node, reservationId: `${from + i}@1`, lines }))
    const outcomes = await stock.reserve(epoch, Date.now(), requests)
    const taken = requests.filter((_, i) => outcomes[i]!.outcome === 'reserved')
    reserved += taken.length
    await stock.confirm(epoch, taken)
    if (taken.length < batchOrders) break
  }
  const seconds = (performance.now() - started) / 1000
  if (reserved !== units) throw new Error(`${reserved} units were reserved of ${units}`)
  return { reservations: reserved, seconds, perSecond: reserved / seconds }
}
