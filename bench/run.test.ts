/** The smallest run of the bench, on a service, a generator and servers of its own. */

import { expect, test } from 'vitest'
import { allInvariantNames } from '../workers/audit.ts'
import { cpuSeconds } from './load/cpu.ts'
import { checkLedger, checkShelves, ledgerInvariants } from './load/ledger.ts'
import { parseOptions, UsageError } from './load/options.ts'
import { printed } from './load/report.ts'
import { grownByLabel, parseScrape, quantile } from './load/scrape.ts'
import { planOf } from './load/stream.ts'
import { type BenchResult, runBench } from './run.ts'

const smallest = ['--requests', '300', '--connections', '16', '--warm-up', '0', '--seed', '7']

test('a small run measures, and has compared every acknowledged order and checked every invariant', async () => {
  const broken: unknown[] = []
  const result = await runBench(parseOptions(smallest), {
    settled: async ({ sql, opening }) => {
      // The bench's own book has to notice what is not there, is there twice over, and was given away without lying there.
      const settings = { seed: 7, startMs: 1_700_000_000_000, mix: { tmall: 50, jd: 25, wechat: 25 } }
      broken.push(...(await checkLedger(sql, planOf(settings), new Set([99_000_000]))))
      broken.push(
        ...(await checkShelves(
          sql,
          opening!.map((row) => ({ ...row, onHand: 0 })),
        )),
      )
    },
  })
  expect(broken).toMatchObject([
    { invariant: 'acknowledged_orders_are_there', count: 1 },
    { invariant: 'no_shelf_gave_more_than_it_held' },
  ])
  const { report } = measured(result)
  expect(report.accepted).toMatchObject({ requests: 300, refused: {}, errors: 0, madeUnderLoad: 0 })
  expect(report.accepted.orders).toBeGreaterThan(270)
  expect(Object.values(report.routed.states).reduce((a, b) => a + b, 0)).toBe(report.accepted.orders)
  expect(report.routed.orders).toBeGreaterThan(report.accepted.orders * 0.9)
  expect(report.routed.ordersPerSecond).toBeGreaterThan(0)
  expect(report.accepted.ackMs.p50).toBeLessThanOrEqual(report.accepted.ackMs.max)
  expect(report.checks).toMatchObject({
    invariants: allInvariantNames.length + ledgerInvariants.length,
    ordersCompared: report.accepted.orders,
  })
  for (const name of ['service', 'postgres', 'generator']) expect(report.cpuMicros[name]).toBeGreaterThan(0)
  for (const stage of ['decode', 'reserve', 'commit']) expect(report.stageMicros[stage]).toBeGreaterThan(0)
  expect(report.bytesAnOrder.wal).toBeGreaterThan(0)
  expect(report.durability).toMatchObject({ fsync: 'on', synchronous_commit: 'on' })
  expect(printed(report)).toContain('all hold')
})

test('a run with an oversold unit has no result', async () => {
  const result = await runBench(parseOptions(smallest), {
    settled: async ({ sql }) => {
      await sql`update stock set reserved = on_hand + 1 where (node, sku) = (select node, sku from stock limit 1)`
    },
  })
  expect(result.outcome).toBe('broken')
  const names = result.outcome === 'broken' ? result.violations.map((v) => v.invariant) : []
  expect(names).toContain('nothing_is_oversold')
  expect(names).toContain('redis_counts_what_postgres_counts')
})

test.each([
  ['--seconds', '0'],
  ['--connections', 'many'],
  ['--mix', 'tmall=50,ebay=50'],
  ['--mix', 'tmall=0'],
  ['--url', '127.0.0.1:8080'],
  ['--faster', 'please'],
])('refused: %s %s', (...words) => {
  expect(() => parseOptions(words)).toThrow(UsageError)
})

test('what prom-client writes is read: growth by label, and quantiles within a bucket', () => {
  const text = (count: number) => `# HELP x\nt_total{stage="commit",a="b"} ${count}\nt_total{stage="decode",a="b"} 7
h_bucket{le="0.1"} ${count}\nh_bucket{le="0.2"} ${count * 2}\nh_bucket{le="+Inf"} ${count * 2}\n`
  const [before, after] = [parseScrape(text(10)), parseScrape(text(60))]
  expect(grownByLabel(before, after, 't_total', 'stage')).toEqual({ commit: 50 })
  expect(quantile(before, after, 'h', 0.25)).toBeCloseTo(0.05)
  expect(quantile(before, after, 'h', 0.75)).toBeCloseTo(0.15)
  expect(quantile(before, before, 'h', 0.5)).toBeNull()
})

test('the CPU time of a process tree grows with its work', () => {
  const own = () => cpuSeconds({ own: process.pid }).own!
  const before = own()
  const until = process.cpuUsage().user + 100_000
  while (process.cpuUsage().user < until) Math.sqrt(2)
  expect(own() - before).toBeGreaterThan(0.05)
  expect(cpuSeconds({ nobody: 2 ** 30 })).toEqual({ nobody: 0 })
})

function measured(result: BenchResult) {
  if (result.outcome === 'broken') throw new Error(JSON.stringify(result.violations))
  return result
}
