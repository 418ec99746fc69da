/** The service dies, one process of two or all, at any moment of its life; a thread of it dies; it stands still. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../../adapters/shared/seeded-random.ts'
import { paused } from '../../../workers/faults/testing/pause.ts'
import type { World } from '../world.ts'
import type { Fault } from './fault.ts'

/** Dead now; its start is already under way when this resolves, and part of the recovery. */
async function killAndStart({ fleet }: World, index: number): Promise<void> {
  await fleet.kill(index)
  startAgain(fleet.start(index), fleet)
}

/** A start that fails is told as a process that ended by itself. */
function startAgain(starting: Promise<void>, fleet: World['fleet']): void {
  starting.catch((error: Error) => fleet.endedAlone.push(error.message))
}

const anyOf = ({ fleet }: World, random: Random): number => random.below(fleet.size)

// A start takes some 600 ms on a quiet machine.
const startMsMax = 900
const drainMsMax = 250
// Longer than Redis' time-out and Postgres' connect time-out.
const pauseMs = 6_000
// Longer than a reservation may be held: the other process gives back what the paused one is about to commit.
const longPauseMs = 36_000
// Longer than every time-out there is: the last is Postgres', which ends a transaction that stood open for 60 s.
const longestPauseMs = 63_000

export const serviceFaults: readonly Fault[] = [
  { name: 'service-kill', share: 260, strike: (world, random) => killAndStart(world, anyOf(world, random)) },
  {
    name: 'service-kill-while-starting',
    share: 40,
    strike: async ({ fleet }, random) => {
      await fleet.kill(0)
      await fleet.startThenKill(0, () => delay(random.below(startMsMax)))
    },
  },
  {
    name: 'service-kill-while-stopping',
    share: 30,
    strike: async (world, random) => {
      const index = anyOf(world, random)
      await world.fleet.stopThenKill(index, () => delay(random.below(drainMsMax)))
      startAgain(world.fleet.start(index), world.fleet)
    },
  },
  {
    name: 'one-of-two-kill',
    share: 120,
    needs: 'pair',
    strike: (world, random) => killAndStart(world, random.below(2)),
  },
  {
    name: 'both-kill',
    share: 40,
    needs: 'pair',
    strike: async (world) => {
      await Promise.all([killAndStart(world, 0), killAndStart(world, 1)])
    },
  },
  {
    name: 'thread-kill',
    share: 140,
    strike: async (world, random) => world.fleet.member(anyOf(world, random))?.endThread(),
  },
  {
    name: 'service-pause',
    share: 5,
    strike: async (world, random) => {
      const member = world.fleet.member(anyOf(world, random))
      if (member !== null) await paused(member.pid, () => delay(pauseMs))
    },
  },
  {
    name: 'one-of-two-pause-long',
    share: 2,
    needs: 'pair',
    strike: async (world, random) => {
      const member = world.fleet.member(random.below(2))
      if (member !== null) await paused(member.pid, () => delay(longPauseMs))
    },
  },
  {
    name: 'service-pause-long',
    share: 1,
    strike: async (world, random) => {
      const member = world.fleet.member(anyOf(world, random))
      if (member !== null) await paused(member.pid, () => delay(longestPauseMs))
    },
  },
  {
    name: 'both-pause-long',
    share: 1,
    needs: 'pair',
    strike: async ({ fleet }) => {
      const members = [0, 1].map((index) => fleet.member(index)).filter((member) => member !== null)
      await Promise.all(members.map(({ pid }) => paused(pid, () => delay(longestPauseMs))))
    },
  },
  {
    name: 'everything-kill',
    share: 20,
    strike: async (world) => {
      const { fleet, postgres, redis } = world
      const all = Array.from({ length: fleet.size }, (_, index) => index)
      await Promise.all([...all.map((index) => fleet.kill(index)), postgres.crash(), redis.crash()])
      await Promise.all([postgres.restart(), redis.restart()])
      for (const index of all) startAgain(fleet.start(index), fleet)
    },
  },
]
