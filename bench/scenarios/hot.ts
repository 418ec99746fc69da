/**
 * hot: one SKU that every order wants, in one warehouse. Orders of one unit of it are sent until there are more orders
 * than units; all of them meet at the same counter in Redis and the same row in Postgres.
 *
 * Reservations a second are counted between the first and the last commit that reserved (what the first took is not counted,
 * since its own time is not known). Afterwards exactly nothing may be left, and exactly as many orders have a task as there
 * were units. Beside it the reservation alone is measured on a Redis of its own.
 */
import type { Violation } from '../../adapters/store/audit/audit.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { memoryFigures, memoryPlot, ordersOf, rounded } from '../load/figures.ts'
import { type Session, withSession } from '../load/session.ts'
import { networkOf } from '../load/stream.ts'
import type { Broken, Measured, Scenario, ScenarioContext } from '../measured/scenario.ts'
import { hotSkuOf } from '../traffic/hot.ts'
import { broken, preparedFor, streamOf, tellSurroundings } from './common.ts'
import { reserveAlone } from './hot-redis.ts'

const unitsOf = { smallest: 200, standard: 30_000, full: 200_000 } as const
/** More orders than units: the last ones have to be told that there is nothing left. */
const ordersAUnit = 1.05
const aloneUnitsOf = { smallest: 2_000, standard: 300_000, full: 1_000_000 } as const
const goal = { value: 12_000, better: 'higher' } as const

export const hot: Scenario = {
  name: 'hot',
  question: 'How fast does one SKU sell out, and does it sell exactly to zero?',
  run: measureHot,
}

async function measureHot(context: ScenarioContext): Promise<Measured | Broken> {
  const { size, connections, profile, say } = context
  const units = unitsOf[size]
  const orders = Math.ceil(units * ordersAUnit)
  const stream = streamOf(context, { network: { hotUnits: units }, orders: 'hot' })
  const { sku } = hotSkuOf(networkOf(stream))
  say('▸ reservations alone, on a Redis of their own')
  const alone = await reserveAlone(sku, aloneUnitsOf[size])
  return withSession(
    { stream, prepared: preparedFor(orders), connections, profile, say },
    async (session): Promise<Measured | Broken> => {
      tellSurroundings(context, session)
      const lean = await session.lean()
      say(`▸ ${orders.toLocaleString('en')} orders for ${units.toLocaleString('en')} units of ${sku}`)
      const load = await session.measure(lean, () => lean.fire({ seconds: 0, requests: orders }))
      const sold = await soldOf(session.target.sql, sku, load.fired.startedAtMs)
      const verdict = await session.verify(load.undecided)
      const violations = [...verdict.violations, ...notExactlyZero(sold, units, ordersOf(load))]
      if (violations.length > 0) return broken({ ...verdict, violations })!
      return {
        outcome: 'measured',
        workload:
          `Closed loop of ${connections} connections; ${ordersOf(load).toLocaleString('en')} orders of one unit for ` +
          `${units.toLocaleString('en')} units of one SKU in one warehouse.`,
        figures: [
          { name: 'reservations, the whole way', value: Math.round(sold.perSecond), unit: 'orders/s', goal },
          { name: 'reservations, Redis alone', value: Math.round(alone.perSecond), unit: 'orders/s' },
          { name: 'left over', value: sold.left, unit: 'units', goal: { value: 0, better: 'lower' } },
          { name: 'orders told that nothing is left', value: sold.backordered, unit: 'orders' },
          ...memoryFigures(load.memory),
        ],
        tables: [
          {
            title: 'Sold',
            columns: ['units', 'orders', 'orders with a task', 'backordered', 'left', 'oversold', 'seconds'],
            rows: [[units, ordersOf(load), sold.orders, sold.backordered, sold.left, 0, rounded(sold.seconds, 2)]],
          },
        ],
        plots: [memoryPlot('hot-memory', { service: load.memory })],
        checks: { invariants: verdict.checks.invariants + 1, ordersCompared: verdict.checks.ordersCompared },
        raw: { sold, alone },
      }
    },
  )
}

interface Sold {
  readonly orders: number
  readonly units: number
  readonly left: number
  readonly backordered: number
  /** From the first commit that reserved to the last. */
  readonly seconds: number
  readonly perSecond: number
}

async function soldOf(sql: Session['target']['sql'], sku: string, startedAtMs: number): Promise<Sold> {
  const batches = await batchesOf(sql)
  const [stock] = await sql<{ left: number }[]>`
    select sum(available)::int as left from stock where sku = ${sku}`
  const [tasks] = await sql<{ orders: number; units: number }[]>`
    select count(distinct order_id)::int as orders, coalesce(sum((l ->> 'quantity')::int), 0)::int as units
    from task, jsonb_array_elements(lines) l where state <> 'cancelled'`
  const [waiting] = await sql<{ orders: number }[]>`select count(distinct order_id)::int as orders from backorder`
  const [first, last] = [batches[0], batches.at(-1)]
  const several = batches.length > 1
  const seconds = first === undefined ? 0 : (last!.atMs - (several ? first.atMs : startedAtMs)) / 1000
  const counted = batches.reduce((sum, { tasks: count }) => sum + count, 0) - (several ? first!.tasks : 0)
  const { orders, units } = tasks!
  return { orders, units, left: stock!.left, backordered: waiting!.orders, seconds, perSecond: counted / seconds }
}

async function batchesOf(sql: Sql): Promise<{ atMs: number; tasks: number }[]> {
  const rows = await sql<{ at: Date; tasks: number }[]>`
    select created_at as at, count(*)::int as tasks from task group by 1 order by 1`
  return rows.map(({ at, tasks }) => ({ atMs: at.getTime(), tasks }))
}

/** More than "not oversold": an order that was told that nothing is left was told the truth. */
function notExactlyZero(sold: Sold, units: number, orders: number): Violation[] {
  const exact = sold.left === 0 && sold.units === units && sold.orders === units && sold.backordered === orders - units
  return exact
    ? []
    : [{ invariant: 'sold_exactly_to_zero', count: 1, examples: [{ ...sold, wanted: units, sent: orders }] }]
}
