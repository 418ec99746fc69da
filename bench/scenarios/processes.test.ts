/** One and two service processes on one port, at the smallest size. */
import { expect, test } from 'vitest'
import { processes } from './processes.ts'

test('two processes on one port take and decide orders side by side, and nothing is broken', async () => {
  const result = await processes.run({
    size: 'smallest',
    seconds: null,
    connections: 16,
    seed: 13,
    profile: null,
    steadyRate: null,
    say: () => undefined,
  })
  if (result.outcome === 'broken') throw new Error(JSON.stringify(result.violations))
  const [one, two] = result.raw as { cpuMicros: Record<string, number>; ordersPerSecond: number }[]
  expect(Object.keys(one!.cpuMicros)).not.toContain('service 2')
  // The second one is there, and worked.
  expect(two!.cpuMicros['service 2']).toBeGreaterThan(0)
  expect([one!.ordersPerSecond, two!.ordersPerSecond].every((rate) => rate > 0)).toBe(true)
  expect(result.checks.ordersCompared).toBeGreaterThan(350)
}, 240_000)
