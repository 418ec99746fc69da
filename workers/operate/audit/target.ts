/**
 * What is audited: the servers that the settings name, or the embedded ones of the data folder. Where a service runs over
 * that folder its servers are asked; where none does, Postgres is started for as long as the audit takes. Redis is not:
 * its counters are made anew from Postgres by the service that starts it, so at rest there is nothing in it to be wrong.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../process/config.ts'
import { claimDataDir } from '../../process/embedded/data-dir.ts'
import { EmbeddedError } from '../../process/embedded/errors.ts'
import { runningPostgresUrl, startPostgres } from '../../process/embedded/postgres.ts'
import { runningRedisUrl } from '../../process/embedded/redis.ts'

export interface AuditTarget {
  readonly databaseUrl: string
  /** null: no Redis runs. */
  readonly redisUrl: string | null
  /** For people, without secrets. */
  readonly where: string
  close(): Promise<void>
}

export class NothingToAudit extends Error {
  readonly code = 'nothing_to_audit'
}

type Settings = Pick<Config, 'databaseUrl' | 'redisUrl' | 'dataDir'>

/** Throws NothingToAudit, EmbeddedError. */
export async function openTarget({ databaseUrl, redisUrl, dataDir }: Settings): Promise<AuditTarget> {
  const nothing = async () => undefined
  if (databaseUrl !== null && redisUrl !== null) {
    return { databaseUrl, redisUrl, where: 'DATABASE_URL and REDIS_URL', close: nothing }
  }
  const hasData = existsSync(join(dataDir, databaseUrl === null ? 'postgres' : 'redis'))
  if (!hasData && databaseUrl === null) {
    throw new NothingToAudit(`There is no database in ${dataDir}. Start Paidan there once, or set DATABASE_URL.`)
  }
  const claim = hasData ? await claimUnlessRunning(dataDir) : null
  if (hasData && claim === null) {
    const running = `the Paidan that runs over ${dataDir}`
    if (databaseUrl === null) {
      const where = redisUrl === null ? `the servers of ${running}` : `the database of ${running}, and REDIS_URL`
      return {
        databaseUrl: runningPostgresUrl(dataDir),
        redisUrl: redisUrl ?? runningRedisUrl(dataDir),
        where,
        close: nothing,
      }
    }
    // Its Redis counts for its own database.
    if (existsSync(join(dataDir, 'postgres')))
      return {
        databaseUrl,
        redisUrl: null,
        where: 'DATABASE_URL, without the Redis that belongs to it: set REDIS_URL',
        close: nothing,
      }
    return {
      databaseUrl,
      redisUrl: runningRedisUrl(dataDir),
      where: `DATABASE_URL, and the Redis of ${running}`,
      close: nothing,
    }
  }
  const release = async () => void (await claim?.release())
  if (databaseUrl !== null) return { databaseUrl, redisUrl: null, where: 'DATABASE_URL', close: release }
  try {
    const postgres = await startPostgres({ dataDir: claim!.path, durable: true })
    const close = async () => {
      await postgres.stop()
      await release()
    }
    return { databaseUrl: postgres.url, redisUrl, where: `the database in ${dataDir}, where no Paidan runs`, close }
  } catch (error) {
    await release()
    throw error
  }
}

/** null: a service has it. */
async function claimUnlessRunning(dataDir: string) {
  try {
    return await claimDataDir(dataDir)
  } catch (error) {
    if (error instanceof EmbeddedError && error.code === 'data_dir_in_use') return null
    throw error
  }
}
