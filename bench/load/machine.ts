/** Where and on what a figure was made. */
import { execFileSync } from 'node:child_process'
import { cpus, loadavg, totalmem } from 'node:os'
import { projectRoot } from '../../adapters/shared/root.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { redisInfo } from './gauge.ts'

export interface Surroundings {
  readonly commit: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGib: number
  readonly node: string
  readonly postgres: string
  readonly redis: string
  /** Of the last minute, before the load began: above zero other processes were at work. */
  readonly loadAverageBefore: number
}

export async function surroundings(sql: Sql, redisUrl: string): Promise<Surroundings> {
  const [row] = await sql<{ server_version: string }[]>`show server_version`
  return {
    commit: commit(),
    ...machine(),
    postgres: row!.server_version,
    redis: /redis_version:(\S+)/.exec(await redisInfo(redisUrl, 'server'))?.[1] ?? '?',
  }
}

/** What can be told without a server. */
export function machine() {
  return {
    cpu: cpus()[0]?.model ?? '?',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    loadAverageBefore: loadavg()[0]!,
  }
}

/** With a plus when files differ from it; a question mark outside a clone. */
export function commit(): string {
  const git = (...words: string[]) =>
    execFileSync('git', words, { cwd: projectRoot(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+')
  } catch {
    return '?'
  }
}
