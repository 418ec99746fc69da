/** The smallest steady run, on services, generators and servers of its own; and that a broken run gives no result. */
import { expect, test } from 'vitest'
import { allInvariantNames } from '../../workers/operate/audit/both-stores.ts'
import { checkLedger, checkShelves, ledgerInvariants } from '../load/ledger.ts'
import { printed, type Report } from '../load/report.ts'
import { planOf } from '../load/stream.ts'
import type { ScenarioContext } from '../measured/scenario.ts'
import { measureSteady } from './steady.ts'
import { measuredOf, smallest } from './testing.ts'

/** Servers and a service are started anew for each run: on a machine that is busy that takes its time. */
const patience = 240_000

test(
  'measures with both generators, and has compared every order and checked every invariant',
  async () => {
    const broken: unknown[] = []
    const facts: Record<string, string | number> = {}
    const context: ScenarioContext = { ...smallest, surroundings: (more) => Object.assign(facts, more) }
    const result = await measureSteady(context, {
      settled: async ({ sql, opening }) => {
        // The bench's own book has to notice what is not there, and what was given away without lying there.
        const settings = { seed: 7, startMs: 1_700_000_000_000, mix: { tmall: 50, jd: 25, wechat: 25 } }
        const emptied = opening!.map((row) => ({ ...row, onHand: 0 }))
        broken.push((await checkLedger(sql, planOf(settings), new Set([99_000_000])))[0]?.invariant)
        broken.push((await checkShelves(sql, emptied))[0]?.invariant)
      },
    })
    const lost = ['acknowledged_orders_are_there', 'no_shelf_gave_more_than_it_held']
    expect(broken).toEqual([...lost, ...lost])
    const measured = measuredOf(result)
    const reports = Object.entries(measured.raw as Record<string, Report>)
    expect(reports.map(([name]) => name)).toEqual(['lean', 'autocannon'])
    for (const [, report] of reports) expectWhole(report)
    expect(measured.figures[0]).toMatchObject({ name: 'routed', unit: 'orders/s', goal: { value: 10_000 } })
    expect(facts).toMatchObject({ fsync: 'on', synchronous_commit: 'on', cores: expect.any(Number) })
  },
  patience,
)

function expectWhole(report: Report): void {
  const { accepted, routed, checks, stageMicros, cpuMicros, bytesAnOrder } = report
  expect(accepted).toMatchObject({ requests: 200, refused: {}, errors: 0, madeUnderLoad: 0 })
  expect(accepted.orders).toBeGreaterThan(170)
  expect(Object.values(routed.states).reduce((a, b) => a + b, 0)).toBe(accepted.orders)
  expect(routed.orders).toBeGreaterThan(accepted.orders * 0.9)
  expect(routed.ordersPerSecond).toBeGreaterThan(0)
  expect(accepted.ackMs.p50).toBeGreaterThan(0)
  expect(accepted.ackMs.p50).toBeLessThanOrEqual(accepted.ackMs.max)
  expect(checks).toMatchObject({
    invariants: allInvariantNames.length + ledgerInvariants.length,
    ordersCompared: accepted.orders,
  })
  for (const name of ['service', 'postgres']) expect(cpuMicros[name]).toBeGreaterThan(0)
  // The system counts in steps of 10 ms, and the lean generator may need less for so few orders.
  expect(Object.keys(cpuMicros)).toContain('generator')
  for (const stage of ['decode', 'decide', 'reserve', 'commit']) expect(stageMicros[stage]).toBeGreaterThan(0)
  expect(bytesAnOrder.wal).toBeGreaterThan(0)
  expect(report.peakMib).toBeGreaterThan(50)
  expect(printed(report)).toContain('all hold')
}

test(
  'a run with an oversold unit has no result',
  async () => {
    const result = await measureSteady(smallest, {
      settled: async ({ sql }) => {
        await sql`update stock set reserved = on_hand + 1 where (node, sku) = (select node, sku from stock limit 1)`
      },
    })
    expect(result.outcome).toBe('broken')
    const names = result.outcome === 'broken' ? result.violations.map((v) => v.invariant) : []
    expect(names).toContain('nothing_is_oversold')
    expect(names).toContain('redis_counts_what_postgres_counts')
  },
  patience,
)
