/** What the scenarios share: their stream and their verdict. */
import type { Session, Verdict } from '../load/session.ts'
import { type StreamSettings, unusedSeed } from '../load/stream.ts'
import type { Broken, ScenarioContext } from '../measured/scenario.ts'

// Order 0 is so old; its story of some seconds lies in the past, and so does the last order's.
const streamAgeMs = 120_000

export const usualMix = { tmall: 50, jd: 25, wechat: 25 } as const

/** The same seed sends the same orders; on a service that has orders already, ones that it has not seen. */
export function streamOf(
  { size, seed, load }: ScenarioContext,
  more: Pick<StreamSettings, 'network' | 'orders'> = {},
): StreamSettings {
  const startMs = Math.floor(Date.now() / 1000) * 1000 - streamAgeMs
  const small = size === 'smallest' ? { small: true } : {}
  const network = { ...small, ...more.network }
  return {
    seed: load?.url === undefined ? seed : unusedSeed(startMs),
    startMs,
    mix: load?.mix ?? usualMix,
    ...(more.orders === undefined ? {} : { orders: more.orders }),
    // A service that runs already has the demo's own network.
    ...(load?.url === undefined && Object.keys(network).length > 0 ? { network } : {}),
  }
}

/** What nearly every order of everyday sends: its events, the doubled deliveries among them. */
export const requestsAnOrder = 1.06

// More than the service takes today. What it takes beyond is made under load, and told; --rate makes it more.
const closedLoopPerSecond = 5_000
// A closed loop may run ahead of the rate that was measured, and sends more requests than orders.
const headroom = 1.4

/** What a closed loop may need in that time. */
export function closedLoopRequests(seconds: number, steadyRate: number | null): number {
  return seconds * Math.max(closedLoopPerSecond, headroom * (steadyRate ?? 0))
}

/** Requests that lie ready: 2.3 KB each, and 60 µs to make. */
export function preparedFor(requests: number, max = 400_000): number {
  return Math.min(max, Math.ceil(requests))
}

/** Broken unless every load settled and everything that was checked holds. */
export function broken(verdict: Verdict): Broken | null {
  return verdict.violations.length === 0 ? null : { outcome: 'broken', violations: verdict.violations }
}

export function tellSurroundings({ surroundings }: ScenarioContext, session: Session): void {
  surroundings?.({ ...session.surroundings, ...session.durability })
}
