/** Figures that every load has, whatever the scenario. */
import type { Figure, Plot } from '../measured/scenario.ts'
import type { Fired } from './fired.ts'
import type { MemorySeen } from './process-memory.ts'
import type { Load } from './session.ts'

// What a service may hold in memory, in every scenario: two of them and their databases fit into a small machine.
const residentMibGoal = 512

export function memoryFigures(...seen: readonly MemorySeen[]): Figure[] {
  const peaks = seen.flatMap(({ peakMib }) => (peakMib === null ? [] : [peakMib]))
  if (peaks.length === 0) return []
  return [
    {
      name: 'service memory, most ever resident',
      value: Math.round(Math.max(...peaks)),
      unit: 'MiB',
      goal: { value: residentMibGoal, better: 'lower' },
    },
  ]
}

export function memoryPlot(name: string, seen: Readonly<Record<string, MemorySeen>>): Plot {
  return {
    name,
    title: 'Memory of the service',
    kind: 'line',
    x: 's',
    y: 'MiB',
    series: Object.entries(seen).map(([of, { points }]) => ({ name: of, points })),
  }
}

/** Orders of a load that were acknowledged, a doubled delivery counted once. */
export function ordersOf({ fired }: Load): number {
  return new Set(fired.acknowledged).size
}

/** Answers that were no acknowledgement. */
export function refusalsOf({ refused }: Pick<Fired, 'refused'>): number {
  return Object.values(refused).reduce((a, b) => a + b, 0)
}

export function rounded(value: number, digits = 0): number {
  return Math.round(value * 10 ** digits) / 10 ** digits
}
