/** What a carrier's push and a bill do to orders, whichever way they came in. */
import type { SettleStore } from '../../adapters/store/order-store.ts'
import type { RecordedTrack } from '../../adapters/store/settle/tracks.ts'
import type { Track } from '../../router/track.ts'
import type { Reconciler } from './reconciler.ts'

export interface TrackVerbContext {
  readonly store: Pick<SettleStore, 'recordTrack'>
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

const closedAtOnceMax = 500

/** Orders that an imported bill is about: few are closed when it returns; many are marked as due already and follow. */
export async function reconcileBilled(
  reconciler: Pick<Reconciler, 'now' | 'soon'>,
  orderIds: readonly string[],
): Promise<void> {
  if (orderIds.length <= closedAtOnceMax) await reconciler.now(orderIds)
  else reconciler.soon(orderIds)
}
