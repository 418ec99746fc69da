/** What is read before the load and after it: the difference is what the load cost. */
import { Redis } from 'ioredis'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { busySeconds, cpuSeconds } from './cpu.ts'
import { type Scrape, scrape } from './scrape.ts'
import type { Target } from './target.ts'

export interface Reading {
  readonly atMs: number
  readonly metrics: Scrape
  readonly cpuSeconds: Readonly<Record<string, number>>
  readonly busySeconds: number
  readonly databaseBytes: number
  /** Bytes of log that Postgres ever wrote. */
  readonly walBytes: number
  readonly redisBytes: number
}

export async function read(target: Target, alsoProcesses: Readonly<Record<string, number>>): Promise<Reading> {
  const [sizes, redisBytes, metrics] = await Promise.all([
    target.sql<{ database: string; wal: string }[]>`
      select pg_database_size(current_database()) as database, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint as wal`,
    usedMemory(target.redisUrl),
    scrape(target.url),
  ])
  return {
    atMs: Date.now(),
    metrics,
    cpuSeconds: cpuSeconds({ ...target.processes, ...alsoProcesses }),
    busySeconds: busySeconds(),
    databaseBytes: Number(sizes[0]!.database),
    walBytes: Number(sizes[0]!.wal),
    redisBytes,
  }
}

async function usedMemory(url: string): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redisInfo(url, 'memory'))?.[1])
}

export async function redisInfo(url: string, section: string): Promise<string> {
  return await withRedis(url, (redis) => redis.info(section))
}

/** As the servers say it themselves. */
export async function durability(sql: Sql, redisUrl: string): Promise<Record<string, string>> {
  const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'wal_compression', 'shared_buffers']
  const rows = await sql<{ name: string; setting: string }[]>`
    select name, current_setting(name) as setting from pg_settings where name = any(${names})`
  const redis = await withRedis(redisUrl, (client) => client.config('GET', 'append*'))
  const known = new Map(pairs(redis as string[]))
  return {
    ...Object.fromEntries(names.map((name) => [name, rows.find((row) => row.name === name)?.setting ?? '?'])),
    'redis appendonly': known.get('appendonly') ?? '?',
    'redis appendfsync': known.get('appendfsync') ?? '?',
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!])
}

async function withRedis<T>(url: string, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    return await ask(redis)
  } finally {
    redis.disconnect()
  }
}
