import { callBatches } from './batch.ts'
import { assertCount, assertName } from './checks.ts'
import type { Client } from './client.ts'
import type { ConfirmOutcome, ReservationRef } from './counters.ts'
import { outcomeOf } from './outcomes.ts'

/** See confirm.lua. */
export async function confirm(
  client: Client,
  epoch: number,
  requests: readonly ReservationRef[],
): Promise<ConfirmOutcome[]> {
  assertCount(epoch, 'epoch')
  for (const { reservationId } of requests) assertName(reservationId, 'reservationId')
  return callBatches(
    client,
    requests,
    () => 1,
    (keys, batch) => ({
      verb: 'confirm',
      keys: [keys.held, keys.meta],
      argv: [epoch, ...batch.map(({ reservationId }) => reservationId)],
    }),
    (_, reply, at) => ({ outcome: { outcome: outcomeOf(reply[at], ['confirmed', 'absent']) }, next: at + 1 }),
  )
}
