/**
 * backlog: a service that starts with everything still to be decided, as after an outage of its threads or its Redis.
 *
 *   workload  2,000, 200,000 or 1,000,000 undecided events: the bodies of everyday orders with their whole stories, WeChat
 *             orders already pulled; put into inbox and pending by the service's own intake query before it starts
 *   measured  from the first decision to the last, by Postgres' clock; nothing else arrives meanwhile
 */
import { setTimeout as delay } from 'node:timers/promises'
import { check, checkedInvariants } from '../load/check.ts'
import { memoryFigures, memoryPlot, rounded } from '../load/figures.ts'
import { durability } from '../load/gauge.ts'
import { surroundings } from '../load/machine.ts'
import { watchMemory } from '../load/process-memory.ts'
import { grownByLabel, parseScrape, scrape } from '../load/scrape.ts'
import { settle } from '../load/settle.ts'
import { networkOf, planOf } from '../load/stream.ts'
import { ownTarget, type Target } from '../load/target.ts'
import type { Broken, Measured, Plot, Scenario, ScenarioContext } from '../measured/scenario.ts'
import { fillBacklog } from './backlog-fill.ts'
import { streamOf } from './common.ts'

const eventsOf = { smallest: 2_000, standard: 200_000, full: 1_000_000 } as const
// Every WeChat order is there already, so none is fetched.
const nobodyUrl = 'http://127.0.0.1:9'
const pollMs = 250
const sayEveryMs = 5_000
const stuckMs = 30_000

export const backlog: Scenario = {
  name: 'backlog',
  question: 'How fast does a service that starts with a large backlog work it off, and in how much memory?',
  run: measureBacklog,
}

async function measureBacklog(context: ScenarioContext): Promise<Measured | Broken> {
  const { size, seed, profile, say } = context
  const stream = streamOf(context)
  const plan = planOf(stream)
  const wanted = eventsOf[size]
  let filled = { events: 0, orders: 0, seconds: 0 }
  let startedAtMs = 0
  const target = await ownTarget(nobodyUrl, profile, {
    network: networkOf(stream, nobodyUrl),
    // New events are none of this scenario's business; a backlog beyond the limit would only refuse them.
    beforeStart: async (sql) => {
      say(`▸ storing ${wanted.toLocaleString('en')} undecided events`)
      filled = await fillBacklog(sql, plan, wanted)
      await sql`analyze`
      say(
        `▸ ${filled.events.toLocaleString('en')} of ${filled.orders.toLocaleString('en')} orders; starting the service`,
      )
      startedAtMs = Date.now()
    },
  })
  const memory = watchMemory(target.processes.service)
  try {
    const readySeconds = (Date.now() - startedAtMs) / 1000
    context.surroundings?.({
      ...(await surroundings(target.sql, target.redisUrl)),
      ...(await durability(target.sql, target.redisUrl)),
    })
    const undecided = await drained(target, filled.events, say)
    const seen = memory.stop()
    const curve = await decidedCurve(target)
    say('▸ checking the invariants')
    const orders = new Set(Array.from({ length: filled.orders }, (_, index) => index))
    const violations = await check(target, plan, orders, undecided)
    if (violations.length > 0) return { outcome: 'broken', violations }
    const { seconds, events, firstAtMs } = curve
    const halves = halfRates(curve.points)
    return {
      outcome: 'measured',
      workload:
        `${filled.events.toLocaleString('en')} undecided events of ${filled.orders.toLocaleString('en')} everyday orders, seed ${seed}, ` +
        'in inbox and pending before the service starts; nothing else arrives.',
      figures: [
        { name: 'drained', value: rounded(events / seconds), unit: 'events/s' },
        { name: 'drained, in orders', value: rounded(filled.orders / seconds), unit: 'orders/s' },
        { name: 'until nothing was left', value: rounded(seconds, 1), unit: 's' },
        { name: 'start to first decision', value: rounded((firstAtMs - startedAtMs) / 1000, 2), unit: 's' },
        { name: 'start to ready', value: rounded(readySeconds, 2), unit: 's' },
        ...(halves === null ? [] : [{ name: 'rate, second half ÷ first', value: rounded(halves, 2), unit: '×' }]),
        ...memoryFigures(seen),
      ],
      tables: [],
      plots: [
        remainingPlot(filled.events, curve.points),
        ratePlot(curve.points),
        memoryPlot('backlog-memory', { service: seen }),
      ],
      checks: { invariants: checkedInvariants, ordersCompared: orders.size },
      raw: { ...filled, readySeconds, decidedByBucket: curve.points, bucketSeconds },
    }
  } finally {
    memory.stop()
    await target.stop()
  }
}

