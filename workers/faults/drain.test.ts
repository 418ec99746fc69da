/** SIGTERM: what was received is answered, nothing new is taken, and the process ends with 0. */
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import type { TestOrder } from '../e2e/testing/orders.ts'
import { isAcknowledged, ledgerKey, lostOrders, newLedger, orderOf, push } from './testing/ledger.ts'
import { allDecided, expectAudited, loadTestNetwork, until } from './testing/network.ts'
import { type ServiceProcess, spawnService } from './testing/process.ts'

let database: TestDatabase
let redisUrl: string
let service: ServiceProcess

beforeAll(async () => {
  database = await testDatabase()
  redisUrl = (await testRedis()).url
  await loadTestNetwork(database.sql, { north: [{ sku: 'goods', quantity: 10 }] })
  service = await spawnService({ DATABASE_URL: database.url, REDIS_URL: redisUrl, THREADS: '1' })
})
afterAll(async () => {
  await service.kill()
  await database.close()
})

test('SIGTERM with webhooks in hand', async () => {
  const { sql } = database
  const orders = Array.from({ length: 40 }, () => orderOf([{ sku: 'goods', quantity: 1 }]))
  const pool = new Pool(service.url, { connections: orders.length })
  const ledger = newLedger()
  let letGo: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  // Holds every commit of the inbox up, so that all webhooks are in hand when the signal comes.
  const holding = sql.begin(async (tx) => {
    await tx`lock table inbox in exclusive mode`
    await held
  })
  await until(
    () => sql`select 1 from pg_locks where relation = 'inbox'::regclass and granted and mode = 'ExclusiveLock'`,
    (rows) => rows.length > 0,
    'the inbox is held',
  )
  const send = async (order: TestOrder) => ({ order, answer: await push(pool, order) })
  // The first one is in the commit that hangs, all others wait for the next one.
  const answers = [send(orders[0]!)]
  await until(
    () => sql`select from pg_locks where relation = 'inbox'::regclass and not granted`,
    (rows) => rows.length > 0,
    'a commit that hangs',
  )
  answers.push(...orders.slice(1).map(send))
  await until(
    async () => (await fetch(`${service.url}/metrics`)).text(),
    (text) => text.includes(`\npaidan_intake_waiting ${orders.length - 1}\n`),
    'all webhooks received',
  )
  const exited = service.signal('SIGTERM')
  await until(
    () =>
      fetch(`${service.url}/healthz`).then(
        () => true,
        () => false,
      ),
    (up) => !up,
    'nothing new is taken',
  )
  letGo()
  await holding
  for (const { order, answer } of await Promise.all(answers)) {
    expect(isAcknowledged(order.channel, answer)).toBe(true)
    ledger.acknowledged.add(ledgerKey(order))
  }
  expect(await exited).toEqual({ code: 0, signal: null })
  expect(service.said()).toContain('Stopped.')
  await pool.destroy()
  await allDecided(sql)
  expect(await lostOrders(sql, ledger)).toEqual([])
  expect(
    await sql`select pid from pg_stat_activity where datname = current_database() and application_name like 'paidan%'`,
  ).toEqual([])
  await expectAudited(sql, redisUrl)
})
