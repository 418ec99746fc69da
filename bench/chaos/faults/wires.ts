/** The wires between the service and its clients, its Postgres and its Redis: cut, cut in mid-reply, slow, narrow, silent. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../../adapters/shared/seeded-random.ts'
import type { Wire } from '../proxy.ts'
import type { Wires } from '../world.ts'
import type { Fault } from './fault.ts'

type Spoil = (wire: Wire, random: Random) => Promise<unknown>

const cutting: Spoil = async (wire) => wire.cut()

/** Every connection ends somewhere in one of its next replies. */
const cuttingReplies: Spoil = async (wire, random) => {
  wire.cutReplies(() => random.below(400))
  await delay(random.between(50, 400))
}

const slowing: Spoil = async (wire, random) => {
  if (random.chance(0.5)) wire.slow(random.between(20, 300))
  else wire.narrow(random.between(4_000, 40_000))
  await delay(random.between(1_000, 2_500))
}

// Longer than Redis' two seconds and the clients' five.
const silenceMs = 6_000

/** What was sent in the silence is delivered after it, or never. */
const silencing: Spoil = async (wire, random) => {
  wire.silence()
  await delay(silenceMs)
  if (random.chance(0.5)) wire.cut()
}

function onEach(what: string, share: number, spoil: Spoil): Fault[] {
  return (['clients', 'postgres', 'redis'] as const).map((name) => ({
    name: `${name}-wire-${what}`,
    share,
    needs: 'wires',
    strike: async ({ wires }, random) => {
      const wire = (wires as Wires)[name]
      try {
        await spoil(wire, random)
      } finally {
        wire.heal()
      }
    },
  }))
}

export const wireFaults: readonly Fault[] = [
  ...onEach('cut', 15, cutting),
  ...onEach('cut-in-reply', 25, cuttingReplies),
  ...onEach('slow', 5, slowing),
  ...onEach('silent', 3, silencing),
]
