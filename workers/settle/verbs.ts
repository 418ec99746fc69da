/**
 * What a carrier's push and a bill do to orders, also when they come in by another way than HTTP.
 *
 * A push changes one row of `track`, that of its carrier and waybill: that with the greatest rank stands
 * (router/track.ts). In any case the orders with a parcel of that waybill are marked as due, and
 * the three-way match looks at them again: it may close the order, reopen a closed one, raise an exception or end one
 * (router/reconcile.ts). A push never changes a task, stock or what an order wants. A push that comes before its parcel
 * is shipped is kept, and the match after the shipment reads it.
 */
import type { SettleStore } from '../../adapters/store/order-store.ts'
import type { MovedTrack, RecordedTrack } from '../../adapters/store/settle/tracks.ts'
import type { Track } from '../../router/track.ts'
import type { Reconciler } from './reconciler.ts'

export interface TrackVerbContext {
  readonly store: Pick<SettleStore, 'recordTrack' | 'moveTrack'>
  readonly reconciler: Pick<Reconciler, 'soon'>
}

/** A carrier's word on a parcel. Durable when it returns, with a mark on its orders; they are reconciled after that. */
export async function recordTrack(
  { store, reconciler }: TrackVerbContext,
  track: Track,
  body: string,
): Promise<RecordedTrack> {
  const recorded = await store.recordTrack(track, body)
  reconciler.soon(recorded.orderIds)
  return recorded
}

/** The carrier service found out that another carrier has a parcel: that one's words count for it from now on. */
export async function moveTrack({ store, reconciler }: TrackVerbContext, moved: MovedTrack): Promise<void> {
  reconciler.soon(await store.moveTrack(moved))
}

const closedAtOnceMax = 500

/** Orders that an imported bill is about: few are closed when it returns; many are marked as due already and follow. */
export async function reconcileBilled(
  reconciler: Pick<Reconciler, 'now' | 'soon'>,
  orderIds: readonly string[],
): Promise<void> {
  if (orderIds.length <= closedAtOnceMax) await reconciler.now(orderIds)
  else reconciler.soon(orderIds)
}