/** Watches the service's own count: asking a table of a million rows for its count would be a load of its own. */
async function drained(target: Target, events: number, say: (text: string) => void): Promise<number> {
  let most = 0
  let movedAt = performance.now()
  let saidAt = movedAt
  for (;;) {
    const counts = grownByLabel(parseScrape(''), await scrape(target.url), 'paidan_events_decided_total', 'outcome')
    const decided = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const now = performance.now()
    if (decided > most) movedAt = now
    most = Math.max(most, decided)
    if (decided >= events || now - movedAt > stuckMs) return await settle(target.sql)
    if (now - saidAt > sayEveryMs) {
      say(`  ${decided.toLocaleString('en')} of ${events.toLocaleString('en')} decided`)
      saidAt = now
    }
    await delay(pollMs)
  }
}

const bucketSeconds = 0.5

interface Curve {
  readonly events: number
  readonly seconds: number
  readonly firstAtMs: number
  /** Seconds since the first decision, decided in the half second that begins there. */
  readonly points: readonly (readonly [seconds: number, decided: number])[]
}

async function decidedCurve({ sql }: Target): Promise<Curve> {
  const [ends] = await sql<{ first: number; last: number; events: number }[]>`
    select extract(epoch from min(at))::float8 as first, extract(epoch from max(at))::float8 as last, count(*)::int as events
    from decision`
  const { first, last, events } = ends!
  const rows = await sql<{ bucket: number; decided: number }[]>`
    select floor((extract(epoch from at)::float8 - ${first}::float8) / ${bucketSeconds}::float8)::int as bucket,
      count(*)::int as decided
    from decision group by 1 order by 1`
  const byBucket = new Map(rows.map(({ bucket, decided }) => [bucket, decided]))
  const buckets = Math.floor((last - first) / bucketSeconds) + 1
  const points = Array.from({ length: buckets }, (_, n) => [n * bucketSeconds, byBucket.get(n) ?? 0] as const)
  // A decision is dated with the beginning of its transaction: all within one instant still took a moment.
  return { events, seconds: Math.max(last - first, 0.001), firstAtMs: first * 1000, points }
}

/** Whether it slows down; the last bucket is not a whole one. null: too short to say. */
function halfRates(points: Curve['points']): number | null {
  const whole = points.slice(0, -1).map(([, decided]) => decided)
  if (whole.length < 8) return null
  const half = whole.length >> 1
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
  return mean(whole.slice(half)) / mean(whole.slice(0, half))
}

function remainingPlot(events: number, points: Curve['points']): Plot {
  let left = events
  const remaining = points.map(([seconds, decided]): [number, number] => {
    left -= decided
    return [seconds + bucketSeconds, Math.max(0, left)]
  })
  return {
    name: 'backlog-remaining',
    title: 'Undecided events after the start',
    kind: 'line',
    x: 's since the first decision',
    y: 'events',
    series: [{ name: 'undecided', points: [[0, events], ...remaining] }],
  }
}

function ratePlot(points: Curve['points']): Plot {
  return {
    name: 'backlog-rate',
    title: 'Decisions while the backlog is worked off',
    kind: 'step',
    x: 's since the first decision',
    y: 'events/s',
    series: [{ name: 'decided', points: points.map(([seconds, decided]) => [seconds, decided / bucketSeconds]) }],
  }
}
