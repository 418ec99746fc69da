/**
 * baskets: orders as long as a wholesaler's are. How many lines, and how many units a line, is drawn from real invoices
 * (traffic/data/baskets.csv): half of the orders have more than twelve lines, where sourcing is no longer exact.
 */

import { memoryFigures, memoryPlot, ordersOf, rounded } from '../load/figures.ts'
import { costs, routed } from '../load/report.ts'
import { withSession } from '../load/session.ts'
import type { Broken, Measured, Scenario, ScenarioContext } from '../measured/scenario.ts'
import { orderAt } from '../traffic/generator.ts'
import type { TrafficPlan } from '../traffic/plan.ts'
import { broken, preparedFor, streamOf, tellSurroundings } from './common.ts'

const requestsOf = { smallest: 60, standard: 10_000, full: 50_000 } as const
const warmUpRequestsOf = { smallest: 0, standard: 1_500, full: 1_500 } as const
/** Up to it the cheapest plan is found for certain. */
const exactLinesMax = 12

export const baskets: Scenario = {
  name: 'baskets',
  question: 'What does it cost to route orders as long as a wholesaler really gets them?',
  run: measureBaskets,
}

async function measureBaskets(context: ScenarioContext): Promise<Measured | Broken> {
  const { size, connections, profile, say } = context
  const [requests, warmUp] = [requestsOf[size], warmUpRequestsOf[size]]
  const stream = streamOf(context, { orders: 'baskets' })
  return withSession(
    { stream, prepared: preparedFor(requests + warmUp), connections, profile, say },
    async (session): Promise<Measured | Broken> => {
      tellSurroundings(context, session)
      const lean = await session.lean()
      if (warmUp > 0) await session.warmUp(() => lean.fire({ seconds: 0, requests: warmUp }))
      say(`▸ ${requests.toLocaleString('en')} requests`)
      const load = await session.measure(lean, () => lean.fire({ seconds: 0, requests }))
      const all = await routed(session.target.sql, load)
      const verdict = await session.verify(load.undecided)
      const { cpuMicros, stageMicros, bytesAnOrder } = costs(load, ordersOf(load))
      const lengths = lineCounts(session.plan, new Set(load.fired.acknowledged))
      const lines = lengths.reduce((a, b) => a + b, 0)
      const long = lengths.filter((length) => length > exactLinesMax).length
      const linesAnOrder = lines / lengths.length
      return (
        broken(verdict) ?? {
          outcome: 'measured',
          workload: `Closed loop of ${connections} connections, ${requests.toLocaleString('en')} requests; lines and units as on real invoices.`,
          figures: [
            { name: 'routed', value: all.ordersPerSecond, unit: 'orders/s' },
            { name: 'lines routed', value: Math.round(all.ordersPerSecond * linesAnOrder), unit: 'lines/s' },
            { name: 'lines an order', value: rounded(linesAnOrder, 1), unit: 'lines' },
            {
              name: `orders of more than ${exactLinesMax} lines`,
              value: rounded((100 * long) / lengths.length, 1),
              unit: '%',
            },
            { name: 'tasks an order', value: rounded(all.tasks / all.orders, 2), unit: 'tasks' },
            { name: 'decision an order', value: stageMicros.decide ?? 0, unit: 'µs' },
            { name: 'database an order', value: bytesAnOrder.database, unit: 'bytes' },
            { name: 'WAL an order', value: bytesAnOrder.wal, unit: 'bytes' },
            ...memoryFigures(load.memory),
          ],
          tables: [
            {
              title: 'An order, µs',
              columns: ['what', 'µs'],
              rows: [
                ...Object.entries(cpuMicros).map(([name, micros]): [string, number] => [`CPU ${name}`, micros]),
                ...Object.entries(stageMicros).map(([name, micros]): [string, number] => [`stage ${name}`, micros]),
              ],
            },
          ],
          plots: [
            {
              name: 'baskets-lines',
              title: 'Lines an order',
              kind: 'bar',
              x: 'lines, up to',
              y: 'orders',
              series: [{ name: 'orders', points: histogram(lengths) }],
            },
            memoryPlot('baskets-memory', { service: load.memory }),
          ],
          checks: verdict.checks,
          raw: { routed: all, cpuMicros, stageMicros, bytesAnOrder, states: all.states },
        }
      )
    },
  )
}

function lineCounts(plan: TrafficPlan, indexes: ReadonlySet<number>): number[] {
  return [...indexes].map((index) => orderAt(plan, index).lines.length)
}

const upTo = [1, 2, 4, 8, 12, 16, 24, 32, 64, 128, 256]

function histogram(lengths: readonly number[]): [upTo: number, orders: number][] {
  return upTo.map((end, at) => {
    const from = upTo[at - 1] ?? 0
    return [end, lengths.filter((length) => length > from && length <= end).length]
  })
}
