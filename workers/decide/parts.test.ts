/** A batch that comes to many more items than its bodies show is placed and committed in parts. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { putSkus } from '../../adapters/store/catalog/catalog.ts'
import { storeEvents } from '../../adapters/store/inbox/store-events.ts'
import { PostgresStore } from '../../adapters/store/postgres-store.ts'
import { empty, eventOf, makeNetwork, post, skuOf } from '../../adapters/store/testing/world.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { buildDivisions } from '../../router/address.ts'
import { orderItemsMax } from '../../router/bundle.ts'
import { defaultPolicy } from '../../router/policy.ts'
import type { OrderKey } from '../../router/types.ts'
import { Availability } from '../catalog/availability.ts'
import { readCatalog } from '../catalog/catalog.ts'
import { StockKeeper } from '../counters/stock-keeper.ts'
import { auditStores } from '../operate/audit/both-stores.ts'
import type { BatchResult, EventToDecide } from './batch.ts'
import { decideBatch } from './decide-batch.ts'

const partsOfSet = 50
const skusOf = (count: number) => Array.from({ length: count }, (_, i) => `part${i}`)

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

/** Commits as ever, and says how many orders each commit had. */
class Store extends PostgresStore {
  readonly ordersOfCommits: number[] = []
  readonly ordersOfLoads: number[] = []
  loadedBytesMax: number | null = null
  override async commitDecisions(...given: Parameters<PostgresStore['commitDecisions']>) {
    this.ordersOfCommits.push(given[1].length)
    return await super.commitDecisions(...given)
  }
  override async loadSome(keys: readonly OrderKey[], bytesMax: number) {
    const some = await super.loadSome(keys, this.loadedBytesMax ?? bytesMax)
    this.ordersOfLoads.push(some.loaded.size)
    return some
  }
}

/** One piece of each. */
async function storedOrder(
  orderId: string,
  skus: readonly string[],
  status = 'WAIT_SELLER_SEND_GOODS',
): Promise<EventToDecide> {
  const order = skus.map((sku, i) => ({
    ...{ oid_str: `${orderId}${i}`, num: 1, outer_sku_id: sku, divide_order_fee: '1.00' },
  }))
  const receiver = { receiver_name: '*', receiver_mobile: '*', receiver_address: '*', receiver_district: '' }
  const trade = {
    ...{ tid_str: orderId, status, modified: '2025-01-01 00:00:00', post_fee: '0.00' },
    ...{ payment: `${skus.length}.00`, receiver_state: '上海市', receiver_city: '上海市', ...receiver },
    orders: { order },
  }
  const event = eventOf(orderId, { eventId: `${orderId}-${status}`, body: Buffer.from(JSON.stringify({ trade })) })
  const [stored] = await storeEvents(database.sql, [event])
  if (stored?.outcome !== 'new') throw new Error('the event is known')
  return { ...event, seq: stored.seq, storedAtMs: 1 }
}

interface Setting {
  readonly store: Store
  readonly keeper: StockKeeper
  readonly decideAll: (events: readonly EventToDecide[]) => Promise<BatchResult>
}

/** One node that has a thousand of each SKU. */
async function settingWith(skus: readonly string[]): Promise<Setting> {
  const { sql } = database
  await empty(sql)
  await makeNetwork(sql, { nodes: ['n1'], skus })
  const ones = skus.map((sku) => ({ sku, quantity: 1 }))
  await putSkus(sql, [skuOf('set', ones.slice(0, partsOfSet))])
  await post(
    sql,
    'n1',
    'add',
    ones.map(({ sku }) => ({ sku, quantity: 1000 })),
  )
  const redis = (await testRedis()).url
  const keeper = new StockKeeper(sql, { redis, keyPrefix: 'parts:' }, undefined, 'own')
  await keeper.open()
  const catalog = await readCatalog(sql)
  const availability = Availability.sized(skus.length)
  for (const sku of skus) availability.set(catalog.nodeNo(0), catalog.skuNo(sku), 1000)
  const store = new Store(sql)
  const divisions = buildDivisions([{ adcode: '310000', name: '上海市', point: { lat: 31, lng: 121 } }])
  const logBug = (_: unknown, error: unknown) => {
    throw error
  }
  // Nobody wonders at an order of many pieces.
  const policy = { ...defaultPolicy, check: { ...defaultPolicy.check, orderQuantityMax: orderItemsMax } }
  const rest = { policy, divisions, now: () => 1, logBug }
  return {
    store,
    keeper,
    decideAll: (events) => decideBatch({ catalog, availability, keeper, store, ...rest }, events),
  }
}

test('eleven orders of 1,000 items each: ten, then one; all are decided, and every invariant holds', async () => {
  const { store, keeper, decideAll } = await settingWith(skusOf(partsOfSet))
  const events: EventToDecide[] = []
  for (let i = 0; i < 11; i++) events.push(await storedOrder(`7${i}`, Array(20).fill('set')))
  const { decided } = await decideAll(events)
  expect(decided).toMatchObject(events.map(({ seq }) => ({ seq, done: true, outcome: 'routed' })))
  expect(store.ordersOfCommits).toEqual([10, 1])
  expect(await auditStores(database.sql, keeper)).toEqual([])
  keeper.close()
})

test('known orders that are too much to read at once are read and decided one after the other', async () => {
  const { store, keeper, decideAll } = await settingWith(skusOf(partsOfSet))
  const ids = Array.from({ length: 5 }, (_, i) => `6${i}`)
  const all = (status?: string) => Promise.all(ids.map((id) => storedOrder(id, ['set'], status)))
  await decideAll(await all())
  store.loadedBytesMax = 1
  store.ordersOfLoads.length = 0
  const { decided } = await decideAll([...(await all('TRADE_CLOSED')), await storedOrder('9', ['set'])])
  expect(decided.map(({ done }) => done)).toEqual(Array(6).fill(true))
  expect(store.ordersOfLoads).toEqual([1, 1, 1, 1, 1])
  const states = await database.sql`select state, count(*)::int as orders from orders group by 1 order by 1`
  expect([...states]).toEqual([
    { state: 'cancelled', orders: 5 },
    { state: 'routed', orders: 1 },
  ])
  expect(await auditStores(database.sql, keeper)).toEqual([])
  keeper.close()
})

test('as many SKUs as an order may come to, all of them at one node: one task', async () => {
  const skus = skusOf(orderItemsMax)
  const { keeper, decideAll } = await settingWith(skus)
  expect((await decideAll([await storedOrder('8', skus)])).decided).toMatchObject([{ done: true, outcome: 'routed' }])
  const tasks = await database.sql`select json_array_length(lines::json) as lines from task`
  expect([...tasks]).toEqual([{ lines: orderItemsMax }])
  expect(await auditStores(database.sql, keeper)).toEqual([])
  keeper.close()
})
