/**
 * Orders that would come to 50,000 items each, as real signed bodies: every one is acknowledged and stored, none is lost, a
 * person is told what is wrong with it, and neither the service nor the audit pays for what it would have come to. Beside
 * them orders of exactly as many items as are allowed, which go the whole way when a person has approved so many units.
 */
import { readFileSync } from 'node:fs'
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { putSkus } from '../../adapters/store/catalog/catalog.ts'
import { skuOf } from '../../adapters/store/testing/world.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { orderItemsMax } from '../../router/bundle.ts'
import { isAcknowledged, ledgerKey, lostOrders, newLedger, orderOf, push } from './testing/ledger.ts'
import { allDecided, expectAudited, loadTestNetwork } from './testing/network.ts'
import { adminToken, type ServiceProcess, spawnService } from './testing/process.ts'

const components = Array.from({ length: 50 }, (_, i) => ({ sku: `part-${i}`, quantity: 1 }))
const ordersOfAKind = 20
const tooManyLines = 1_000
const fittingLines = orderItemsMax / components.length
// The service itself needs some 400 MiB under load, and 512 at the most (README); 20 such orders took it to 1,231.
const residentMibMax = 700

let database: TestDatabase
let redisUrl: string
let service: ServiceProcess

beforeAll(async () => {
  database = await testDatabase()
  redisUrl = (await testRedis()).url
  const stock = components.map(({ sku }) => ({ sku, quantity: ordersOfAKind * fittingLines }))
  await loadTestNetwork(database.sql, { north: stock })
  await putSkus(database.sql, [{ ...skuOf('set'), bundle: components }])
  const settings = { DATABASE_URL: database.url, REDIS_URL: redisUrl, THREADS: '1', BODY_BYTES_MAX: '2097152' }
  service = await spawnService(settings)
})
afterAll(async () => {
  await service.kill()
  await database.close()
})

const orderOfLines = (count: number) => orderOf(Array.from({ length: count }, () => ({ sku: 'set', quantity: 1 })))

async function approve({ channel, shop, orderId }: ReturnType<typeof orderOf>): Promise<number> {
  const url = `${service.url}/v1/orders/${channel}/${encodeURIComponent(shop)}/${orderId}/approve`
  const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
  return (await fetch(url, { method: 'POST', headers, body: '{}' })).status
}

function residentMostMib(): number {
  const status = readFileSync(`/proc/${service.pid}/status`, 'utf8')
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) / 1024
}

test('twenty orders of 50,000 items beside twenty of as many as are allowed', async () => {
  const { sql } = database
  const [tooMany, fitting] = [tooManyLines, fittingLines].map((lines) =>
    Array.from({ length: ordersOfAKind }, () => orderOfLines(lines)),
  ) as [ReturnType<typeof orderOf>[], ReturnType<typeof orderOf>[]]
  const orders = [...tooMany, ...fitting]
  const ledger = newLedger()
  const pool = new Pool(service.url, { connections: 8 })
  await Promise.all(
    orders.map(async (order) => {
      expect(isAcknowledged(order.channel, await push(pool, order))).toBe(true)
      ledger.acknowledged.add(ledgerKey(order))
    }),
  )
  await pool.destroy()
  await allDecided(sql)
  expect(new Set(await Promise.all(orders.map(approve)))).toEqual(new Set([200]))
  await allDecided(sql)
  expect(await lostOrders(sql, ledger)).toEqual([])
  const kinds = await sql<{ state: string; items: number; orders: number }[]>`
    select state, json_array_length(items::json) as items, count(*)::int as orders from orders group by 1, 2 order by 2`
  expect([...kinds]).toEqual([
    { state: 'held', items: tooManyLines, orders: ordersOfAKind },
    { state: 'routed', items: orderItemsMax, orders: ordersOfAKind },
  ])
  const [held] = await sql<{ body: { holds: { rule: string; reason: string }[] } }[]>`
    select body::json from orders where state = 'held' limit 1`
  expect(held!.body.holds.find(({ rule }) => rule === 'too_many_items')?.reason).toContain('come to 50000 items')
  expect(residentMostMib()).toBeLessThan(residentMibMax)
  await expectAudited(sql, redisUrl)
}, 240_000)
