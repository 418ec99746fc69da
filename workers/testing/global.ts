/**
 * What vitest runs once before all tests and after them: one Postgres and one Redis for the whole run, without fsync
 * and append-only file, since no test may crash these two. Red when they cannot be started.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { projectRoot } from '../../adapters/shared/root.ts'
import type { SharedServers } from '../../adapters/shared/testing.ts'
import { connect, withDatabase } from '../../adapters/store/postgres/connect.ts'
import { migrate, readMigrations } from '../../adapters/store/postgres/migrate.ts'
import { runsFactor, testSeed } from '../../router/testing/seed.ts'
import { startPostgres } from '../process/embedded/postgres.ts'
import { startRedis } from '../process/embedded/redis.ts'

const template = 'paidan_template'
// One per call of testRedis() in the whole run; an unused one costs some bytes.
const redisDatabases = '2000'

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const others = 'PAIDAN_SEED=7 draws others, PAIDAN_RUNS=10 ten times as many'
  console.log(`random tests: seed ${testSeed}, cases × ${runsFactor} (${others})`)
  const dataDir = mkdtempSync(join(tmpdir(), 'paidan-test-'))
  const starts = [
    startPostgres({ dataDir, durable: false, settings: { max_connections: '300', shared_buffers: '64MB' } }),
    startRedis({ dataDir, durable: false, settings: { databases: redisDatabases } }),
  ] as const
  const teardown = async (): Promise<void> => {
    // Also when only one of the two came up.
    for (const start of await Promise.allSettled(starts)) if (start.status === 'fulfilled') await start.value.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
  try {
    const [postgres, redis] = await Promise.all(starts)
    const servers: SharedServers = { templateUrl: await makeTemplate(postgres.url), redisUrl: redis.url }
    project.provide('servers', servers)
  } catch (error) {
    await teardown()
    throw error
  }
  return teardown
}

async function makeTemplate(url: string): Promise<string> {
  const maintenance = connect(url, { max: 1, applicationName: 'test set-up' })
  await maintenance`create database ${maintenance(template)}`
  await maintenance.end()
  const templateUrl = withDatabase(url, template)
  const sql = connect(templateUrl, { max: 1, applicationName: 'test set-up' })
  await migrate(sql, readMigrations(join(projectRoot(), 'sql')))
  await sql.end()
  return templateUrl
}
