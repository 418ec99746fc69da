/** A setting that was mended lets go the orders that it held, without a person, whatever dies in between. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { putSkus } from '../../adapters/store/catalog/catalog.ts'
import { adminToken, spawnService } from '../faults/testing/process.ts'
import { LettingGo } from '../operate/let-go.ts'
import { Client } from './testing/client.ts'
import { later, shopOf, type TestOrder, testOrder } from './testing/orders.ts'
import { startTestService, type TestService } from './testing/service.ts'
import { credentials } from './testing/webhooks.ts'

let service: TestService
beforeAll(async () => {
  service = await startTestService()
})
afterAll(() => service.close())
afterEach(async () => expect(await service.audit()).toEqual([]))

const jdShop = `/v1/shops/jd/${shopOf.jd}`
const skuOf = (sku: string) =>
  ({ sku, name: sku, weightGrams: 1, storageClass: 'normal', warehouseOnly: false, bundle: [] }) as const

/** Of codes that nobody knows yet. */
async function held(codes: readonly string[], given: Partial<TestOrder> = {}): Promise<TestOrder> {
  const order = testOrder(
    'jd',
    codes.map((sku) => ({ sku, quantity: 1, paidFen: 100 })),
    given,
  )
  await service.tell(order)
  expect(await rulesOf(order)).toContain('unknown_sku')
  return order
}

const rulesOf = async (order: TestOrder) => (await service.order(order)).holds.map(({ rule }) => rule)
const stateOf = async (order: TestOrder) => (await service.order(order)).state

async function set(method: 'PUT' | 'PATCH', path: string, body: unknown): Promise<void> {
  expect(await service.admin(method, path, body)).toMatchObject({ status: 200 })
  await service.settled()
}

test('a SKU that is put lets go what it held; goods then route it', async () => {
  const order = await held(['late-sku'])
  await service.goods('late-sku', {})
  await service.settled()
  expect(await stateOf(order)).toBe('backordered')
  expect((await service.order(order)).history.at(-1)).toMatchObject({
    ...{ taken: 'rechecked', actor: { kind: 'stage', name: 'settings' } },
  })
  await service.count('east', 'set', [{ sku: 'late-sku', quantity: 1 }])
  expect(await stateOf(order)).toBe('routed')
})

test('a bundle that is put, or mended, routes what waited for it', async () => {
  await service.goods('late-part', { east: 10 })
  const order = await held(['late-set'])
  const bundle = [{ sku: 'late-part', quantity: 2 }]
  await set('PUT', '/v1/skus/late-set', { name: '套装', weightGrams: 1, bundle })
  expect(await stateOf(order)).toBe('routed')
  expect(await service.stock('late-part')).toMatchObject({ east: { reserved: 2 } })
})

test('a skuMap that is mended, in part or whole, routes what waited for its entries', async () => {
  await service.goods('mapped', { east: 10 })
  const [first, second] = [await held(['platform-1', 'mapped']), await held(['platform-2'])]
  await set('PATCH', jdShop, { skuMap: { 'platform-1': 'mapped' } })
  expect([await stateOf(first), await stateOf(second)]).toEqual(['routed', 'held'])
  await set('PUT', jdShop, { credentials: credentials.jd, skuMap: { 'platform-2': 'mapped' } })
  expect(await stateOf(second)).toBe('routed')
})

test('what else holds an order holds it still, and no code is let go while another is unknown', async () => {
  await service.goods('both-1', { east: 10 })
  const noted = await held(['both-2'], { sellerMemo: '加急人工审核，请联系客服' })
  const rules = await rulesOf(noted)
  const other = await held(['both-2', 'both-3'])
  const { version } = await service.order(other)
  await set('PATCH', jdShop, { skuMap: { 'both-2': 'both-1' } })
  expect(await rulesOf(noted)).toEqual(rules.filter((rule) => rule !== 'unknown_sku'))
  expect([await stateOf(other), (await service.order(other)).version]).toEqual(['held', version])
  await service.tell(later(noted, { sellerMemo: '' }))
  expect(await stateOf(noted)).toBe('routed')
  await set('PATCH', jdShop, { skuMap: { 'both-3': 'both-1' } })
  expect(await stateOf(other)).toBe('routed')
})

test('of many held orders the sweep lets go some in each round, until none is left', async () => {
  const orders: TestOrder[] = []
  for (let i = 0; i < 7; i++) orders.push(await held([i % 3 === 2 ? `nobody-knows-${i}` : 'paged']))
  await putSkus(service.sql, [skuOf('paged')])
  await service.running.catalog.refresh()
  const left = async () =>
    (await service.sql`select from orders where state = 'held' and items::text like '%"paged"%'`).count
  const letting = new LettingGo(service.running, { ordersPerPage: 2, pages: 1 })
  for (let before = 5; before > 0; ) {
    await letting.round()
    await service.settled()
    const now = await left()
    expect(before - now).toBeLessThanOrEqual(2)
    before = now
  }
  const states = await Promise.all(orders.map(stateOf))
  expect(states).toEqual(orders.map((_, i) => (i % 3 === 2 ? 'held' : 'backordered')))
})

test('asked by many at once it is one command', async () => {
  const order = await held(['asked-at-once'])
  await putSkus(service.sql, [skuOf('asked-at-once')])
  await service.running.catalog.refresh()
  await Promise.all(Array.from({ length: 8 }, () => new LettingGo(service.running).round()))
  await service.settled()
  expect(await stateOf(order)).toBe('backordered')
  const taken = (await service.order(order)).history.filter((entry) => entry.taken === 'rechecked')
  // Where the minute ends in between, two.
  expect([1, 2]).toContain(taken.length)
})

test('a process that is killed between the setting and the letting go leaves it to the next start', async () => {
  await service.goods('survives', { east: 10 })
  const order = await held(['killed'])
  await service.restart(async () => {
    const process = await spawnService({
      ...{ DATABASE_URL: service.databaseUrl, REDIS_URL: service.redisUrl, THREADS: '1', SWEEP_SECONDS: '3600' },
    })
    const client = new Client(process.url)
    // The setting is committed; the command behind it is not.
    await service.sql.begin(async (tx) => {
      await tx`lock table inbox in exclusive mode`
      const asked = client.ask('PATCH', jdShop, { token: adminToken, body: { skuMap: { killed: 'survives' } } })
      asked.catch(() => undefined)
      const waiting = () => tx<{ pid: number }[]>`
        select pid from pg_locks where relation = 'inbox'::regclass and not granted`
      while ((await waiting()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      await process.kill()
      for (const { pid } of await waiting()) await tx`select pg_terminate_backend(${pid}, 5000)`
    })
    await client.close()
    const [shop] = await service.sql<{ mapped: string }[]>`
      select sku_map ->> 'killed' as mapped from shop where shop = ${shopOf.jd} and channel = 'jd'`
    expect(shop!.mapped).toBe('survives')
    expect(await service.sql`select from inbox where order_id = ${order.orderId} and kind = 'command'`).toHaveLength(0)
  })
  await service.sweep()
  expect(await stateOf(order)).toBe('routed')
})
