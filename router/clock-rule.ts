/** What is believed of the times that platforms tell. */

export interface ClockPolicy {
  /** A time further ahead of the moment at which the event was stored is not believed. */
  readonly aheadMsMax: number
}

/**
 * Nothing happened later than it came: a time far ahead counts as the moment at which the event was stored. Believed, it would
 * outdate everything that the platform still has to tell. The same object when it is believed.
 */
export function believable<T extends { readonly modifiedAt: number }>(
  told: T,
  storedAtMs: number,
  { aheadMsMax }: ClockPolicy,
): T {
  return told.modifiedAt > storedAtMs + aheadMsMax ? { ...told, modifiedAt: storedAtMs } : told
}
