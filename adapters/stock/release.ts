import { callBatches } from './batch.ts'
import { assertCount, assertName } from './checks.ts'
import type { Client } from './client.ts'
import type { ReleaseOutcome, ReservationRef } from './counters.ts'
import { outcomeOf } from './outcomes.ts'

/** See release.lua. */
export async function release(
  client: Client,
  epoch: number,
  requests: readonly ReservationRef[],
): Promise<ReleaseOutcome[]> {
  assertCount(epoch, 'epoch')
  for (const { reservationId } of requests) assertName(reservationId, 'reservationId')
  return callBatches(
    client,
    requests,
    () => 1,
    (keys, batch) => ({
      verb: 'release',
      keys: [keys.atp, keys.held, keys.meta],
      argv: [epoch, ...batch.map(({ reservationId }) => reservationId)],
    }),
    (_, reply, at) => ({ outcome: { outcome: outcomeOf(reply[at], ['released', 'absent']) }, next: at + 1 }),
  )
}
