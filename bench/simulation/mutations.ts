/**
 * Deliberate faults, each put between the real code and the stand-ins: what would happen if a guard were not there. A
 * simulation that does not notice one of them proves nothing about the guard.
 */
import { countersMutations } from './mutations-counters.ts'
import { storeMutations } from './mutations-store.ts'
import type { Mutation } from './wiring.ts'

const others: readonly Mutation[] = [
  { name: 'the platform is answered before its event is stored', wiring: { acksEarly: true } },
  { name: 'a Redis that was restarted is not noticed', wiring: { noticesRestarts: false } },
  { name: 'what a thread had in hand when it died is given to nobody', wiring: { outlivesThreads: false } },
  { name: 'two processes share their reservation ids', wiring: { owner: () => 'o' } },
]

export const mutations: readonly Mutation[] = [...storeMutations, ...countersMutations, ...others]
