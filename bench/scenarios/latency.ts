/**
 * latency: how long buyers' orders take while the service is not at its limit.
 *
 *   workload  an open loop at 25, 50 and 75 % of the steady rate, each for 20 s: a request is sent when it is due, whatever
 *             became of those before it. Every latency counts from that instant, so nothing is left out because
 *             something else was slow (no coordinated omission); what the generator itself was late is told beside it.
 *   ACK       from due to the whole answer.
 *   task      from due to the first moment at which a pull would have found the order's last task, as an observer in
 *             Postgres saw it (load/visible.ts): at most some milliseconds too late, never too early. Over orders of
 *             one event: a cancelled one's task was changed after it was made, and its row tells only of the change.
 */
import type { FiredOpen, OpenRound } from '../load/fired.ts'
import type { MemorySeen } from '../load/process-memory.ts'
import type { LeanCannon } from '../load/processes.ts'
import { percentileCurve, quantiles } from '../load/quantiles.ts'
import { type Session, withSession } from '../load/session.ts'
import { type Snapshot, tasksSince, visibleAtMs, watchVisibility } from '../load/visible.ts'
import { orderAt } from '../traffic/generator.ts'
import type { TrafficPlan } from '../traffic/plan.ts'
import { broken, memoryFigures, preparedFor, requestsAnOrder, rounded, streamOf, tellSurroundings } from './common.ts'
import type { Broken, Figure, Measured, Plot, Scenario, ScenarioContext } from './scenario.ts'
import { calibrationRequests, sustainableRate } from './sustainable.ts'

const shares = [0.25, 0.5, 0.75] as const
const secondsOf = { smallest: 1, standard: 20, full: 60 } as const
// What is prepared for where no rate is known yet.
const rateUnknown = 4_000
// At half the steady rate; see the goals of the project.
const goals = { share: 0.5, ackP99Ms: 20, taskP99Ms: 250 } as const

interface Level {
  readonly share: number
  readonly ordersPerSecond: number
  readonly ackMs: Float64Array
  /** By channel. */
  readonly taskMs: Readonly<Record<string, number[]>>
  readonly latenessMs: Float64Array
  readonly refused: number
  readonly errors: number
  /** Tasks that the observer never saw: 0, or the figures lack some. */
  readonly unseen: number
  readonly memory: MemorySeen
  readonly undecided: number
}

export const latency: Scenario = {
  name: 'latency',
  question: 'How long does an order take to its ACK and to its task, at rates below the limit?',
  run: measureLatency,
}

async function measureLatency(context: ScenarioContext): Promise<Measured | Broken> {
  const { size, connections, say, profile, steadyRate } = context
  const seconds = context.seconds ?? secondsOf[size]
  const expected = steadyRate ?? rateUnknown
  const levelRequests = shares.reduce((sum, share) => sum + share, 0) * seconds * expected * requestsAnOrder
  const prepared = levelRequests + calibrationRequests(context)
  const stream = streamOf(context)
  return withSession(
    { stream, prepared: preparedFor(prepared), connections, profile, say },
    async (session): Promise<Measured | Broken> => {
      tellSurroundings(context, session)
      const lean = await session.lean()
      const rate = await sustainableRate(context, session, lean)
      const levels: Level[] = []
      for (const share of shares) {
        say(`▸ ${Math.round(share * rate).toLocaleString('en')} orders/s for ${seconds} s`)
        levels.push(await atShare(session, lean, share, share * rate, seconds, connections))
      }
      const verdict = await session.verify(levels.reduce((sum, { undecided }) => sum + undecided, 0))
      return broken(verdict) ?? { outcome: 'measured', ...shown(levels, rate, seconds), checks: verdict.checks }
    },
  )
}

async function atShare(
  session: Session,
  lean: LeanCannon,
  share: number,
  ordersPerSecond: number,
  seconds: number,
  connectionsMax: number,
): Promise<Level> {
  const { sql } = session.target
  const round: OpenRound = {
    curve: [{ seconds, perSecond: ordersPerSecond * requestsAnOrder }],
    connectionsMax,
    patienceMs: 30_000,
    retryAfterMs: null,
    tailSeconds: 30,
  }
  const watch = watchVisibility(sql)
  const { fired, memory, undecided } = await session.measure(lean, () => lean.fireOpen(round))
  const { taskMs, unseen } = await webhookToTask(session, fired, await watch.stop())
  const { ackMs, latenessMs, errors } = fired
  const refused = Object.values(fired.refused).reduce((a, b) => a + b, 0)
  return { share, ordersPerSecond, ackMs, taskMs, latenessMs, refused, errors, unseen, memory, undecided }
}

