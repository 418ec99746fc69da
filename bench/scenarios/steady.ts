/**
 * steady: how many orders a second, from the signed webhook to the task that can be pulled, while every connection has
 * one request under way.
 *
 *   workload  a closed loop of 256 connections for 20 s, after 8 s to warm up (its code is compiled by then); tmall 50 %, jd 25 %, wechat 25 % (a push,
 *             and the order pulled from a stand-in of WeChat's API); 1–5 lines; 94 % plain orders, the rest announced,
 *             presale, refunded, cancelled, changed, delivered twice (bench/traffic/plan.ts)
 *   skew      SKUs by Zipf 0.9 over 2,000, so that the hottest is in every ninth line; buyers by where people live
 *   twice     with the lean generator and with autocannon, each against fresh servers and a fresh service
 */

import { memoryFigures, memoryPlot, ordersOf, refusalsOf } from '../load/figures.ts'
import type { Fired } from '../load/fired.ts'
import type { Cannon } from '../load/processes.ts'
import { percentileCurve } from '../load/quantiles.ts'
import { accepted, costs, printed, type Report, round, routed } from '../load/report.ts'
import { type Load, type Session, withSession } from '../load/session.ts'
import type { Target } from '../load/target.ts'
import type { Broken, Figure, Measured, Scenario, ScenarioContext } from '../measured/scenario.ts'
import { broken, closedLoopRequests, preparedFor, streamOf, tellSurroundings } from './common.ts'

const secondsOf = { smallest: null, standard: 20, full: 60 } as const
const smallestRequests = 200
const warmUpSeconds = 8
// autocannon's are objects, and a large heap is slow.
const preparedMax = { lean: 400_000, autocannon: 120_000 } as const

type GeneratorName = keyof typeof preparedMax

interface Run {
  readonly report: Report
  readonly load: Load
}

type Cell = string | number

export interface SteadyHooks {
  /** Between the load and the checks. */
  readonly settled?: (target: Target) => Promise<void>
}

export const steady: Scenario = {
  name: 'steady',
  question: 'How many orders a second go the whole way, from the signed webhook to a task that can be pulled?',
  run: (context) => measureSteady(context),
}

export async function measureSteady(context: ScenarioContext, hooks: SteadyHooks = {}): Promise<Measured | Broken> {
  const lean = await runWith('lean', context, hooks)
  if ('outcome' in lean) return lean
  const autocannon = await runWith('autocannon', context, hooks)
  if ('outcome' in autocannon) return autocannon
  return {
    outcome: 'measured',
    workload: workloadOf(context, lean.report),
    figures: figuresOf(lean, autocannon),
    tables: [
      {
        title: 'With both generators, each against a fresh service',
        columns: ['', 'lean', 'autocannon'],
        rows: sideBySide(rowsOf(lean.report), new Map(rowsOf(autocannon.report))),
      },
    ],
    plots: [
      {
        name: 'steady-ack',
        title: 'ACK in a saturated closed loop',
        kind: 'percentile',
        x: '%',
        y: 'ms',
        series: Object.entries({ lean, autocannon }).map(([name, { load }]) => ({
          name,
          points: percentileCurve(load.fired.ackMs),
        })),
      },
      memoryPlot('steady-memory', { lean: lean.load.memory, autocannon: autocannon.load.memory }),
    ],
    checks: {
      invariants: lean.report.checks.invariants,
      ordersCompared: lean.report.checks.ordersCompared + autocannon.report.checks.ordersCompared,
    },
    raw: { lean: lean.report, autocannon: autocannon.report },
  }
}

async function runWith(name: GeneratorName, context: ScenarioContext, hooks: SteadyHooks): Promise<Run | Broken> {
  const { size, connections, load: told, say, profile } = context
  const seconds = context.seconds ?? secondsOf[size]
  const requests = told?.requests ?? (seconds === null ? smallestRequests : null)
  const warmUp = told?.warmUpSeconds ?? (seconds === null || requests !== null ? 0 : warmUpSeconds)
  const { steadyRate } = context
  const wanted = (requests ?? closedLoopRequests(seconds ?? 0, steadyRate)) + closedLoopRequests(warmUp, steadyRate)
  const stream = streamOf(context)
  const options = {
    stream,
    prepared: preparedFor(wanted, preparedMax[name]),
    connections,
    url: told?.url ?? null,
    profile,
    say,
  }
  return withSession(options, async (session): Promise<Run | Broken> => {
    tellSurroundings(context, session)
    const generator: Cannon = await session[name]()
    const fire = (forSeconds: number, only: number | null): Promise<Fired> =>
      generator.fire({ seconds: forSeconds, requests: only })
    if (warmUp > 0) await session.warmUp(() => fire(warmUp, null))
    say(`▸ ${name}: sending ${requests === null ? `for ${seconds} s` : `${requests.toLocaleString('en')} requests`}`)
    const load = await session.measure(generator, () => fire(seconds ?? 0, requests))
    await hooks.settled?.(session.target)
    const verdict = await session.verify(load.undecided)
    const report = await reportOf(session, load, { ...stream, connections, generator: name }, verdict)
    say(printed(report))
    return broken(verdict) ?? { report, load }
  })
}

