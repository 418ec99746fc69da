/** One kind of fault: what it does to a world, what that world has to have, how often a long run does it. */
import type { Random } from '../../../adapters/shared/seeded-random.ts'
import type { World } from '../world.ts'

export interface Fault {
  readonly name: string
  /** Beside those of the others; schedule.ts says of how many each kind is sure. */
  readonly share: number
  readonly needs?: 'pair' | 'wires' | 'disk'
  /**
   * Resolves when the fault itself is over: servers are back, wires are good. How long the service takes from then on until
   * a new order is acknowledged and decided is the time to recover; its own start is part of that.
   */
  strike(world: World, random: Random): Promise<void>
}

export type Strike = Fault['strike']
