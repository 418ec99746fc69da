/**
 * How the stand-in goes wrong when it is asked to. Rates are per thousand answers; what happens to answer number n is
 * drawn from the seed, so a run can be repeated.
 */
import { randomFrom } from '../../adapters/shared/seeded-random.ts'

export interface Misbehaviour {
  /** Added to every answer: a number drawn from 0 … latencyMs. */
  readonly latencyMs: number
  /** HTTP 500 with a page of HTML. */
  readonly serverError: number
  /** errcode -1, "system busy". */
  readonly busy: number
  /** The answer's second half comes after slowMs. */
  readonly slowBody: number
  readonly slowMs: number
  /** The connection is cut in the middle of the body. */
  readonly truncated: number
  /** The order as it was before its last event. */
  readonly stale: number
  /** A token dies after this many seconds, whatever expires_in said. */
  readonly tokenSeconds: number
}

export const wellBehaved: Misbehaviour = {
  latencyMs: 0,
  serverError: 0,
  busy: 0,
  slowBody: 0,
  slowMs: 2_000,
  truncated: 0,
  stale: 0,
  tokenSeconds: 7200,
}

export type Fault = 'none' | 'server_error' | 'busy' | 'slow_body' | 'truncated' | 'stale'

export function drawFault(how: Misbehaviour, seed: number, count: number): { fault: Fault; delayMs: number } {
  if (how === wellBehaved) return { fault: 'none', delayMs: 0 }
  const random = randomFrom(seed, count)
  const delayMs = how.latencyMs === 0 ? 0 : random.below(how.latencyMs + 1)
  let point = random.below(1000)
  const rates: readonly (readonly [Fault, number])[] = [
    ['server_error', how.serverError],
    ['busy', how.busy],
    ['slow_body', how.slowBody],
    ['truncated', how.truncated],
    ['stale', how.stale],
  ]
  for (const [fault, rate] of rates) {
    if (point < rate) return { fault, delayMs }
    point -= rate
  }
  return { fault: 'none', delayMs }
}

/** Takes over known numbers; anything else in the text of a control call is an error. */
export function changed(how: Misbehaviour, wanted: unknown): Misbehaviour {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) throw new TypeError('an object is wanted')
  const next: Record<string, number> = { ...how }
  for (const [key, value] of Object.entries(wanted)) {
    if (!Object.hasOwn(wellBehaved, key)) throw new TypeError(`no such misbehaviour: ${key}`)
    if (typeof value !== 'number' || !(value >= 0)) throw new TypeError(`${key} has to be a number from 0`)
    next[key] = value
  }
  return next as unknown as Misbehaviour
}
