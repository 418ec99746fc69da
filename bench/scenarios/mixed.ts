/**
 * mixed: an ordinary day at a steady pace, everything at once, and whether anything grows that should not.
 *
 *   workload  an open loop of everyday orders; beside it warehouses that pull, accept, ship, refuse 2 % and intercept what
 *             the buyers of up to 10 % cancel while it is in hand, carriers that report every parcel twice, bills every few
 *             seconds (bench/mixed/)
 *   pace      a tenth of what steady sustained, since an order makes some ten requests here; 100 orders/s when that is
 *             not known
 *   growth    of what follows the first fifth, in which heaps and caches fill, the second half against the first: memory
 *             of the service, ACKs, pulls, bytes an order, and the tables that only change (stock, node, pending). A
 *             latency is that of the half's middle moment, p99 of each, and the disk's by itself stands beside it: a
 *             shared machine has slow minutes, and what grows grows at every moment
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type DiskSeen, watchDisk } from '../load/disk.ts'
import { ordersOf } from '../load/figures.ts'
import { type Session, type Verdict, withSession } from '../load/session.ts'
import type { Broken, Measured, Scenario, ScenarioContext } from '../measured/scenario.ts'
import { beginDay, type DayOver } from '../mixed/day.ts'
import { figuresOf, plotsOf, type Seen, tablesOf } from '../mixed/growth.ts'
import { type SizesSeen, watchSizes } from '../mixed/sizes.ts'
import { broken, preparedFor, requestsAnOrder, streamOf, tellSurroundings } from './common.ts'

const sizes = {
  smallest: { seconds: 5, perSecond: 30, lookEveryMs: 500, billEveryMs: 1_000 },
  standard: { seconds: 60, perSecond: null, lookEveryMs: 2_000, billEveryMs: 5_000 },
  full: { seconds: 600, perSecond: null, lookEveryMs: 5_000, billEveryMs: 10_000 },
} as const
// What lies ready for longer would be refused, see belt.ts; at this pace the rest is made as it is sent.
const preparedSecondsMax = 240
const paceOfSteady = 0.1
const paceUnknown = 100
const patienceMs = 5_000
const retryAfterMs = 1_000
const tailSeconds = 3
// The sweep comes by every five seconds and tells Redis what a moment ago was still on its way.
const verifyAgainMs = 6_000

export const mixed: Scenario = {
  name: 'mixed',
  question:
    'Does anything grow that should not, when orders, cancels, pulls, shipments, tracks and bills come at once?',
  run: measureMixed,
}

async function measureMixed(context: ScenarioContext): Promise<Measured | Broken> {
  const { size, connections, profile, say, steadyRate, seed } = context
  const { lookEveryMs, billEveryMs, ...usual } = sizes[size]
  const seconds = context.seconds ?? usual.seconds
  const perSecond =
    usual.perSecond ?? Math.max(1, Math.round((steadyRate ?? paceUnknown / paceOfSteady) * paceOfSteady))
  const stream = streamOf(context)
  const adminToken = randomBytes(24).toString('base64url')
  const requestsPerSecond = perSecond * requestsAnOrder
  const options = {
    stream,
    prepared: preparedFor(requestsPerSecond * Math.min(seconds, preparedSecondsMax) + connections),
    connections,
    profile,
    environment: { ADMIN_TOKEN: adminToken },
    say,
  }
  return await withSession(options, async (session): Promise<Measured | Broken> => {
    tellSurroundings(context, session)
    const generator = await session.lean()
    say(`▸ ${perSecond} orders/s for ${seconds} s, and all that follows from them`)
    const ended: DayOver[] = []
    let tables: readonly SizesSeen[] = []
    let disk: DiskSeen = []
    const load = await session.measure(generator, async () => {
      const day = beginDay({ url: session.target.url, adminToken, stream, plan: session.plan, billEveryMs })
      const watch = watchSizes(session.target.sql, lookEveryMs)
      const diskWatch = await watchDisk(session.target.dataDir)
      try {
        return await generator.fireOpen({
          curve: [{ seconds, perSecond: requestsPerSecond }],
          connectionsMax: connections,
          patienceMs,
          retryAfterMs,
          tailSeconds,
        })
      } finally {
        ended.push(await day.end())
        tables = await watch.stop()
        disk = await diskWatch.stop()
      }
    })
    const verdict = await verifySettled(session, load.undecided)
    const unsound = broken(verdict)
    if (unsound !== null) return unsound
    const seen: Seen = { load, tables, disk, day: ended[0]!, seconds }
    return {
      outcome: 'measured',
      workload:
        `Open loop of ${perSecond} orders/s for ${seconds} s, seed ${seed}; warehouses, cancels, tracks and bills beside it. ` +
        `${ordersOf(load).toLocaleString('en')} orders were taken, ${seen.day.shippedOrders.toLocaleString('en')} of them shipped.`,
      figures: figuresOf(seen),
      tables: tablesOf(seen),
      plots: plotsOf(seen),
      checks: verdict.checks,
      raw: {
        perSecond,
        seconds,
        answers: seen.day.answers,
        tables,
        refused: load.fired.refused,
        errors: load.fired.errors,
      },
    }
  })
}

/** What Redis had not heard of yet a moment after the last parcel, it has heard after a sweep; anything else stays broken. */
async function verifySettled(session: Session, undecided: number): Promise<Verdict> {
  const first = await session.verify(undecided)
  if (first.violations.length === 0) return first
  await delay(verifyAgainMs)
  return await session.verify(undecided)
}
