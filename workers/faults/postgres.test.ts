/** Postgres dies or falls silent: what cannot be made durable is refused in the platform's words, what was is kept. */
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { channelNames } from '../../router/types.ts'
import type { RunningService } from '../service.ts'
import { type PrivateServer, startPrivatePostgres, startPrivateRedis } from '../testing/servers.ts'
import { isTryAgain, orderOf, push } from './testing/ledger.ts'
import { connectForTest, loadTestNetwork, startServiceHere, until } from './testing/network.ts'
import { paused } from './testing/pause.ts'
import { ride } from './testing/storm.ts'

const units = 200
// So many that some are still to come when Postgres goes.
const orders = 3_000

let postgres: PrivateServer
let redis: PrivateServer
let sql: Sql
let service: RunningService

beforeAll(async () => {
  ;[postgres, redis] = await Promise.all([startPrivatePostgres(), startPrivateRedis({ durable: false })])
  sql = connectForTest(postgres.url)
  const half = ['crashed', 'paused'].map((sku) => ({ sku, quantity: units / 2 }))
  await loadTestNetwork(sql, { north: half, south: half })
  service = await startServiceHere({ databaseUrl: postgres.url, redisUrl: redis.url }, { THREADS: '2' })
})
afterAll(async () => {
  await service.stop()
  await sql.end()
  await Promise.all([postgres.stop(), redis.stop()])
})

const storm = (sku: string, disturbances: readonly (() => Promise<unknown>)[]) =>
  ride({ service, redisUrl: redis.url, sql, sku, units, orders, disturbances })

test('crash and restart: refused while it is away, nothing that was acknowledged is lost', async () => {
  const crash = async (): Promise<void> => {
    await postgres.crash()
    await refusedInItsOwnWords()
    await postgres.restart()
  }
  const { refused } = await storm('crashed', [crash, crash])
  expect(refused).toBeGreaterThan(0)
})

/** Every platform is told to send again, as it understands it. */
async function refusedInItsOwnWords(): Promise<void> {
  const pool = new Pool(`http://127.0.0.1:${service.port}`)
  for (const channel of channelNames) {
    const order = orderOf([{ sku: 'crashed', quantity: 1 }], channel)
    await until(
      () => push(pool, order),
      (answer) => isTryAgain(channel, answer),
      `${channel} refused`,
    )
  }
  await pool.destroy()
}

test('silent for longer than a connection may take, then back', async () => {
  const silence = () => paused(postgres.pid, () => new Promise((resolve) => setTimeout(resolve, silentMs)))
  await storm('paused', [silence])
})
// adapters/store/connect.ts gives a connection five seconds.
const silentMs = 6_000
