import type { SkuQuantity } from '../../router/types.ts'
import { callBatches } from './batch.ts'
import { addUpLines, assertCount, assertName } from './checks.ts'
import type { Client } from './client.ts'
import type { ReserveOutcome, ReserveRequest, SkuAtp } from './counters.ts'
import { outcomeOf } from './outcomes.ts'

/** See reserve.lua. Units per line 1 to 1,000,000, lines 1 to 500; `nowMs` is kept with the record. */
export async function reserve(
  client: Client,
  epoch: number,
  nowMs: number,
  requests: readonly ReserveRequest[],
): Promise<ReserveOutcome[]> {
  assertCount(epoch, 'epoch')
  assertCount(nowMs, 'nowMs')
  const addedUp = requests.map(({ node, reservationId, lines }) => {
    assertName(reservationId, 'reservationId')
    return { node, reservationId, lines: addUpLines(lines) }
  })
  return callBatches(
    client,
    addedUp,
    (request) => request.lines.length,
    (keys, batch) => ({
      verb: 'reserve',
      keys: [keys.atp, keys.held, keys.meta],
      argv: [epoch, nowMs, ...batch.flatMap(({ reservationId, lines }) => [reservationId, linesText(lines)])],
    }),
    (request, reply, at) => {
      const outcome = outcomeOf(reply[at], [
        'reserved',
        'already_reserved',
        'exists_with_different_lines',
        'insufficient_stock',
      ])
      const atp = request.lines.map(({ sku }, i): SkuAtp => ({ sku, atp: reply[at + 1 + i] as number }))
      return { outcome: { outcome, atp }, next: at + 1 + atp.length }
    },
  )
}

/** ["sku",units,"sku",units,…]. Measured against a flat list and msgpack: quickest for both sides together, and the
 * record can be read by people. */
function linesText(lines: readonly SkuQuantity[]): string {
  return JSON.stringify(lines.flatMap(({ sku, quantity }) => [sku, quantity]))
}
