import { randomUUID } from 'node:crypto'
import { staleEpoch } from './batch.ts'
import { assertCount, assertName } from './checks.ts'
import type { Client, Reply } from './client.ts'
import { counterMax, type ReloadOutcome, type SkuAtp } from './counters.ts'
import { toStockError } from './errors.ts'
import { keysOf } from './keys.ts'
import { outcomeOf } from './outcomes.ts'

/** Some 5 ms of Redis' time: others' calls get in between two pieces. */
export const rowsPerPiece = 5_000

/**
 * See reload.lua. Rows are read while they are sent. When this throws, the node is not usable until it has been loaded
 * again; `stale_epoch` whose `currentEpoch` is the epoch given means that it is already loaded at it.
 */
export async function reload(
  client: Client,
  epoch: number,
  node: string,
  seq: number,
  rows: Iterable<SkuAtp> | AsyncIterable<SkuAtp>,
): Promise<ReloadOutcome> {
  assertCount(epoch, 'epoch')
  assertCount(seq, 'seq')
  const loader = randomUUID()
  const { atp, held, meta } = keysOf(client.keyPrefix, node)
  let first = true
  let count = 0
  let piece: (string | number)[] = []

  const send = async (last: boolean): Promise<ReloadOutcome | null> => {
    const argv = [epoch, seq, loader, first ? 1 : 0, last ? 1 : 0, ...piece]
    first = false
    piece = []
    const reply = (await client.redis
      .eval(client.scripts.reload.text, 3, atp, held, meta, ...argv)
      .catch((error: unknown) => {
        throw toStockError(error)
      })) as Reply
    const stale = staleEpoch(reply)
    if (stale !== null) return stale
    const outcome = outcomeOf(reply[0], ['reloaded', 'loading', 'superseded'])
    if (outcome === 'loading') return null
    return outcome === 'reloaded' ? { outcome, rows: count } : { outcome }
  }

  for await (const row of rows) {
    assertName(row.sku, 'sku')
    if (!Number.isSafeInteger(row.atp) || Math.abs(row.atp) > counterMax)
      throw new RangeError(`atp is not a whole number within 2^52: ${row.atp}`)
    if (piece.length === rowsPerPiece * 2) {
      const ended = await send(false)
      if (ended !== null) return ended
    }
    piece.push(row.sku, row.atp)
    count += 1
  }
  const ended = await send(true)
  if (ended === null) throw new Error('the last piece of a reload was answered with loading')
  return ended
}
