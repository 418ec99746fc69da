/** Parcels beside the usual way: told wrongly and put right (router/parcels.ts), or left outside of any task (router/outside.ts). */
import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import type { TaskStore } from '../../adapters/store/order-store.ts'
import type { ShippedOutside } from '../../adapters/store/tasks/outside.ts'
import type { ParcelGiven, ParcelPutRight } from '../../adapters/store/tasks/put-right.ts'
import type { WhoseParcel } from '../../adapters/store/tasks/whose-parcel.ts'
import type { OutsideParcel } from '../../router/outside.ts'
import type { ParcelWord } from '../../router/parcels.ts'
import type { Dispatch } from '../decide/dispatch.ts'
import { commandEvent } from '../intake/commands.ts'
import type { Clock } from '../process/clock.ts'
import type { Reconciler } from '../settle/reconciler.ts'

export interface ParcelContext {
  readonly store: Pick<TaskStore, 'putParcelRight' | 'shipOutside'>
  readonly dispatch: Pick<Dispatch, 'push' | 'decided'>
  readonly reconciler: Pick<Reconciler, 'now'>
  readonly clock: Clock
}

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

/** The same of a parcel that left outside of any task. */
export async function shipOutside(
  { store, dispatch, reconciler, clock }: ParcelContext,
  whose: WhoseParcel,
  told: Omit<OutsideParcel, 'shippedAt'>,
  given: ParcelGiven,
): Promise<ShippedOutside> {
  let event: InboxEvent | null = null
  const done = await store.shipOutside(whose, { ...told, shippedAt: clock.now() }, given, (order) => {
    const command = { type: 'shipped_outside', waybill: told.waybill, ...given } as const
    event = commandEvent(order, command, clock.now(), `${order.id}.${order.version}`)
    return event
  })
  if (done.outcome !== 'booked') return done
  const { channel, shop, eventId, orderId, kind, body } = event!
  dispatch.push([{ seq: done.seq, channel, shop, eventId, orderId, kind, body, storedAtMs: clock.now() }])
  await dispatch.decided(done.seq, decisionWaitMs)
  await reconciler.now([done.orderId])
  return done
}
