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
 *   disk      An ACK waits for an fsync, which on a shared machine now and then takes a hundred times as long. So beside every
 *             load a process that does nothing else makes a few bytes durable again and again; and half of the rate is
 *             measured once more with all data in memory, where that is free: what is left then is the way's own.
 */
import { memoryFolder, watchDisk } from '../load/disk.ts'
import { refusalsOf } from '../load/figures.ts'
import type { FiredOpen, OpenRound } from '../load/fired.ts'
import type { LeanCannon } from '../load/processes.ts'
import { type Session, withSession } from '../load/session.ts'
import { type Snapshot, tasksSince, visibleAtMs, watchVisibility } from '../load/visible.ts'
import type { Broken, Measured, Scenario, ScenarioContext } from '../measured/scenario.ts'
import { orderAt } from '../traffic/generator.ts'
import type { TrafficPlan } from '../traffic/plan.ts'
import { broken, preparedFor, requestsAnOrder, streamOf, tellSurroundings } from './common.ts'
import { goals, type Level, shares, shown } from './latency-shown.ts'
import { calibrationRequests, sustainableRate } from './sustainable.ts'

const secondsOf = { smallest: 1, standard: 20, full: 60 } as const
// What is prepared for where no rate is known yet.
const rateUnknown = 4_000
// Postgres' data and its log, for a minute at half of the rate and the warm-up before it.
export const memoryBytes = 6 * 2 ** 30
export const latency: Scenario = {
  name: 'latency',
  question: 'How long does an order take to its ACK and to its task, at rates below the limit?',
  run: measureLatency,
}

async function measureLatency(context: ScenarioContext): Promise<Measured | Broken> {
  const onDisk = await levelsOf(context, shares, context.steadyRate, undefined)
  if ('outcome' in onDisk) return onDisk
  const folder = memoryFolder(memoryBytes)
  if (folder === null) context.say('▸ no folder in memory: what the way takes without the disk is not measured')
  const inMemory = folder === null ? null : await levelsOf(context, [goals.share], onDisk.rate, folder)
  if (inMemory !== null && 'outcome' in inMemory) return inMemory
  const levels = [...onDisk.levels, ...(inMemory?.levels ?? [])]
  const { invariants, ordersCompared } = onDisk.checks
  const checks = { invariants, ordersCompared: ordersCompared + (inMemory?.checks.ordersCompared ?? 0) }
  return { outcome: 'measured', ...shown(levels, onDisk.rate, onDisk.seconds), checks }
}

interface Levels {
  readonly levels: readonly Level[]
  /** Orders a second of which they are the shares. */
  readonly rate: number
  readonly seconds: number
  readonly checks: Measured['checks']
}

/** `folder`: one in memory; undefined: the disk. */
async function levelsOf(
  context: ScenarioContext,
  of: readonly number[],
  steadyRate: number | null,
  folder: string | undefined,
): Promise<Levels | Broken> {
  const { size, connections, say, profile } = context
  const seconds = context.seconds ?? secondsOf[size]
  const known = { ...context, steadyRate }
  const levelRequests =
    of.reduce((sum, share) => sum + share, 0) * seconds * (steadyRate ?? rateUnknown) * requestsAnOrder
  const prepared = preparedFor(levelRequests + calibrationRequests(known))
  const where = folder === undefined ? {} : { folder }
  return withSession(
    { stream: streamOf(context), prepared, connections, profile, say, ...where },
    async (session): Promise<Levels | Broken> => {
      if (folder === undefined) tellSurroundings(context, session)
      const lean = await session.lean()
      const rate = await sustainableRate(known, session, lean)
      const levels: Level[] = []
      for (const share of of) {
        const medium = folder === undefined ? '' : ', all data in memory'
        say(`▸ ${Math.round(share * rate).toLocaleString('en')} orders/s for ${seconds} s${medium}`)
        levels.push({
          isInMemory: folder !== undefined,
          ...(await atShare(session, lean, share, share * rate, seconds, connections)),
        })
      }
      const verdict = await session.verify(levels.reduce((sum, { undecided }) => sum + undecided, 0))
      return broken(verdict) ?? { levels, rate, seconds, checks: verdict.checks }
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
): Promise<Omit<Level, 'isInMemory'>> {
  const { sql, dataDir } = session.target
  const round: OpenRound = {
    curve: [{ seconds, perSecond: ordersPerSecond * requestsAnOrder }],
    connectionsMax,
    patienceMs: 30_000,
    retryAfterMs: null,
    tailSeconds: 30,
  }
  const watch = watchVisibility(sql)
  const disk = await watchDisk(dataDir)
  const { fired, memory, undecided } = await session.measure(lean, () => lean.fireOpen(round))
  const diskMs = (await disk.stop()).map(([, ms]) => ms)
  const { taskMs, unseen } = await webhookToTask(session, fired, await watch.stop())
  const { ackMs, latenessMs, errors } = fired
  const refused = refusalsOf(fired)
  return { share, ordersPerSecond, ackMs, taskMs, latenessMs, diskMs, refused, errors, unseen, memory, undecided }
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
