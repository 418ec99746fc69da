/** Redis dies, forgets, stands still, comes back with what it knew long ago. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../../../adapters/shared/seeded-random.ts'
import { paused } from '../../../workers/faults/testing/pause.ts'
import type { World } from '../world.ts'
import type { Fault } from './fault.ts'

const awayMsMax = 400
// adapters/stock/client.ts waits two seconds for an answer and gives a silent connection up after ten.
const pauseMs = 2_600
const longPauseMs = 11_000
const setBackMsMax = 300

export const redisFaults: readonly Fault[] = [
  {
    name: 'redis-kill',
    share: 90,
    strike: async ({ redis }, random) => {
      await redis.crash()
      await delay(random.chance(0.5) ? 0 : random.below(awayMsMax))
      await redis.restart()
    },
  },
  { name: 'redis-flushall', share: 60, strike: async (world) => void (await answered(world, (r) => r.flushall())) },
  {
    name: 'redis-script-flush',
    share: 30,
    strike: async (world) => void (await answered(world, (r) => r.script('FLUSH'))),
  },
  {
    // The files are those of an earlier fault of this kind, or of a moment ago.
    name: 'redis-old-files',
    share: 30,
    strike: async (world, random) => {
      const folder = await folderOf(world)
      if (world.oldRedisFiles === null) {
        world.oldRedisFiles = `${folder}.copy`
        execFileSync('cp', ['-a', folder, world.oldRedisFiles])
        await delay(random.below(awayMsMax))
      }
      await world.redis.crash()
      const last = `${folder}.last`
      execFileSync('mv', [folder, last])
      execFileSync('cp', ['-a', world.oldRedisFiles, folder])
      await world.redis.restart()
      if (random.chance(0.5)) {
        rmSync(world.oldRedisFiles, { recursive: true })
        execFileSync('mv', [last, world.oldRedisFiles])
      } else rmSync(last, { recursive: true })
    },
  },
  { name: 'redis-set-back', share: 10, strike: setBack },
  { name: 'redis-pause', share: 8, strike: ({ redis }) => paused(redis.pid, () => delay(pauseMs)) },
  { name: 'redis-pause-long', share: 2, strike: ({ redis }) => paused(redis.pid, () => delay(longPauseMs)) },
]

/** The process lives, knows our scripts, and its counters are those of a while ago: nothing tells us. */
async function setBack(world: World, random: Random): Promise<void> {
  await answered(world, async (redis) => {
    const keys = await redis.keys('pd:*')
    const old = await Promise.all(keys.map((key) => redis.dumpBuffer(key)))
    await delay(random.below(setBackMsMax))
    const all = redis.multi()
    keys.forEach((key, i) => {
      if (old[i]) all.restore(key, 0, old[i], 'REPLACE')
    })
    await all.exec()
  })
}

async function folderOf(world: World): Promise<string> {
  const [, folder] = (await answered(world, (redis) => redis.config('GET', 'dir'))) as [string, string]
  return folder
}

/** Our own connection is made again by itself after a restart: until then a question fails. */
async function answered<T>({ redisClient }: World, ask: (redis: World['redisClient']) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask(redisClient)
    } catch (error) {
      if (tries === 100) throw error
      await delay(50)
    }
  }
}
