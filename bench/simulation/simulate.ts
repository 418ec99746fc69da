/** Plays the world of one seed. */
import type { Place } from './network.ts'
import type { Counts } from './telemetry.ts'
import { unbroken, type Wiring } from './wiring.ts'
import { World } from './world.ts'

export interface Outcome {
  readonly seed: number
  /** The invariant that broke, and how. */
  readonly breach: string | null
  readonly steps: number
  /** Of all steps: equal for equal runs. */
  readonly hash: number
  readonly trace: readonly string[]
  /** What the processes counted. */
  readonly counts: Counts
}

export async function simulate(
  seed: number,
  place: Place,
  wiring: Wiring = unbroken,
  traced = false,
): Promise<Outcome> {
  const world = new World(seed, place, wiring, traced)
  const breach = await world.run()
  const { steps, hash } = world.scheduler
  return { seed, breach, steps, hash: hash >>> 0, trace: world.trace, counts: world.counts }
}
