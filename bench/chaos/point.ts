/** One fault at a random moment: the service has to take and decide an order again, and to have kept what it promised. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { Violation } from '../../adapters/store/audit/audit.ts'
import { orderOf } from '../../workers/faults/testing/ledger.ts'
import type { Fault } from './faults/fault.ts'
import { say as tellPlatform } from './platforms.ts'
import { quickCheck } from './quick-check.ts'
import type { Spend } from './spend.ts'
import { stuck } from './stuck.ts'
import type { World } from './world.ts'

export interface Point {
  readonly recoveryMs: number
  readonly violations: readonly Violation[]
}

// A fault strikes after fewer than this many further acknowledgements, pulls or shipments, and a moment: so the
// machine's speed does not matter.
const progressMax = 40
const momentMsMax = 20
// Far beyond what any recovery takes; a service that is stuck shall say so.
const stuckMs = 120_000

/** `spend`: is told what each part of it took. */
export async function onePoint(world: World, fault: Fault, random: Random, spend: Spend): Promise<Point> {
  const { book, fleet } = world
  const lap = spend.laps()
  await fleet.startAll()
  lap('starting the service')
  const what = random.pick(['acknowledged', 'pulled', 'shipped'] as const)
  const enough = book[what] + random.below(progressMax)
  if (!(await comes(() => book[what] >= enough)))
    return { recoveryMs: 0, violations: [await stuck(world, `nothing more is ${what}`, stuckMs / 1000)] }
  await delay(random.below(momentMsMax))
  book.fault = fault.name
  lap('waiting for a moment')
  await fault.strike(world, random)
  lap('faults themselves')
  const over = performance.now()
  const missing = await decidesAgain(world)
  if (missing !== null) return { recoveryMs: 0, violations: [await stuck(world, missing, stuckMs / 1000)] }
  const recoveryMs = performance.now() - over
  lap('recovery')
  const violations = await quickCheck(world)
  lap('checks after each')
  return { recoveryMs, violations }
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

/** An order that is sent now is acknowledged, and decided: null; else what is missing. */
async function decidesAgain(world: World): Promise<string | null> {
  const order = orderOf([{ sku: 'plenty-1', quantity: 1 }], 'jd')
  const told = await Promise.race([tellPlatform(world, order).then(() => true), delay(stuckMs, false, { ref: false })])
  if (!told) return 'an order is not acknowledged'
  const isDecided = await comes(async () => {
    const rows = await world.sql`select from orders where order_id = ${order.orderId}`.catch(() => [])
    return rows.length > 0
  })
  return isDecided ? null : 'an order is not decided'
}
