/** Everything that happens to orders after they were taken in, at once, from outside: warehouses, buyers, carriers, finance. */

import { setMaxListeners } from 'node:events'
import { clientOf } from '../demo/client.ts'
import { networkOf, type StreamSettings } from '../load/stream.ts'
import type { TrafficPlan } from '../traffic/plan.ts'
import { importBills, settleBills } from './finance.ts'
import { work } from './warehouses.ts'

export interface DayOptions {
  readonly url: string
  readonly adminToken: string
  readonly stream: StreamSettings
  readonly plan: TrafficPlan
  readonly billEveryMs: number
}

export interface DayOver {
  /** `verb status`: how often. */
  readonly answers: Readonly<Record<string, number>>
  /** By verb: seconds since the day began, milliseconds until the answer. */
  readonly calls: ReadonlyMap<string, readonly (readonly [seconds: number, ms: number])[]>
  /** Orders of which at least one parcel left. */
  readonly shippedOrders: number
}

export interface Day {
  /** Finishes what is in hand. Throws what went wrong. */
  end(): Promise<DayOver>
}

export function beginDay({ url, adminToken, stream, plan, billEveryMs }: DayOptions): Day {
  const client = clientOf(url, adminToken)
  const ending = new AbortController()
  // Every hand listens while it has nothing to do.
  setMaxListeners(0, ending.signal)
  const started = performance.now()
  const answers: Record<string, number> = {}
  const calls = new Map<string, [number, number][]>()
  const all = new Set<number>()
  let fresh: number[] = []
  const observe = (verb: string, status: number, ms: number): void => {
    const key = `${verb} ${status}`
    answers[key] = (answers[key] ?? 0) + 1
    const ofVerb = calls.get(verb) ?? []
    calls.set(verb, ofVerb)
    ofVerb.push([(performance.now() - started) / 1000, ms])
  }
  const shipped = (index: number): void => {
    // An order in several parcels is paid once.
    if (all.has(index)) return
    all.add(index)
    fresh.push(index)
  }
  const takeShipped = (): readonly number[] => {
    const taken = fresh
    fresh = []
    return taken
  }
  const { signal } = ending
  const finance = { client, plan, everyMs: billEveryMs, takeShipped, observe }
  const working = Promise.all([
    work({ client, network: networkOf(stream), plan, shipped, observe }, signal),
    settleBills(finance, signal),
  ])
  // `end` throws the error; until then the empty catch keeps it from being unhandled.
  working.catch(() => undefined)
  return {
    end: async () => {
      ending.abort()
      try {
        await working
        // What left with the last hands.
        await importBills(finance)
      } finally {
        await client.close()
      }
      return { answers, calls, shippedOrders: all.size }
    },
  }
}