async function reportOf(
  session: Session,
  load: Load,
  workload: Report['workload'],
  verdict: Awaited<ReturnType<Session['verify']>>,
): Promise<Report> {
  return {
    surroundings: session.surroundings,
    durability: session.durability,
    workload,
    accepted: accepted(load),
    routed: await routed(session.target.sql, load),
    ...costs(load, ordersOf(load)),
    peakMib: load.memory.peakMib,
    checks: { ...verdict.checks, seconds: round(verdict.seconds, 1) },
  }
}

function workloadOf({ seed, connections }: ScenarioContext, { accepted: taken, workload }: Report): string {
  const mix = Object.entries(workload.mix).map(([channel, share]) => `${channel} ${share}`)
  return (
    `Closed loop of ${connections} connections for ${taken.seconds} s, seed ${seed}, ${mix.join(', ')}; ` +
    '1–5 lines, SKUs by Zipf 0.9, 94 % plain orders; fresh servers and a fresh service for each generator.'
  )
}

function figuresOf(lean: Run, autocannon: Run): Figure[] {
  const { routed: all, accepted: taken, cpuMicros, bytesAnOrder } = lean.report
  const micros = (of: string) => cpuMicros[of] ?? 0
  return [
    { name: 'routed', value: all.ordersPerSecond, unit: 'orders/s', goal: { value: 10_000, better: 'higher' } },
    { name: 'routed, with autocannon', value: autocannon.report.routed.ordersPerSecond, unit: 'orders/s' },
    { name: 'accepted', value: taken.ordersPerSecond, unit: 'orders/s' },
    ...memoryFigures(lean.load.memory, autocannon.load.memory),
    { name: 'CPU of the service an order', value: micros('service'), unit: 'µs' },
    { name: 'CPU of Postgres an order', value: micros('postgres'), unit: 'µs' },
    { name: 'CPU of Redis an order', value: micros('redis'), unit: 'µs' },
    { name: 'CPU of the lean generator an order', value: micros('generator'), unit: 'µs' },
    { name: 'CPU of autocannon an order', value: autocannon.report.cpuMicros.generator ?? 0, unit: 'µs' },
    { name: 'CPU of the WeChat stand-in an order', value: micros('wechat stand-in'), unit: 'µs' },
    { name: 'database an order', value: bytesAnOrder.database, unit: 'bytes' },
    { name: 'WAL an order', value: bytesAnOrder.wal, unit: 'bytes' },
    { name: 'Redis an order', value: bytesAnOrder.redis, unit: 'bytes' },
  ]
}

function sideBySide(rows: readonly [name: string, value: Cell][], others: ReadonlyMap<string, Cell>): Cell[][] {
  return rows.map(([name, value]) => [name, value, others.get(name) ?? ''])
}

function rowsOf(report: Report): [name: string, value: Cell][] {
  const { accepted: taken, routed: all } = report
  return [
    ['routed, orders/s', all.ordersPerSecond],
    ['accepted, orders/s', taken.ordersPerSecond],
    ['ACK p50 · p99 · max, ms', `${taken.ackMs.p50} · ${taken.ackMs.p99} · ${taken.ackMs.max}`],
    ['events a batch · an intake commit', `${all.eventsABatch} · ${all.eventsAnIntakeCommit}`],
    ...Object.entries(report.cpuMicros).map(([name, micros]): [string, number] => [`CPU ${name}, µs an order`, micros]),
    ...Object.entries(report.stageMicros).map(([name, us]): [string, number] => [`stage ${name}, µs an order`, us]),
    ...Object.entries(report.bytesAnOrder).map(([name, of]): [string, number] => [`${name}, bytes an order`, of]),
    ['refused · errors', `${refusalsOf(taken)} · ${taken.errors}`],
  ]
}
