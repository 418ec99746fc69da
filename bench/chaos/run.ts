/**
 * A run: the worlds of a schedule, some of them side by side. Most of a point is waiting (for a process that starts, a
 * server that recovers, a lease that lapses), so several worlds share the cores well.
 *
 * What happens in a world follows from the seed, the schedule and the world's number alone, never from which world ends
 * first or how many there are beside it: the world of a failure can be played again by itself.
 */
import { type Surroundings, surroundings } from '../load/machine.ts'
import type { ChaosOptions } from './options.ts'
import { runWorld } from './run-world.ts'
import { scheduleOf, type WorldPlan } from './schedule.ts'
import { mountSmallDisk } from './small-disk.ts'
import { type ChaosReport, type Skipped, Tally } from './tally.ts'
import type { World } from './world.ts'

export interface ChaosHooks {
  readonly say?: (text: string) => void
  /** Between the end of the load and the last checks of a world; for tests of the checks themselves. */
  readonly beforeLastChecks?: (world: World) => Promise<void>
}

export async function runChaos(options: ChaosOptions, hooks: ChaosHooks = {}): Promise<ChaosReport> {
  const { say = () => undefined } = hooks
  const started = performance.now()
  const deadline = options.minutes === null ? Number.POSITIVE_INFINITY : started + options.minutes * 60_000
  const plans = scheduleOf(options.faults, options.points, options.seed)
  const tally = new Tally()
  const skipped: Skipped[] = []
  let where: Surroundings | null = null
  let isBroken = false
  const isOver = (): boolean => isBroken || performance.now() > deadline

  const playOne = async (given: WorldPlan, number: number): Promise<void> => {
    const { plan, disk } = onItsDisk(given, skipped, say)
    say(`▸ world ${number} of ${plans.length}: ${described(plan)}`)
    try {
      await runWorld({
        plan,
        number,
        disk,
        seed: options.seed,
        tally,
        isOver,
        say,
        whenStarted: async (world) => {
          where ??= await surroundings(world.sql, world.redis.url)
        },
        beforeLastChecks: hooks.beforeLastChecks,
      })
    } finally {
      disk?.remove()
    }
  }

  const queue = [...plans.entries()].filter(([i]) => options.world === null || options.world === i + 1)
  const sideBySide = Math.min(options.sideBySide, queue.length)
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !isOver(); next = queue.shift()) {
      try {
        await playOne(next[1], next[0] + 1)
      } catch (error) {
        // The others end in good order: each has servers and processes to close.
        isBroken = true
        throw error
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: sideBySide }, lane))
  const failed = lanes.find((ended) => ended.status === 'rejected')
  if (failed !== undefined) throw failed.reason

  return {
    seed: options.seed,
    planned: options.points,
    sideBySide,
    seconds: Math.round((performance.now() - started) / 1000),
    surroundings: where,
    kinds: tally.kinds,
    totals: tally.totals,
    spent: tally.spend.seconds,
    failures: tally.failures,
    skipped,
  }
}

function described({ pair, wires, disk, faults }: WorldPlan): string {
  const words = [pair ? 'two processes' : 'one process', wires ? 'over wires' : 'on sockets']
  return [...words, ...(disk ? ['on a small disk'] : []), `${faults.length} points`].join(', ')
}

/** Without the faults that need a disk of its own where this machine allows none. */
function onItsDisk(plan: WorldPlan, skipped: Skipped[], say: (text: string) => void) {
  const disk = plan.disk ? mountSmallDisk() : null
  if (typeof disk !== 'string') return { plan, disk }
  const faults = plan.faults.filter((fault) => fault.needs !== 'disk')
  skipped.push({ kind: 'disk-full', points: plan.faults.length - faults.length, why: disk })
  say(`▸ disk-full cannot be done here: ${disk}`)
  return { plan: { ...plan, faults, disk: false }, disk: null }
}
