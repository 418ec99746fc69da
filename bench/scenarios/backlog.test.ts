/** The smallest backlog, on servers of its own. */
import { expect, test } from 'vitest'
import { plotSvg } from '../report/plot.ts'
import { backlog } from './backlog.ts'

test('a service that starts with undecided events decides all of them, and nothing is broken', async () => {
  const result = await backlog.run({
    size: 'smallest',
    seconds: null,
    connections: 16,
    seed: 11,
    profile: null,
    steadyRate: null,
    say: () => undefined,
  })
  if (result.outcome === 'broken') throw new Error(JSON.stringify(result.violations))
  const raw = result.raw as { events: number; orders: number; decidedByBucket: [number, number][] }
  expect(raw.events).toBeGreaterThanOrEqual(2_000)
  expect(raw.decidedByBucket.reduce((sum, [, decided]) => sum + decided, 0)).toBe(raw.events)
  expect(result.checks.ordersCompared).toBe(raw.orders)
  const rate = result.figures.find(({ name }) => name === 'drained')!
  expect(rate.value).toBeGreaterThan(0)
  const remaining = result.plots.find(({ name }) => name === 'backlog-remaining')!.series[0]!.points
  expect(remaining[0]).toEqual([0, raw.events])
  expect(remaining.at(-1)![1]).toBe(0)
  for (const plot of result.plots) expect(plotSvg(plot)).not.toContain('nothing was measured')
}, 240_000)
