/** A thousand orders at once for a hundred units, against two processes with two threads each: exactly a hundred get theirs. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { lostOrders, newLedger, orderOf, sendAll } from './testing/ledger.ts'
import { addStock, allDecided, expectAudited, loadTestNetwork, unitsOf, until } from './testing/network.ts'
import { type ServiceProcess, spawnService } from './testing/process.ts'

const orders = 1_000
const units = 100

let database: TestDatabase
let redisUrl: string
let services: readonly ServiceProcess[] = []

beforeAll(async () => {
  database = await testDatabase()
  redisUrl = (await testRedis()).url
  await loadTestNetwork(database.sql, {
    north: ['one-node', 'first', 'second'].map((sku) => ({ sku, quantity: units })).concat(half),
    south: half,
  })
  const environment = { DATABASE_URL: database.url, REDIS_URL: redisUrl, THREADS: '2', SWEEP_SECONDS: '1' }
  services = await Promise.all([spawnService(environment), spawnService(environment)])
})
afterAll(async () => {
  await Promise.all(services.map((s) => s.kill()))
  await database.close()
})
const half = [{ sku: 'two-nodes', quantity: units / 2 }]

test.each<{ name: string; node: string; skus: readonly string[]; lines: (i: number) => readonly string[] }>([
  { name: 'one SKU at one node', node: 'north', skus: ['one-node'], lines: () => ['one-node'] },
  { name: 'one SKU at two nodes', node: 'south', skus: ['two-nodes'], lines: () => ['two-nodes'] },
  {
    name: 'two SKUs, their lines in opposite orders',
    node: 'north',
    skus: ['first', 'second'],
    lines: (i) => (i % 2 === 0 ? ['first', 'second'] : ['second', 'first']),
  },
])('$name', async ({ node, skus, lines }) => {
  const { sql } = database
  const wanted = Array.from({ length: orders }, (_, i) => orderOf(lines(i).map((sku) => ({ sku, quantity: 1 }))))
  const ledger = newLedger()
  await Promise.all(
    services.map((service, at) =>
      sendAll(
        wanted.filter((_, i) => i % services.length === at),
        { target: () => service.url, ledger },
      ),
    ),
  )
  await allDecided(sql)
  expect(await lostOrders(sql, ledger)).toEqual([])
  expect(ledger.acknowledged.size).toBe(orders)
  for (const sku of skus) expect(await unitsOf(sql, sku)).toEqual({ inTasks: units, backordered: orders - units })
  await expectAudited(sql, redisUrl)

  await addStock(
    services[0]!.url,
    node,
    skus.map((sku) => ({ sku, quantity: 50 })),
  )
  for (const sku of skus) {
    await until(
      () => unitsOf(sql, sku),
      ({ inTasks }) => inTasks >= units + 50,
      '50 more in tasks',
    )
  }
  await allDecided(sql)
  for (const sku of skus) {
    expect(await unitsOf(sql, sku)).toEqual({ inTasks: units + 50, backordered: orders - units - 50 })
  }
  await expectAudited(sql, redisUrl)
})
