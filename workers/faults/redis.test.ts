/** Redis forgets, dies, comes back with what it knew long ago: nothing is oversold, nothing stays reserved for nobody. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import type { RunningService } from '../service.ts'
import { type PrivateServer, startPrivateRedis } from '../testing/servers.ts'
import { newLedger, orderOf, sendAll } from './testing/ledger.ts'
import { allDecided, loadTestNetwork, startServiceHere } from './testing/network.ts'
import { ride } from './testing/storm.ts'

const units = 200
const orders = 600
// What adapters/stock/client.ts waits for before an answer counts as unknown.
const answerMsMax = 2_000

let database: TestDatabase
let server: PrivateServer
let redis: Redis
let service: RunningService

const skus = ['flushed', 'script-flushed', 'crashed', 'old-file', 'set-back', 'paused', 'raised'] as const

beforeAll(async () => {
  ;[database, server] = await Promise.all([testDatabase(), startPrivateRedis()])
  const half = skus.map((sku) => ({ sku, quantity: units / 2 }))
  await loadTestNetwork(database.sql, { north: half, south: half })
  redis = new Redis(server.url)
  // While the server is away; it connects again by itself.
  redis.on('error', () => undefined)
  service = await startServiceHere({ databaseUrl: database.url, redisUrl: server.url }, { THREADS: '2' })
})
afterAll(async () => {
  await service.stop()
  redis.disconnect()
  await Promise.all([database.close(), server.stop()])
})

const storm = (sku: (typeof skus)[number], disturbances: readonly (() => Promise<unknown>)[]) =>
  ride({ service, redisUrl: server.url, sql: database.sql, sku, units, orders, disturbances })

const crashAndRestart = async (): Promise<void> => {
  await server.crash()
  await server.restart()
}

test('FLUSHALL, again and again', async () => {
  const flush = () => redis.flushall()
  const { refused } = await storm('flushed', [flush, flush, flush, flush])
  expect(refused).toBe(0)
})

test('SCRIPT FLUSH: a Redis that does not know us is not believed', async () => {
  const before = service.keeper.epoch
  const flush = () => redis.script('FLUSH')
  await storm('script-flushed', [flush, flush])
  expect(await epoch()).toBeGreaterThan(before)
})

test('crash and restart', async () => {
  const { refused } = await storm('crashed', [crashAndRestart, crashAndRestart])
  expect(refused).toBe(0)
})

test('restored from an old append-only file', async () => {
  const [, folder] = (await redis.config('GET', 'dir')) as [string, string]
  const copy = `${folder}.copy`
  await storm('old-file', [
    async () => execFileSync('cp', ['-a', folder, copy]),
    async () => {
      await server.crash()
      rmSync(folder, { recursive: true })
      execFileSync('cp', ['-a', copy, folder])
      await server.restart()
    },
  ])
})

test('counters set back under our feet: Postgres disposes', async () => {
  await decided('set-back', 60)
  const keys = await redis.keys('pd:*')
  const old = await Promise.all(keys.map((key) => redis.dumpBuffer(key)))
  await decided('set-back', 80)
  const all = redis.multi()
  keys.forEach((key, i) => {
    if (old[i]) all.restore(key, 0, old[i], 'REPLACE')
  })
  await all.exec()
  const { sql } = database
  await ride({ service, redisUrl: server.url, sql, sku: 'set-back', units, orders, before: 140, disturbances: [] })
  const { values } = await service.metrics.problems.get()
  expect(values.find((v) => v.labels.problem === 'stock_refused')?.value).toBeGreaterThan(0)
})

async function decided(sku: (typeof skus)[number], count: number): Promise<void> {
  const wanted = Array.from({ length: count }, () => orderOf([{ sku, quantity: 1 }]))
  await sendAll(wanted, { target: () => `http://127.0.0.1:${service.port}`, ledger: newLedger() })
  await allDecided(database.sql)
}

test('paused for longer than an answer may take', async () => {
  // What is asked for in the silence is done after it, when nobody listens any more: those units are for the sweep.
  await decided('paused', 100)
  process.kill(server.pid, 'SIGSTOP')
  const { sql } = database
  const silence = new Promise((resolve) => setTimeout(resolve, answerMsMax + 500))
  const whole = { service, redisUrl: server.url, sql, sku: 'paused', units, orders: 300, before: 100 }
  const riding = ride({ ...whole, disturbances: [] })
  await silence
  process.kill(server.pid, 'SIGCONT')
  const { refused } = await riding
  expect(refused).toBe(0)
})

test('somebody else raises the epoch', async () => {
  await storm('raised', [() => service.keeper.recover(service.keeper.epoch)])
})

async function epoch(): Promise<number> {
  const [row] = await database.sql<{ epoch: number }[]>`select epoch::int from stock_epoch`
  return row!.epoch
}
