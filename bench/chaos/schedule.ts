/**
 * Which fault comes when: the same seed, points and kinds give the same schedule. Points are dealt to worlds of limited
 * size, so that a database is audited in seconds and a failing seed leads soon to where it failed.
 */
import { type Random, randomFrom } from '../../adapters/shared/seeded-random.ts'
import type { Fault } from './faults/fault.ts'

export interface WorldPlan {
  readonly pair: boolean
  readonly wires: boolean
  readonly disk: boolean
  readonly faults: readonly Fault[]
}

const pointsPerWorld = 60
// A world costs its start and its end, some ten seconds: a short run has one for everything.
const pointsOfOneWorld = 20

export function scheduleOf(faults: readonly Fault[], points: number, seed: number): readonly WorldPlan[] {
  const random = randomFrom(seed)
  const dealt = shuffled(counted(faults, points, random), random)
  if (points <= pointsOfOneWorld) return dealt.length === 0 ? [] : [worldOf(dealt, {})]
  const groups = new Map<string, Fault[]>()
  for (const fault of dealt) {
    const pair = fault.needs === 'pair' || (fault.needs !== 'disk' && random.chance(0.4))
    const wires = fault.needs === 'wires' || (fault.needs !== 'disk' && random.chance(0.4))
    const key = `${pair} ${wires} ${fault.needs === 'disk'}`
    groups.set(key, [...(groups.get(key) ?? []), fault])
  }
  const plans = [...groups].flatMap(([key, group]) => {
    const [pair, wires] = key.split(' ')
    const count = Math.ceil(group.length / pointsPerWorld)
    const size = Math.ceil(group.length / count)
    return Array.from({ length: count }, (_, i) =>
      worldOf(group.slice(i * size, (i + 1) * size), { pair: pair === 'true', wires: wires === 'true' }),
    )
  })
  return shuffled(plans, random)
}

function worldOf(faults: readonly Fault[], { pair = false, wires = false }): WorldPlan {
  const needs = (what: Fault['needs']): boolean => faults.some((fault) => fault.needs === what)
  return { faults, pair: pair || needs('pair'), wires: wires || needs('wires'), disk: needs('disk') }
}

// The rarest kinds are the slowest, a minute each: a long run has a few of every one, a short one has the time for none.
const pointsPerSureOne = 400

/**
 * Of every kind a sure number, the rest by their shares, to the point: what the fractions leave goes by chance, so that
 * short runs differ by seed.
 */
function counted(faults: readonly Fault[], points: number, random: Random): Fault[] {
  const total = faults.reduce((sum, { share }) => sum + share, 0)
  const sure = Math.floor(points / Math.max(pointsPerSureOne, faults.length))
  const shared = points - sure * faults.length
  const exact = faults.map((fault) => ({ fault, count: sure + (fault.share / total) * shared }))
  const whole = exact.flatMap(({ fault, count }) => Array.from({ length: Math.floor(count) }, () => fault))
  const rest = exact.map(({ fault, count }) => ({ fault, left: count % 1 }))
  while (whole.length < points) {
    const sum = rest.reduce((all, { left }) => all + left, 0)
    let at = (random.next() / 0x1_0000_0000) * sum
    const drawn = rest.find(({ left }) => {
      at -= left
      return at < 0
    })
    const taken = drawn ?? rest.find(({ left }) => left > 0) ?? rest[0]!
    taken.left = 0
    whole.push(taken.fault)
  }
  return whole
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const all = [...list]
  for (let i = all.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[all[i], all[j]] = [all[j]!, all[i]!]
  }
  return all
}
