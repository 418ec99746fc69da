/** SIGTERM while no thread can start: the process ends all the same, and what it acknowledged is decided by the next. */
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { isAcknowledged, ledgerKey, lostOrders, newLedger, orderOf, push } from './testing/ledger.ts'
import { allDecided, expectAudited, loadTestNetwork, until } from './testing/network.ts'
import { spawnService } from './testing/process.ts'

let database: TestDatabase
let settings: Record<string, string>

beforeAll(async () => {
  database = await testDatabase()
  settings = { DATABASE_URL: database.url, REDIS_URL: (await testRedis()).url, THREADS: '1', DRAIN_SECONDS: '1' }
  await loadTestNetwork(database.sql, { north: [{ sku: 'goods', quantity: 10 }] })
})
afterAll(() => database.close())

test('SIGTERM while the threads wait for ever', async () => {
  const { sql } = database
  const [first, second] = await Promise.all([spawnService(settings), spawnService(settings)])
  let letGo: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  // What a thread reads first.
  const holding = sql.begin(async (tx) => {
    await tx`lock table stock_epoch in access exclusive mode`
    await held
  })
  const isWaited = () => sql`
    select from pg_stat_activity a join pg_locks l using (pid)
    where l.relation = 'stock_epoch'::regclass and not l.granted and a.application_name = 'paidan thread'`
  const ledger = newLedger()
  const pools = [first, second].map(({ url }) => new Pool(url, { connections: 1 }))
  const orders = Array.from({ length: 10 }, () => orderOf([{ sku: 'goods', quantity: 1 }]))
  await until(
    () =>
      sql`select from pg_locks where relation = 'stock_epoch'::regclass and granted and mode = 'AccessExclusiveLock'`,
    (rows) => rows.length > 0,
    'the table is held',
  )
  for (const [i, order] of orders.entries()) {
    if (isAcknowledged(order.channel, await push(pools[i % 2]!, order))) ledger.acknowledged.add(ledgerKey(order))
  }
  expect(ledger.acknowledged.size).toBe(orders.length)
  await until(isWaited, (rows) => rows.length > 1, 'a thread of each waits')
  expect(await Promise.all([first.signal('SIGTERM'), second.signal('SIGTERM')])).toEqual(
    Array(2).fill({ code: 0, signal: null }),
  )
  letGo()
  await holding
  for (const pool of pools) await pool.destroy()
  const third = await spawnService(settings)
  await allDecided(sql)
  expect(await lostOrders(sql, ledger)).toEqual([])
  await third.signal()
  await expectAudited(sql, settings.REDIS_URL!)
})
