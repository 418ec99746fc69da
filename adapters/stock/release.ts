import { callBatches } from './batch.ts'
import { assertCount, assertName } from './checks.ts'
import type { Client } from './client.ts'
import type { ReleaseOutcome, ReleaseRequest } from './counters.ts'
import { outcomeOf } from './outcomes.ts'

/** See release.lua. */
export async function release(
  client: Client,
  epoch: number,
  requests: readonly ReleaseRequest[],
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
      argv: [epoch, ...batch.flatMap(({ reservationId, madeAtMs }) => [reservationId, madeAtMs ?? ''])],
    }),
    (_, reply, at) => ({
      outcome: { outcome: outcomeOf(reply[at], ['released', 'absent', 'asked_again']) },
      next: at + 1,
    }),
  )
}
