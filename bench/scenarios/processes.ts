/**
 * processes: the same closed loop against one service process and against two that share a port (SHARE_PORT), a Postgres
 * and a Redis; each time on fresh servers. On two cores, which client and servers fill already, two processes can hardly be
 * faster than one; what counts here is that nothing is lost or taken twice between them, and what the second one costs.
 */

import { memoryFigures, ordersOf } from '../load/figures.ts'
import { accepted, round, routed } from '../load/report.ts'
import { type Load, withSession } from '../load/session.ts'
import type { Broken, Figure, Measured, Scenario, ScenarioContext } from '../measured/scenario.ts'
import { broken, preparedFor, requestsAnOrder, streamOf, tellSurroundings } from './common.ts'

const counts = [1, 2] as const
const secondsOf = { smallest: null, standard: 10, full: 30 } as const
const smallestRequests = 200
const warmUpSecondsDefault = 2
// More than was ever hoped for; see steady.ts.
const preparedPerSecond = 12_000

interface Run {
  readonly processes: number
  readonly load: Load
  readonly ordersPerSecond: number
  readonly acceptedPerSecond: number
  readonly ackMs: Readonly<Record<string, number>>
  /** By process, µs of CPU an order. */
  readonly cpuMicros: Readonly<Record<string, number>>
  readonly checks: Measured['checks']
}

export const processes: Scenario = {
  name: 'processes',
  question:
    'Do several service processes on one port take and decide orders side by side, and what does the second one bring?',
  run: measureProcesses,
}

async function measureProcesses(context: ScenarioContext): Promise<Measured | Broken> {
  const runs: Run[] = []
  for (const count of counts) {
    const run = await runWith(count, context)
    if ('outcome' in run) return run
    runs.push(run)
  }
  const names = [...new Set(runs.flatMap(({ cpuMicros }) => Object.keys(cpuMicros)))]
  return {
    outcome: 'measured',
    workload:
      `Closed loop of ${context.connections} connections, ${runs.map((run) => round(seconds(run.load), 1)).join(' and ')} s, ` +
      `seed ${context.seed}; the workload of steady; fresh servers for each count of processes.`,
    figures: figuresOf(runs),
    tables: [
      {
        title: 'By the number of service processes',
        columns: ['', ...runs.map((run) => `${run.processes}`)],
        rows: [
          ['routed, orders/s', ...runs.map((run) => run.ordersPerSecond)],
          ['accepted, orders/s', ...runs.map((run) => run.acceptedPerSecond)],
          ['ACK p50, ms', ...runs.map((run) => run.ackMs.p50 ?? 0)],
          ['ACK p99, ms', ...runs.map((run) => run.ackMs.p99 ?? 0)],
          ...names.map((name): (string | number)[] => [
            `CPU ${name}, µs an order`,
            ...runs.map((run) => run.cpuMicros[name] ?? 0),
          ]),
        ],
      },
    ],
    plots: [
      {
        name: 'processes-rate',
        title: 'Orders by the number of service processes on one port',
        kind: 'bar',
        x: 'service processes',
        y: 'orders/s',
        series: [
          { name: 'routed', points: runs.map((run) => [run.processes, run.ordersPerSecond]) },
          { name: 'accepted', points: runs.map((run) => [run.processes, run.acceptedPerSecond]) },
        ],
      },
    ],
    checks: {
      invariants: runs[0]!.checks.invariants,
      ordersCompared: runs.reduce((sum, { checks }) => sum + checks.ordersCompared, 0),
    },
    raw: runs.map(({ load, ...rest }) => ({ ...rest, refused: load.fired.refused, errors: load.fired.errors })),
  }
}

async function runWith(count: number, context: ScenarioContext): Promise<Run | Broken> {
  const { size, connections, profile, say, load: told } = context
  const forSeconds = context.seconds ?? secondsOf[size]
  const requests = told?.requests ?? (forSeconds === null ? smallestRequests : null)
  const warmUp = told?.warmUpSeconds ?? (requests !== null ? 0 : warmUpSecondsDefault)
  const wanted = requests ?? (forSeconds ?? 0) * preparedPerSecond
  say(`▸ ${count} service process${count === 1 ? '' : 'es'}`)
  const options = {
    stream: streamOf(context),
    prepared: preparedFor((wanted + warmUp * preparedPerSecond) * requestsAnOrder),
    connections,
    profile,
    processes: count,
    say,
  }
  return await withSession(options, async (session): Promise<Run | Broken> => {
    tellSurroundings(context, session)
    const generator = await session.lean()
    if (warmUp > 0) await session.warmUp(() => generator.fire({ seconds: warmUp, requests: null }))
    const load = await session.measure(generator, () => generator.fire({ seconds: forSeconds ?? 0, requests }))
    const verdict = await session.verify(load.undecided)
    const unsound = broken(verdict)
    if (unsound !== null) return unsound
    const orders = ordersOf(load)
    const { cpuSeconds: before } = load.before
    return {
      processes: count,
      load,
      ordersPerSecond: (await routed(session.target.sql, load)).ordersPerSecond,
      acceptedPerSecond: accepted(load).ordersPerSecond,
      ackMs: accepted(load).ackMs,
      cpuMicros: Object.fromEntries(
        Object.entries(load.after.cpuSeconds).map(([name, after]) => [
          name,
          Math.round(((after - (before[name] ?? 0)) / orders) * 1e6),
        ]),
      ),
      checks: verdict.checks,
    }
  })
}

function figuresOf(runs: readonly Run[]): Figure[] {
  const [one, two] = [runs[0]!, runs[1]!]
  return [
    ...runs.map(
      (run): Figure => ({ name: `routed, ${run.processes} on the port`, value: run.ordersPerSecond, unit: 'orders/s' }),
    ),
    { name: 'two ÷ one', value: round(two.ordersPerSecond / one.ordersPerSecond, 2), unit: '×' },
    ...memoryFigures(...runs.map(({ load }) => load.memory)),
  ]
}

function seconds({ fired }: Load): number {
  return (fired.endedAtMs - fired.startedAtMs) / 1000
}
