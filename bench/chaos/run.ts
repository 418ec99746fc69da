/**
 * A run: world after world, fault after fault under load; after each the service has to take and decide an order again,
 * after each group everything is checked, at the end of each world all work is done and everything is checked again.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Violation } from '../../adapters/store/audit.ts'
import { type Random, randomFrom } from '../../workers/demo/random.ts'
import { orderOf } from '../../workers/faults/testing/ledger.ts'
import { type Surroundings, surroundings } from '../load/machine.ts'
import type { Fault } from './faults/fault.ts'
import type { ChaosOptions } from './options.ts'
import { say as tellPlatform } from './platforms.ts'
import { quickCheck } from './quick-check.ts'
import { scheduleOf, type WorldPlan } from './schedule.ts'
import { settle } from './settle.ts'
import { mountSmallDisk, type SmallDisk } from './small-disk.ts'
import { type ChaosReport, Tally } from './tally.ts'
import { startWorld, type World } from './world.ts'

export interface ChaosHooks {
  readonly say?: (text: string) => void
  /** Between the end of the load and the last checks of a world; for tests of the checks themselves. */
  readonly beforeLastChecks?: (world: World) => Promise<void>
}

const pointsPerGroup = 20

export async function runChaos(options: ChaosOptions, hooks: ChaosHooks = {}): Promise<ChaosReport> {
  const { say = () => undefined } = hooks
  const started = performance.now()
  const deadline = options.minutes === null ? Number.POSITIVE_INFINITY : started + options.minutes * 60_000
  const plans = scheduleOf(options.faults, options.points, options.seed)
  const tally = new Tally()
  const skipped: { kind: string; points: number; why: string }[] = []
  let where: Surroundings | null = null
  for (const [i, plan] of plans.entries()) {
    if (performance.now() > deadline) break
    const number = i + 1
    const disk = plan.disk ? mountSmallDisk() : null
    const faults = typeof disk === 'string' ? plan.faults.filter((fault) => fault.needs !== 'disk') : plan.faults
    if (typeof disk === 'string') {
      const points = plan.faults.length - faults.length
      skipped.push({ kind: 'disk-full', points, why: disk })
      say(`▸ disk-full cannot be done here: ${disk}`)
    }
    const ownDisk = typeof disk === 'string' ? null : disk
    const words = [plan.pair ? 'two processes' : 'one process', plan.wires ? 'over wires' : 'on sockets']
    say(
      `▸ world ${number} of ${plans.length}: ${words.join(', ')}${ownDisk === null ? '' : ', on a small disk'}, ${faults.length} points`,
    )
    try {
      where =
        (await runWorld({
          plan: { ...plan, faults },
          number,
          disk: ownDisk,
          seed: options.seed,
          tally,
          deadline,
          hooks,
          where,
        })) ?? where
    } finally {
      ownDisk?.remove()
    }
  }
  return {
    seed: options.seed,
    planned: options.points,
    seconds: Math.round((performance.now() - started) / 1000),
    surroundings: where,
    kinds: tally.kinds,
    totals: tally.totals,
    failures: tally.failures,
    skipped,
  }
}

interface WorldRun {
  readonly plan: WorldPlan
  readonly number: number
  readonly disk: SmallDisk | null
  readonly seed: number
  readonly tally: Tally
  readonly deadline: number
  readonly hooks: ChaosHooks
  readonly where: Surroundings | null
}

async function runWorld(run: WorldRun): Promise<Surroundings> {
  const { plan, number, disk, seed, tally, hooks } = run
  const { say = () => undefined } = hooks
  const world = await startWorld({ pair: plan.pair, wires: plan.wires, disk })
  const random = randomFrom(seed, number)
  try {
    const where = run.where ?? (await surroundings(world.sql, world.redis.url))
    let load = world.load(random)
    let group: Fault[] = []
    const check = async (violations: readonly Violation[]): Promise<boolean> => {
      tally.totals.checks += 1
      tally.failed(number, group, violations)
      for (const { invariant, count, examples } of violations) {
        say(`✗ seed ${seed}, world ${number}, after ${group.map((f) => f.name).join(', ')}:`)
        say(`  ${invariant}: ${count}, for example ${JSON.stringify(examples)}`)
      }
      return violations.length === 0
    }
    for (const [i, fault] of plan.faults.entries()) {
      if (performance.now() > run.deadline) break
      if (group.length === pointsPerGroup) {
        if (!(await check(await settle(world, load, random, false)))) return where
        group = []
        await world.fleet.startAll()
        load = world.load(random)
      }
      group.push(fault)
      const point = await onePoint(world, fault, random)
      if (point.violations.length > 0) {
        await check(point.violations)
        return where
      }
      tally.recovered(fault, point.recoveryMs)
      say(`  ${tally.points}  ${fault.name.padEnd(28)} recovered in ${Math.round(point.recoveryMs)} ms`)
      if (i % 10 === 9)
        say(`     ${world.book.acknowledged} events acknowledged, ${world.book.shipped} packages shipped`)
    }
    await check(await settle(world, load, random, true, () => hooks.beforeLastChecks?.(world)))
    return where
  } finally {
    count(tally, world)
    await world.close()
  }
}

function count({ totals }: Tally, { book }: World): void {
  totals.worlds += 1
  totals.acknowledged += book.acknowledged
  totals.refused += book.refused
  totals.unanswered += book.unanswered
  totals.orders += book.orders.size
  totals.shipments += book.shipments.size
  totals.driftsMended += book.driftsMended
}

interface Point {
  readonly recoveryMs: number
  readonly violations: readonly Violation[]
}

// So much more of something has happened since the last fault, and a moment later: the machine's speed does not matter.
const progressMax = 40
const momentMsMax = 20
// Far beyond what any recovery takes; a service that is stuck shall say so.
const stuckMs = 120_000

async function onePoint(world: World, fault: Fault, random: Random): Promise<Point> {
  const { book, fleet } = world
  await fleet.startAll()
  const what = random.pick(['acknowledged', 'pulled', 'shipped'] as const)
  const enough = book[what] + random.below(progressMax)
  if (!(await comes(() => book[what] >= enough)))
    return { recoveryMs: 0, violations: [stuck(`nothing more is ${what}`)] }
  await delay(random.below(momentMsMax))
  book.fault = fault.name
  await fault.strike(world, random)
  const over = performance.now()
  if (!(await decidesAgain(world))) return { recoveryMs: 0, violations: [stuck('an order is not decided')] }
  const recoveryMs = performance.now() - over
  return { recoveryMs, violations: await quickCheck(world) }
}

function stuck(what: string): Violation {
  return { invariant: 'it_recovers', count: 1, examples: [{ what, seconds: stuckMs / 1000 }] }
}

const lookAgainMs = 5

async function comes(isThere: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + stuckMs
  while (!(await isThere())) {
    if (performance.now() > deadline) return false
    await delay(lookAgainMs)
  }
  return true
}

/** An order that is sent now is acknowledged, and decided. */
async function decidesAgain(world: World): Promise<boolean> {
  const order = orderOf([{ sku: 'plenty-1', quantity: 1 }], 'jd')
  const told = await Promise.race([tellPlatform(world, order).then(() => true), delay(stuckMs, false, { ref: false })])
  if (!told) return false
  return await comes(async () => {
    const rows = await world.sql`select from orders where order_id = ${order.orderId}`.catch(() => [])
    return rows.length > 0
  })
}
