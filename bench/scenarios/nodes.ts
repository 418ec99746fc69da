/**
 * nodes: does a decision cost more the more places there are? The same orders, goods and warehouses with 100, 1,000 and
 * 10,000 nodes: stores at points of their own all over the country, each with a shelf of sixty SKUs.
 */

import { memoryFigures, memoryPlot, ordersOf, rounded } from '../load/figures.ts'
import { costs, routed } from '../load/report.ts'
import { type Load, withSession } from '../load/session.ts'
import type { Broken, Measured, Scenario, ScenarioContext } from '../measured/scenario.ts'
import { broken, preparedFor, streamOf, tellSurroundings } from './common.ts'

const countsOf = { smallest: [20, 60], standard: [100, 1_000, 10_000], full: [100, 1_000, 10_000] } as const
const requestsOf = { smallest: 120, standard: 20_000, full: 60_000 } as const
const warmUpRequestsOf = { smallest: 0, standard: 5_000, full: 5_000 } as const
/** At the most nodes, of what it is at the fewest. */
const goal = { value: 2, better: 'lower' } as const

interface AtCount {
  readonly nodes: number
  readonly ordersPerSecond: number
  readonly cpuMicros: Readonly<Record<string, number>>
  readonly stageMicros: Readonly<Record<string, number>>
  readonly load: Load
  readonly checks: Measured['checks']
}

export const nodes: Scenario = {
  name: 'nodes',
  question: 'What does a decision cost with 100, 1,000 and 10,000 nodes?',
  run: measureNodes,
}

async function measureNodes(context: ScenarioContext): Promise<Measured | Broken> {
  const found: AtCount[] = []
  for (const count of countsOf[context.size]) {
    const one = await withNodes(context, count)
    if ('outcome' in one) return one
    found.push(one)
  }
  const [fewest, most] = [found[0]!, found.at(-1)!]
  const decide = ({ stageMicros }: AtCount) => stageMicros.decide ?? Number.NaN
  const stages = [...new Set(found.flatMap(({ stageMicros }) => Object.keys(stageMicros)))]
  return {
    outcome: 'measured',
    workload:
      `Closed loop of ${context.connections} connections, ${requestsOf[context.size].toLocaleString('en')} requests each at ` +
      `${found.map(({ nodes: n }) => n.toLocaleString('en')).join(', ')} nodes, a fresh service each.`,
    figures: [
      {
        name: `decision time at ${most.nodes.toLocaleString('en')} nodes ÷ at ${fewest.nodes.toLocaleString('en')}`,
        value: rounded(decide(most) / decide(fewest), 2),
        unit: '×',
        goal,
      },
      ...found.map((one) => ({
        name: `decision at ${one.nodes.toLocaleString('en')} nodes`,
        value: decide(one),
        unit: 'µs',
      })),
      ...memoryFigures(...found.map(({ load }) => load.memory)),
    ],
    tables: [
      {
        title: 'An order, by the number of nodes',
        columns: ['nodes', 'orders/s', ...stages.map((stage) => `${stage}, µs`), 'CPU service, µs', 'service, MiB'],
        rows: found.map((one) => [
          one.nodes,
          one.ordersPerSecond,
          ...stages.map((stage) => one.stageMicros[stage] ?? 0),
          one.cpuMicros.service ?? 0,
          Math.round(one.load.memory.peakMib ?? Number.NaN),
        ]),
      },
    ],
    plots: [
      {
        name: 'nodes-decision',
        title: 'Decision time an order',
        kind: 'bar',
        x: 'nodes',
        y: 'µs',
        series: [{ name: 'decide', points: found.map((one) => [one.nodes, decide(one)]) }],
      },
      memoryPlot('nodes-memory', Object.fromEntries(found.map((one) => [`${one.nodes} nodes`, one.load.memory]))),
    ],
    checks: {
      invariants: most.checks.invariants,
      ordersCompared: found.reduce((sum, { checks }) => sum + checks.ordersCompared, 0),
    },
    raw: found.map(({ load, ...one }) => ({ ...one, peakMib: load.memory.peakMib })),
  }
}

async function withNodes(context: ScenarioContext, nodeCount: number): Promise<AtCount | Broken> {
  const { size, connections, profile, say } = context
  const [requests, warmUp] = [requestsOf[size], warmUpRequestsOf[size]]
  const stream = streamOf(context, { network: { nodeCount } })
  say(`▸ ${nodeCount.toLocaleString('en')} nodes`)
  return withSession(
    { stream, prepared: preparedFor(requests + warmUp), connections, profile, say },
    async (session): Promise<AtCount | Broken> => {
      tellSurroundings(context, session)
      const lean = await session.lean()
      if (warmUp > 0) await session.warmUp(() => lean.fire({ seconds: 0, requests: warmUp }))
      const load = await session.measure(lean, () => lean.fire({ seconds: 0, requests }))
      const { ordersPerSecond } = await routed(session.target.sql, load)
      const verdict = await session.verify(load.undecided)
      const { cpuMicros, stageMicros } = costs(load, ordersOf(load))
      return (
        broken(verdict) ?? { nodes: nodeCount, ordersPerSecond, cpuMicros, stageMicros, load, checks: verdict.checks }
      )
    },
  )
}
