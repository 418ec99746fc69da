/** One world from its start to its end: fault after fault, a complete check after each group, and one after all work is done. */

import { randomFrom } from '../../adapters/shared/seeded-random.ts'
import type { Violation } from '../../adapters/store/audit/audit.ts'
import type { Fault } from './faults/fault.ts'
import { onePoint } from './point.ts'
import type { WorldPlan } from './schedule.ts'
import { settle } from './settle.ts'
import type { SmallDisk } from './small-disk.ts'
import type { Tally } from './tally.ts'
import { startWorld, type World } from './world.ts'

export interface WorldRun {
  readonly plan: WorldPlan
  /** From 1 in the order of the schedule: with the seed it decides everything that chance decides here. */
  readonly number: number
  readonly disk: SmallDisk | null
  readonly seed: number
  readonly tally: Tally
  /** No further point is begun from then on. */
  readonly isOver: () => boolean
  readonly say: (text: string) => void
  readonly whenStarted: (world: World) => Promise<void>
  readonly beforeLastChecks: ((world: World) => Promise<void>) | undefined
}

const pointsPerGroup = 20

export async function runWorld(run: WorldRun): Promise<void> {
  const { plan, number, disk, seed, tally, say } = run
  const { spend } = tally
  const lap = spend.laps()
  const world = await startWorld({ pair: plan.pair, wires: plan.wires, disk })
  lap('starting worlds')
  const random = randomFrom(seed, number)
  try {
    await run.whenStarted(world)
    let load = world.load(random)
    let group: Fault[] = []
    const check = (violations: readonly Violation[]): boolean => {
      tally.totals.checks += 1
      tally.failed(number, group, violations)
      for (const { invariant, count, examples } of violations) {
        say(`✗ seed ${seed}, world ${number}, after ${group.map((f) => f.name).join(', ')}:`)
        say(`  ${invariant}: ${count}, for example ${JSON.stringify(examples)}`)
      }
      return violations.length === 0
    }
    const settled = async (finish: boolean): Promise<boolean> => {
      const lap = spend.laps()
      const found = await settle(world, load, random, finish, () =>
        finish ? run.beforeLastChecks?.(world) : undefined,
      )
      lap('settling and complete checks')
      return check(found)
    }
    for (const [i, fault] of plan.faults.entries()) {
      if (run.isOver()) break
      if (group.length === pointsPerGroup) {
        if (!(await settled(false))) return
        group = []
        await world.fleet.startAll()
        load = world.load(random)
      }
      group.push(fault)
      const point = await onePoint(world, fault, random, spend)
      if (point.violations.length > 0) {
        check(point.violations)
        return
      }
      tally.recovered(fault, point.recoveryMs)
      say(
        `  ${tally.points}  ${fault.name.padEnd(28)} recovered in ${Math.round(point.recoveryMs)} ms, world ${number}`,
      )
      if (i % 10 === 9)
        say(
          `     ${world.book.acknowledged} events acknowledged, ${world.book.shipped} packages shipped, world ${number}`,
        )
    }
    await settled(true)
  } finally {
    count(tally, world)
    for (const { node, detail, since } of world.book.driftsMended)
      say(
        `     a drift of Redis at ${node} was mended: ${JSON.stringify(detail)}, ${since.toISOString()}, world ${number}`,
      )
    const lap = spend.laps()
    await world.close()
    lap('ending worlds')
  }
}

function count({ totals }: Tally, { book }: World): void {
  totals.worlds += 1
  totals.acknowledged += book.acknowledged
  totals.refused += book.refused
  totals.unanswered += book.unanswered
  totals.orders += book.orders.size
  totals.shipments += book.shipments.size
  totals.driftsMended += book.driftsMended.length
}
