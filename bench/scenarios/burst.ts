/**
 * burst: a sale's first minutes. Before the hour half of what the service sustains, then at once three times of it, which
 * falls off as sales do; meanwhile a refused or unanswered webhook is sent again after five seconds (platforms take longer:
 * it is shortened so that a minute shows it), until it is acknowledged.
 *
 * The service is told to hold no more undecided events than it decides in ten seconds (BACKLOG_MAX), so that whatever it
 * acknowledges has its task soon: the rest waits at the platform, in the platform's own queue, and none of it is lost.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { requestsOf } from '../load/arrivals.ts'
import { memoryFigures, memoryPlot, refusalsOf, rounded } from '../load/figures.ts'
import type { FiredOpen, OpenRound, Pace } from '../load/fired.ts'
import { quantiles } from '../load/quantiles.ts'
import { type Load, type Session, withSession } from '../load/session.ts'
import type { Broken, Figure, Measured, Scenario, ScenarioContext, Series } from '../measured/scenario.ts'
import { broken, preparedFor, requestsAnOrder, streamOf, tellSurroundings } from './common.ts'
import { calibrationRequests, sustainableRate } from './sustainable.ts'

const secondsOf = { smallest: 2, standard: 45, full: 120 } as const
const peak = 3
const backlogSeconds = 10
/** Where no rate is known before the service is started. */
const backlogMaxUnknown = 20_000
const rateUnknown = 4_000
const connectionsMaxOf = { smallest: 64, standard: 2_048, full: 4_096 } as const
const platformPatienceMs = 5_000
const retryAfterMsOf = { smallest: 200, standard: 5_000, full: 5_000 } as const
const watchEveryMsOf = { smallest: 50, standard: 500, full: 500 } as const

export const burst: Scenario = {
  name: 'burst',
  question: 'What happens in the first minutes of a sale, at a multiple of what the service sustains?',
  run: measureBurst,
}

/** Second by second, in multiples of the sustainable rate. */
export function saleCurve(seconds: number, perSecond: number): Pace[] {
  const stepSeconds = Math.min(1, seconds / 20)
  const steps = Math.round(seconds / stepSeconds)
  return Array.from({ length: steps }, (_, n) => {
    const at = n / steps
    // Half before the hour, the peak for a sixth of the time, then down to a third.
    const multiple = at < 0.08 ? 0.5 : at < 0.25 ? peak : Math.max(0.3, peak * Math.exp(-(at - 0.25) * 7))
    return { seconds: stepSeconds, perSecond: perSecond * multiple }
  })
}

async function measureBurst(context: ScenarioContext): Promise<Measured | Broken> {
  const { size, connections, profile, say, steadyRate } = context
  const seconds = context.seconds ?? secondsOf[size]
  const backlogMax = steadyRate === null ? backlogMaxUnknown : Math.ceil(steadyRate * backlogSeconds)
  const sale = requestsOf(saleCurve(seconds, steadyRate ?? rateUnknown)) * requestsAnOrder
  const stream = streamOf(context)
  const options = {
    stream,
    prepared: preparedFor(sale + calibrationRequests(context)),
    connections,
    profile,
    environment: { BACKLOG_MAX: String(backlogMax) },
    say,
  }
  return withSession(options, async (session): Promise<Measured | Broken> => {
    tellSurroundings(context, session)
    const lean = await session.lean()
    const rate = await sustainableRate(context, session, lean)
    const curve = saleCurve(seconds, rate * requestsAnOrder)
    say(`▸ a sale of ${Math.round(requestsOf(curve)).toLocaleString('en')} requests in ${seconds} s`)
    const round: OpenRound = {
      curve,
      connectionsMax: connectionsMaxOf[size],
      patienceMs: platformPatienceMs,
      retryAfterMs: retryAfterMsOf[size],
      tailSeconds: Math.max(30, seconds * 4),
    }
    const watch = watchBacklog(session.target.sql, watchEveryMsOf[size])
    const load = await session.measure(lean, () => lean.fireOpen(round))
    const backlog = await watch.stop()
    const perSecond = await routedBySecond(session, load.fired.startedAtMs)
    const verdict = await session.verify(load.undecided)
    if (load.fired.givenUp > 0) say(`▸ ${load.fired.givenUp} requests were never acknowledged`)
    const shown = { load, backlog, routed: perSecond, rate, seconds, backlogMax, connectionsMax: round.connectionsMax }
    return broken(verdict) ?? { outcome: 'measured', ...show(shown), checks: verdict.checks }
  })
}

type Points = readonly (readonly [epochMs: number, events: number])[]

function watchBacklog(sql: Sql, everyMs: number) {
  const seen: (readonly [number, number])[] = []
  let stopped = false
  const watching = (async () => {
    while (!stopped) {
      const [row] = await sql<{ count: number }[]>`select count(*)::int from pending`
      seen.push([Date.now(), row!.count])
      await delay(everyMs)
    }
  })()
  return {
    stop: async (): Promise<Points> => {
      stopped = true
      await watching
      return seen
    },
  }
}

