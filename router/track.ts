/** Where one parcel is, by its carrier's latest word. */

export const trackStates = [
  'created',
  'collected',
  'in_transit',
  'out_for_delivery',
  'delivered',
  'exception',
  'returning',
  'returned',
  'rejected',
  'forwarded',
] as const
export type TrackState = (typeof trackStates)[number]

export interface Track {
  /** The carrier as the pushing service names it (kuaidi100's `com`). */
  readonly carrier: string
  readonly waybill: string
  readonly state: TrackState
  /** When the newest step happened. */
  readonly occurredAt: number
}

/**
 * What is final wins over what is newer: a parcel that was signed for stays delivered, and only a return to the
 * sender comes after that. Compare by this first and by `occurredAt` next: the greatest is the state, in whichever
 * order the words arrived.
 */
export function finality(state: TrackState): 0 | 1 | 2 {
  return state === 'returned' ? 2 : state === 'delivered' ? 1 : 0
}
