/** What shops and carrier accounts sign with, as an operator sets or changes it; and how long the one before is taken. */
import type { Change } from '../../adapters/store/catalog/change.ts'
import { isSame, type Kept, type Read } from '../../adapters/store/secrets/credentials.ts'
import { type Refused, refused } from '../process/refused.ts'

type Credentials = Readonly<Record<string, string>>

/** What a shop's channel, or an account's carrier service, signs with. */
export interface CredentialSettings {
  readonly credentials: Credentials
  /** Absent: those that were in force until now. */
  readonly previousCredentials?: Credentials | undefined
  /** Epoch milliseconds until which the previous ones are taken as well. */
  readonly previousUntil?: number | undefined
}

export interface CredentialChanges {
  /** Keys that are not named stay; null takes one away. */
  readonly credentials?: Readonly<Record<string, string | null>> | undefined
  /** Absent: those that were in force until now. */
  readonly previousCredentials?: Readonly<Record<string, string>> | undefined
  /** Absent: at once no longer with new credentials, else as it was. */
  readonly previousUntil?: number | undefined
}

/** A channel, or a carrier service. */
export interface Signing {
  readonly name: string
  readonly credentialKeys: readonly string[]
  flawOf?(credentials: Credentials): string | null
}

/** null: each that is given holds every key, and nothing is seen to be wrong with them. */
export function flawIn(
  given: Pick<CredentialSettings, 'credentials' | 'previousCredentials'>,
  by: Signing,
): Refused | null {
  for (const [name, credentials] of Object.entries(given)) {
    if (credentials === undefined) continue
    const missing = by.credentialKeys.filter((key) => !credentials[key])
    if (missing.length > 0) return refused('invalid_request', `${name} lacks ${missing.join(', ')} for ${by.name}.`)
    const flaw = by.flawOf?.(credentials) ?? null
    if (flaw !== null) return refused('invalid_request', `${name}.${flaw}`)
  }
  return null
}

const previousDaysMax = 90
export const tooFar = refused('invalid_request', `The one before is taken for at most ${previousDaysMax} days more.`)

/** null: what was in force before is no longer. Already over says the same. */
export function previousEnd(until: number | undefined, nowMs: number): number | null | 'too_far' {
  if (until === undefined || until <= nowMs) return null
  return until - nowMs > previousDaysMax * 86_400_000 ? 'too_far' : until
}

/** What becomes of secrets that are changed in part; null: they stay as they are. */
export function changedSecrets(
  now: Read,
  { credentials, previousCredentials, previousUntil }: CredentialChanges,
  by: Signing,
  nowMs: number,
): Change<Kept | null, Refused> {
  if (credentials === undefined && previousUntil === undefined) return { after: null }
  const until = previousEnd(previousUntil, nowMs)
  if (until === 'too_far') return { refused: tooFar }
  const before = now.outcome === 'kept' ? now.kept : null
  // Sealed under a key that is lost they can only be replaced, whole.
  const current = merged(before?.current ?? {}, credentials)
  const flaw = flawIn({ credentials: current, previousCredentials }, by)
  if (flaw !== null) return { refused: flaw }
  const previous = until === null ? null : (previousCredentials ?? inForceBefore(before, current, nowMs))
  return { after: { current, previous, previousUntil: previous === null ? 0 : until! } }
}

/** Those whose time is over are gone: nothing takes them again. */
function inForceBefore(before: Kept | null, current: Credentials, nowMs: number): Credentials | null {
  if (before === null) return null
  if (!isSame(before.current, current)) return before.current
  return nowMs < before.previousUntil ? before.previous : null
}

/** null takes an entry away. */
export function merged(
  now: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string | null>> = {},
): Record<string, string> {
  const all = new Map(Object.entries(now))
  for (const [key, value] of Object.entries(given)) {
    if (value === null) all.delete(key)
    else all.set(key, value)
  }
  return Object.fromEntries(all)
}
