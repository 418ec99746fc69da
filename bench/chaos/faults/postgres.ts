/** Postgres dies, in whole or one backend of it, is away for long, stands still, has no room left to write. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../../adapters/shared/seeded-random.ts'
import { paused } from '../../../workers/faults/testing/pause.ts'
import type { World } from '../world.ts'
import type { Fault } from './fault.ts'

// adapters/store/connect.ts gives a new connection five seconds.
const pauseMs = 6_000
// Longer than a statement may take (30 s) and a reservation may be held.
const longPauseMs = 33_000
const fullMsMin = 1_000
const fullMsMax = 4_000
const lookAgainMs = 20

function away(seconds: number, share: number): Fault {
  return {
    name: `postgres-away-${seconds}s`,
    share,
    strike: async ({ postgres }) => {
      await postgres.crash()
      await delay(seconds * 1000)
      await postgres.restart()
    },
  }
}

export const postgresFaults: readonly Fault[] = [
  {
    name: 'postgres-kill',
    share: 60,
    strike: async ({ postgres }) => {
      await postgres.crash()
      await postgres.restart()
    },
  },
  { name: 'postgres-backend-kill', share: 60, strike: killBackend },
  away(1, 6),
  away(10, 3),
  away(60, 1),
  { name: 'postgres-pause', share: 6, strike: ({ postgres }) => paused(postgres.pid, () => delay(pauseMs)) },
  { name: 'postgres-pause-long', share: 1, strike: ({ postgres }) => paused(postgres.pid, () => delay(longPauseMs)) },
  { name: 'disk-full', share: 10, needs: 'disk', strike: fillDisk },
]

/** One backend of the service is killed; the postmaster ends all others and recovers by itself. */
async function killBackend({ sql }: World, random: Random): Promise<void> {
  const backends = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity where application_name like 'paidan%' order by pid`
  if (backends.length === 0) return
  process.kill(random.pick(backends).pid, 'SIGKILL')
  await answering(sql)
}

/** Full for some seconds, in half of the cases with the log at the end of its segment, which makes Postgres panic. */
async function fillDisk({ traits, sql, postgres }: World, random: Random): Promise<void> {
  const { disk } = traits
  if (disk === null) throw new Error('this world has no disk of its own')
  try {
    disk.fill()
    if (random.chance(0.5)) await sql`select pg_switch_wal()`.catch(() => undefined)
    await delay(random.between(fullMsMin, fullMsMax))
  } finally {
    disk.empty()
  }
  // It may have given up on starting again while there was no room.
  if (await isGone(postgres.pid)) await postgres.restart()
  await answering(sql)
}

async function isGone(pid: number): Promise<boolean> {
  // Its end follows the last failed write by a moment.
  for (let tries = 0; tries < 25; tries++) {
    try {
      process.kill(pid, 0)
    } catch {
      return true
    }
    await delay(lookAgainMs)
  }
  return false
}

async function answering(sql: World['sql']): Promise<void> {
  for (;;) {
    const [answer] = await sql<{ recovering: boolean }[]>`select pg_is_in_recovery() as recovering`.catch(() => [])
    if (answer?.recovering === false) return
    await delay(lookAgainMs)
  }
}
