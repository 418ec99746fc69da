/** What the tests here share: a Redis process of a test's own in a folder of its own, and short words for lines. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { SkuQuantity } from '../../router/types.ts'
import type { SkuAtp } from './counters.ts'

export interface PrivateRedis {
  readonly socket: string
  /** Ends the process without a word, as a crash does, and starts another one on the same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export async function startPrivateRedis(extraArguments: readonly string[] = []): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'pd-redis-'))
  const socket = join(folder, 'redis.sock')
  const start = async () => {
    const child = spawn(
      'redis-server',
      ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'yes', ...extraArguments],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const log: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      log.push(line)
      if (line.includes('ready to accept connections at')) {
        child.stdout.resume()
        return child
      }
    }
    throw new Error(`redis-server did not start:\n${log.join('\n')}`)
  }
  let child = await start()
  const end = async () => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  return {
    socket,
    restart: async () => {
      await end()
      child = await start()
    },
    stop: async () => {
      await end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export function rows(atp: Readonly<Record<string, number>>): SkuAtp[] {
  return Object.entries(atp).map(([sku, units]) => ({ sku, atp: units }))
}

/** lines('a', 1, 'b', 2) */
export function lines(...flat: (string | number)[]): SkuQuantity[] {
  const made: SkuQuantity[] = []
  for (let i = 0; i < flat.length; i += 2) made.push({ sku: flat[i] as string, quantity: flat[i + 1] as number })
  return made
}
