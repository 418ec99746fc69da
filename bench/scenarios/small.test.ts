/** The smallest size of each scenario but steady, which has a test of its own. */
import { expect, test } from 'vitest'
import { memoryFolder } from '../load/disk.ts'
import type { Measured, Scenario } from '../measured/scenario.ts'
import { baskets } from './baskets.ts'
import { burst } from './burst.ts'
import { hot } from './hot.ts'
import { latency, memoryBytes } from './latency.ts'
import { nodes } from './nodes.ts'
import { figureOf, measuredOf, smallest } from './testing.ts'

/** Servers, a service, a generator and a stand-in are started anew for each: on a machine that is busy that takes its time. */
const patience = 240_000

async function run(scenario: Scenario): Promise<Measured> {
  const measured = measuredOf(await scenario.run(smallest))
  expect(measured.checks.ordersCompared).toBeGreaterThan(0)
  // A figure that is none would be printed as one.
  for (const { name, value } of measured.figures) expect(Number.isFinite(value), `${name}: ${value}`).toBe(true)
  const series = measured.plots.flatMap(({ series: all }) => all)
  for (const { name, points } of series) expect(points.length, name).toBeGreaterThan(0)
  return measured
}

test(
  'latency: every acknowledged order has its latency, and a task is seen after its ACK was due',
  async () => {
    const measured = await run(latency)
    const levels = measured.raw as {
      isInMemory: boolean
      refused: number
      errors: number
      unseen: number
      taskMs: [number, number][]
      diskMs: [number, number][]
    }[]
    // The last in memory, where this machine has a folder there.
    const inMemory = levels.filter(({ isInMemory }) => isInMemory).length
    expect(levels).toHaveLength(3 + inMemory)
    expect(inMemory).toBe(memoryFolder(memoryBytes) === null ? 0 : 1)
    for (const level of levels) {
      expect(level).toMatchObject({ refused: 0, errors: 0, unseen: 0 })
      expect(level.taskMs[0]![1]).toBeGreaterThan(0)
      expect(level.diskMs[0]![1]).toBeGreaterThan(0)
    }
    const [ack] = measured.tables
    // 25, 50 and 75 % of 200 orders/s, 1.06 requests an order, for a second.
    expect(ack!.rows.map(([rate, count]) => [rate, count])).toEqual([
      ['50', 53],
      ['100', 106],
      ['150', 159],
      ...(inMemory === 1 ? [['100, in memory', 106]] : []),
    ])
  },
  patience,
)

test(
  'burst: what was due is acknowledged in the end, retries included',
  async () => {
    const measured = await run(burst)
    expect(figureOf(measured, 'never acknowledged')).toBe(0)
    const { seconds } = measured.raw as { seconds: { due: number; acknowledged: number }[] }
    const sum = (of: 'due' | 'acknowledged') => seconds.reduce((total, second) => total + second[of], 0)
    expect(sum('acknowledged')).toBe(sum('due'))
    expect(figureOf(measured, 'requests')).toBe(sum('due'))
  },
  patience,
)

test(
  'hot: one SKU is sold exactly to zero',
  async () => {
    const measured = await run(hot)
    expect(figureOf(measured, 'left over')).toBe(0)
    expect(figureOf(measured, 'orders told that nothing is left')).toBe(10)
    expect(measured.tables[0]!.rows[0]!.slice(0, 4)).toEqual([200, 210, 200, 10])
  },
  patience,
)

test(
  'nodes: the same orders at every number of nodes',
  async () => {
    const measured = await run(nodes)
    const rows = measured.tables[0]!.rows
    expect(rows.map(([count]) => count)).toEqual([20, 60])
    expect(measured.figures[0]).toMatchObject({ unit: '×', goal: { value: 2, better: 'lower' } })
  },
  patience,
)

test(
  'baskets: orders are long',
  async () => {
    const measured = await run(baskets)
    expect(figureOf(measured, 'lines an order')).toBeGreaterThan(12)
    expect(figureOf(measured, 'orders of more than 12 lines')).toBeGreaterThan(30)
  },
  patience,
)
