/** Kinds of worlds: what goes wrong in them, and how soon their sweep takes a reservation for forgotten. */
import type { Random } from '../../adapters/shared/seeded-random.ts'
import { type Faults, noFaults } from './wire.ts'

/**
 * quiet: nothing is lost and nothing dies, so that nothing has to be mended. hasty: the sweep takes reservations for forgotten
 * so soon, and takes so long to end them, that decisions ask for them again meanwhile; its threads are quick, and nothing stands
 * still, since a decision has to be committed in less. wild: all else.
 */
export type Temper = 'quiet' | 'hasty' | 'wild'

export interface Pace {
  /** How old a reservation has to be for the sweep to end it. */
  readonly heldMsMax: number
  readonly sweepEveryMs: number
}

const quietShare = 0.12
const hastyShare = 0.12
const hasty: Pace = { heldMsMax: 2_600, sweepEveryMs: 300 }
const usual: Pace = { heldMsMax: 20_000, sweepEveryMs: 1_500 }

// Commits are cut off and land in the end, some of them while they are tried again: that is after two seconds.
const cutOff = { lostByRedis: 0, lostByPostgres: 0.12, late: 0.7, lateMsMax: 4_000 } as const

const losses = [
  { lostByRedis: 0, lostByPostgres: 0 },
  { lostByRedis: 0.01, lostByPostgres: 0.01 },
  { lostByRedis: 0.06, lostByPostgres: 0 },
  { lostByRedis: 0.01, lostByPostgres: 0.04 },
  cutOff,
] as const

export function temperOf(random: Random): Temper {
  const drawn = random.below(100) / 100
  return drawn < quietShare ? 'quiet' : drawn < quietShare + hastyShare ? 'hasty' : 'wild'
}

export function isPatient(temper: Temper): boolean {
  return temper !== 'hasty'
}

export function paceOf(temper: Temper): Pace {
  return isPatient(temper) ? usual : hasty
}

export function faultsOf(temper: Temper, random: Random): Faults {
  // A few that are very late let the world change under their callers; many that are a little late shuffle it.
  const lateness = random.pick([{}, { slow: 0.04, slowMsMax: 2_500 }, { slow: 0.3, slowMsMax: 150 }])
  const lost = random.pick(losses)
  if (temper === 'hasty') return { ...noFaults, ...cutOff, slow: 0.5, slowThreads: false, slowMsMax: 1_200 }
  return { ...noFaults, ...lateness, ...(temper === 'quiet' ? {} : lost) }
}