/** Orders by the second in which the transaction that made their first task began. */
async function routedBySecond({ target }: Session, startedAtMs: number): Promise<[second: number, orders: number][]> {
  const rows = await target.sql<{ second: number; orders: number }[]>`
    select floor(extract(epoch from first - ${new Date(startedAtMs)}::timestamptz))::int as second, count(*)::int as orders
    from (select min(created_at) as first from task group by order_id) t where first >= ${new Date(startedAtMs)}
    group by 1 order by 1`
  const found = new Map(rows.map(({ second, orders }) => [second, orders]))
  return Array.from({ length: (rows.at(-1)?.second ?? -1) + 1 }, (_, second) => [second, found.get(second) ?? 0])
}

interface Shown {
  readonly load: Load<FiredOpen>
  readonly backlog: Points
  readonly routed: readonly [number, number][]
  readonly rate: number
  readonly seconds: number
  readonly backlogMax: number
  readonly connectionsMax: number
}

function show(shown: Shown) {
  const { load, backlog, routed, rate, seconds, backlogMax, connectionsMax } = shown
  const { fired, memory } = load
  const since = ([atMs, events]: readonly [number, number]) => [(atMs - fired.startedAtMs) / 1000, events] as const
  const of = (name: string, pick: (second: FiredOpen['seconds'][number]) => number): Series => ({
    name,
    points: fired.seconds.map((second, at) => [at, pick(second)]),
  })
  return {
    workload:
      `Open loop: half of ${rate.toLocaleString('en')} orders/s, then at once ${peak} times of it, falling off, ${seconds} s; ` +
      `up to ${connectionsMax.toLocaleString('en')} connections, hung up after ${platformPatienceMs / 1000} s, refused ones sent again; ` +
      `BACKLOG_MAX=${backlogMax}.`,
    figures: [...figuresOf(shown), ...memoryFigures(memory)],
    tables: [
      {
        title: 'What became of the requests',
        columns: ['what', 'answers'],
        rows: [
          ['acknowledged', fired.acknowledged.length],
          ...Object.entries(fired.refused).map(([what, count]): [string, number] => [`refused: ${what}`, count]),
          ['unanswered within the patience', fired.errors],
          ['never acknowledged', fired.givenUp],
        ],
      },
    ],
    plots: [
      {
        name: 'burst-rates',
        title: 'A sale, second by second',
        kind: 'line' as const,
        x: 's',
        y: 'a second',
        series: [
          of('requests due', ({ due }) => due),
          of('acknowledged', ({ acknowledged }) => acknowledged),
          of('refused', ({ refused }) => refused),
          of('unanswered', ({ unanswered }) => unanswered),
          { name: 'orders routed', points: routed },
        ],
      },
      {
        name: 'burst-backlog',
        title: 'Acknowledged and not yet decided',
        kind: 'line' as const,
        x: 's',
        y: 'events',
        series: [{ name: 'undecided events', points: backlog.map(since) }],
      },
      memoryPlot('burst-memory', { service: memory }),
    ],
    raw: { seconds: fired.seconds, refused: fired.refused, errors: fired.errors, backlog: backlog.map(since), routed },
  }
}

function figuresOf({ load, backlog, seconds }: Shown): Figure[] {
  const { fired } = load
  const ack = quantiles(fired.ackMs)
  const refused = refusalsOf(fired)
  const drained = backlog.find(([atMs, events]) => atMs >= fired.endedAtMs && events === 0)?.[0] ?? load.after.atMs
  const most = backlog.reduce((max, [, events]) => Math.max(max, events), 0)
  return [
    { name: 'requests', value: fired.acknowledged.length + fired.givenUp, unit: 'requests' },
    { name: 'refused, and sent again', value: refused, unit: 'answers' },
    { name: 'unanswered within the patience', value: fired.errors, unit: 'requests' },
    { name: 'never acknowledged', value: fired.givenUp, unit: 'requests', goal: { value: 0, better: 'lower' } },
    { name: 'most undecided at once', value: most, unit: 'events' },
    { name: 'ACK p50, retries included', value: rounded(ack.at(0.5) ?? Number.NaN, 1), unit: 'ms' },
    { name: 'ACK p99, retries included', value: rounded(ack.at(0.99) ?? Number.NaN, 1), unit: 'ms' },
    {
      name: 'last ACK after the last arrival',
      value: rounded(Math.max(0, (fired.endedAtMs - fired.startedAtMs) / 1000 - seconds), 1),
      unit: 's',
    },
    {
      name: 'drained after the last ACK',
      value: rounded(Math.max(0, (drained - fired.endedAtMs) / 1000), 1),
      unit: 's',
    },
  ]
}