async function webhookToTask({ plan, target }: Session, fired: FiredOpen, seen: readonly Snapshot[]) {
  const due = dueOfPlain(plan, fired)
  const visible = new Map<string, number>()
  const taskMs: Record<string, number[]> = {}
  let unseen = 0
  // A second's grace: the clocks of Postgres and of the generator are the same, their roundings are not.
  for (const { orderId, xid } of await tasksSince(target.sql, fired.startedAtMs - 1000)) {
    if (!due.has(orderId)) continue
    const atMs = visibleAtMs(seen, xid)
    if (atMs === null) unseen += 1
    // An order of several parcels is out when the last of them is.
    else visible.set(orderId, Math.max(visible.get(orderId) ?? 0, atMs))
  }
  for (const [orderId, atMs] of visible) {
    const { channel, dueAtMs } = due.get(orderId)!
    const of = taskMs[channel] ?? []
    taskMs[channel] = of
    of.push(atMs - dueAtMs)
  }
  return { taskMs, unseen }
}

/** Orders whose whole story is one event, by the platform's id. */
function dueOfPlain(plan: TrafficPlan, fired: FiredOpen) {
  const due = new Map<string, { readonly channel: string; readonly dueAtMs: number }>()
  fired.acknowledged.forEach((index, at) => {
    const { scenario, orderId, channel } = orderAt(plan, index)
    if (scenario === 'plain') due.set(orderId, { channel, dueAtMs: fired.dueAtMs[at]! })
  })
  return due
}

function shown(levels: readonly Level[], rate: number, seconds: number) {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  return {
    workload:
      `Open loop at ${shares.map(percent).join(', ')} of ${rate.toLocaleString('en')} orders/s, ${seconds} s each; ` +
      'latencies from the instant at which a request was due.',
    figures: [...levels.flatMap(figuresOf), ...memoryFigures(...levels.map(({ memory }) => memory))],
    tables: [tableOf('ACK', levels, ackOf), tableOf('Webhook → task', levels, tasksOf), channelTable(levels)],
    plots: [
      curve('latency-ack', 'ACK, from the instant at which it was due', levels, ackOf),
      curve('latency-task', 'Webhook → task that can be pulled', levels, tasksOf),
    ],
    raw: levels.map((level) => ({
      share: level.share,
      ordersPerSecond: level.ordersPerSecond,
      ackMs: percentileCurve(level.ackMs),
      taskMs: percentileCurve(tasksOf(level)),
      latenessMs: percentileCurve(level.latenessMs),
      refused: level.refused,
      errors: level.errors,
      unseen: level.unseen,
    })),
  }
}

const ackOf = ({ ackMs }: Level): Float64Array => ackMs
const tasksOf = ({ taskMs }: Level): number[] => Object.values(taskMs).flat()

function figuresOf(level: Level): Figure[] {
  const at = `at ${Math.round(level.share * 100)} %`
  const figure = (name: string, of: Float64Array | readonly number[], q: number, goalMs: number | null): Figure => ({
    name: `${name} p${q * 100} ${at}`,
    value: rounded(quantiles(of).at(q) ?? Number.NaN, 1),
    unit: 'ms',
    ...(goalMs === null || level.share !== goals.share ? {} : { goal: { value: goalMs, better: 'lower' as const } }),
  })
  return [
    figure('ACK', level.ackMs, 0.5, null),
    figure('ACK', level.ackMs, 0.99, goals.ackP99Ms),
    figure('webhook → task', tasksOf(level), 0.5, null),
    figure('webhook → task', tasksOf(level), 0.99, goals.taskP99Ms),
  ]
}

type Values = (level: Level) => Float64Array | readonly number[]

function tableOf(title: string, levels: readonly Level[], of: Values): Measured['tables'][number] {
  return {
    title: `${title}, ms`,
    columns: [
      'orders/s',
      'measured',
      'p50',
      'p90',
      'p99',
      'p99.9',
      'max',
      'generator late p99',
      'refused',
      'errors',
      'unseen',
    ],
    rows: levels.map((level) => {
      const all = quantiles(of(level))
      return [
        Math.round(level.ordersPerSecond),
        all.count,
        ...[0.5, 0.9, 0.99, 0.999].map((q) => text(all.at(q))),
        text(all.max),
        text(quantiles(level.latenessMs).at(0.99)),
        level.refused,
        level.errors,
        level.unseen,
      ]
    }),
  }
}

function channelTable(levels: readonly Level[]): Measured['tables'][number] {
  return {
    title: 'Webhook → task by channel, ms (WeChat: the order is pulled from its API in between)',
    columns: ['orders/s', 'channel', 'p50', 'p99', 'max'],
    rows: levels.flatMap((level) =>
      Object.entries(level.taskMs).map(([channel, values]) => {
        const all = quantiles(values)
        return [Math.round(level.ordersPerSecond), channel, text(all.at(0.5)), text(all.at(0.99)), text(all.max)]
      }),
    ),
  }
}

function text(ms: number | null): number | string {
  return ms === null ? '–' : rounded(ms, 1)
}

function curve(name: string, title: string, levels: readonly Level[], of: Values): Plot {
  return {
    name,
    title,
    kind: 'percentile',
    x: '%',
    y: 'ms',
    series: levels.map((level) => ({
      name: `${Math.round(level.ordersPerSecond)} orders/s`,
      points: percentileCurve(of(level)),
    })),
  }
}
