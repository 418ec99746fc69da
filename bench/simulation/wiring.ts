/** How a simulated world is put together: where the deliberate faults of ./mutations.ts go in. */
import type { StockCounters } from '../../adapters/stock/counters.ts'
import type { MemoryStock } from '../../adapters/stock/memory.ts'
import type { MemoryStore } from '../../adapters/store/memory/store.ts'
import type { CountersPort } from './redis.ts'
import { type Verbs, verbsOf } from './watched-store.ts'

/** How a world is put together. */
export interface Wiring {
  readonly store: (store: MemoryStore) => Verbs
  readonly counters: (stock: MemoryStock) => StockCounters
  /** What one process sees of the store; `epoch`: its keeper's, now. */
  readonly perProcess: (verbs: Verbs, epoch: () => number) => Verbs
  readonly port: (port: CountersPort) => CountersPort
  readonly acksEarly: boolean
  readonly noticesRestarts: boolean
  /** Events of a batch whose thread died are given to another. */
  readonly outlivesThreads: boolean
  /** Of the so many-th process. */
  readonly owner: (count: number) => string
}

export const unbroken: Wiring = {
  store: verbsOf,
  counters: (stock) => stock,
  perProcess: (verbs) => verbs,
  port: (port) => port,
  acksEarly: false,
  noticesRestarts: true,
  outlivesThreads: true,
  owner: (count) => `o${count}`,
}

/** A deliberate fault. */
export interface Mutation {
  readonly name: string
  readonly wiring: Partial<Wiring>
}

export function wiringOf({ wiring }: Mutation): Wiring {
  return { ...unbroken, ...wiring }
}
