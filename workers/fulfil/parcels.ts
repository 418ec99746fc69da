/** Parcels that were told wrongly, put right by the node that has the task or by a person. What it does: router/parcels.ts. */
import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import type { ParcelGiven, ParcelPutRight, WhoseParcel } from '../../adapters/store/tasks/put-right.ts'
import type { ParcelWord } from '../../router/parcels.ts'
import { commandEvent } from '../intake/commands.ts'
import type { FulfilContext } from './verbs.ts'

export type ParcelContext = Pick<FulfilContext, 'store' | 'dispatch' | 'reconciler' | 'clock'>

// How long a void waits for the decision on its units before it answers anyway.
const decisionWaitMs = 5_000

/** Durable when it returns; as a rule decided and matched as well. */
export async function putParcelRight(
  { store, dispatch, reconciler, clock }: ParcelContext,
  whose: WhoseParcel,
  word: ParcelWord,
  given: ParcelGiven,
): Promise<ParcelPutRight> {
  let event: InboxEvent | null = null
  const { waybill } = word.kind === 'void' ? word.parcel : word.from
  const done = await store.putParcelRight(whose, word, given, (order) => {
    // The version makes the id: each void makes another one.
    const id = `${order.id}.${order.version}`
    event = commandEvent(order, { type: 'parcel_voided', waybill, ...given }, clock.now(), id)
    return event
  })
  if (done.outcome !== 'put_right') return done
  if (done.seq !== null) {
    const { channel, shop, eventId, orderId, kind, body } = event!
    dispatch.push([{ seq: done.seq, channel, shop, eventId, orderId, kind, body, storedAtMs: clock.now() }])
    await dispatch.decided(done.seq, decisionWaitMs)
  }
  await reconciler.now([done.orderId])
  return done
}
