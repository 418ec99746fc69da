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
  /** The carrier that has the parcel in truth, where the service found out that it is another one. Absent: this one. */
  readonly carrierNew?: string
}

export type TrackWord = Pick<Track, 'state' | 'occurredAt'>

/**
 * What is final wins over what is newer: a parcel that was signed for stays delivered, and only a return to the
 * sender comes after that.
 */
export function finality(state: TrackState): 0 | 1 | 2 {
  return state === 'returned' ? 2 : state === 'delivered' ? 1 : 0
}

const dayMs = 86_400_000

/**
 * How long a final word stands before a later one that is not. Carriers issue a number again after some months: by then
 * what they say of it is about another parcel.
 */
export const finalForMs = 60 * dayMs

/**
 * Of the words on one waybill the one with the greatest rank stands, in whichever order they arrived. Two of one rank are told
 * apart by what was pushed.
 */
export function trackRank({ state, occurredAt }: TrackWord): number {
  return occurredAt + finality(state) * finalForMs
}

/**
 * A final word that a later one replaces after so long was about an older parcel with the same number. It is kept: it is what became
 * of that parcel.
 */
export function isOfOlderParcel(before: TrackWord, after: TrackWord): boolean {
  return finality(before.state) > 0 && after.occurredAt - before.occurredAt > finalForMs
}

/**
 * How long after a parcel left its node may still confirm it. A word of before that is about an older parcel with the
 * same number.
 */
export const lateConfirmMs = 7 * dayMs

/** A word of a carrier, and no mere note that the parcel is with another one. */
export function mayBeAbout(
  { occurredAt }: Pick<Track, 'occurredAt'>,
  { shippedAt }: { readonly shippedAt: number },
): boolean {
  return occurredAt >= shippedAt - lateConfirmMs
}
