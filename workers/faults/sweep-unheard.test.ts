/** What the sweep owes to those who were passed over: a dead process's count, another process's stock, backorders behind others. */

import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { keysOf } from '../../adapters/stock/keys.ts'
import { epochLock } from '../../adapters/store/stock/epoch.ts'
import { shortRows } from '../../adapters/store/stock/shortages.ts'
import { postStock } from '../../adapters/store/stock/stock.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import type { SkuQuantity } from '../../router/types.ts'
import { orderPath } from '../e2e/testing/service.ts'
import type { RunningService } from '../service.ts'
import { sweepOf } from '../service.ts'
import { answerShort } from '../stock/shortages.ts'
import { newLedger, orderOf, sendAll } from './testing/ledger.ts'
import { addStock, allDecided, apiKeyOf, expectAudited, loadTestNetwork, startServiceHere } from './testing/network.ts'
import { adminToken } from './testing/process.ts'

// More than the sweep compares in one round: what it finds at `n00` in a first or second one it was told of.
const nodes = Array.from({ length: 20 }, (_, i) => `n${String(i).padStart(2, '0')}`)
const skus = ['counted', 'elsewhere', 'drifted', 'new', 'scarce', 'freed', 'stopped']

let database: TestDatabase
let redisUrl: string
let service: RunningService

beforeAll(async () => {
  database = await testDatabase()
  redisUrl = (await testRedis()).url
  const none = skus.filter((sku) => sku !== 'new').map((sku) => ({ sku, quantity: 0 }))
  await loadTestNetwork(database.sql, {
    ...Object.fromEntries(nodes.map((node) => [node, none])),
    ...{ others: [{ sku: 'new', quantity: 0 }] },
  })
  // One that serves JD alone.
  await database.sql`update node set detail = detail || '{"channels": ["jd"]}' where node = 'n01'`
  service = await startServiceHere({ databaseUrl: database.url, redisUrl })
})
afterAll(async () => {
  await expectAudited(database.sql, redisUrl)
  await service.stop()
  await database.close()
})

const url = (of: RunningService = service) => `http://127.0.0.1:${of.port}`
const lines = (sku: string, quantity = 1): SkuQuantity[] => [{ sku, quantity }]

async function ask(method: string, path: string, body: unknown, token = adminToken, of = service): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const answer = await fetch(`${url(of)}${path}`, { method, headers, body: JSON.stringify(body) })
  return await answer.json()
}

/** Orders one after the other, each decided. */
async function tell(orders: readonly ReturnType<typeof orderOf>[]): Promise<void> {
  await sendAll(orders, { target: () => url(), ledger: newLedger() })
  await allDecided(database.sql)
}

async function stateOf({ orderId }: { readonly orderId: string }): Promise<string> {
  const [row] = await database.sql<{ state: string }[]>`select state from orders where order_id = ${orderId}`
  return row!.state
}

/** As a process does that dies between its commit and everything that follows. */
async function postAndDie(node: string, ref: string, kind: 'set' | 'add', given: readonly SkuQuantity[]) {
  const bodyHash = createHash('sha256')
    .update(JSON.stringify([kind, given]))
    .digest()
  const posted = await postStock(database.sql, { node, ref, kind, lines: given, bodyHash })
  expect(posted.outcome).toBe('posted')
}

const openShortages = async () =>
  (await database.sql`select ref from exception where kind = 'shortage' and resolved_at is null`).map((e) => e.ref)
const recalls = async () =>
  (await database.sql`select event_id from inbox where event_id like 'command:take_back:%.shortage'`).length

test.each(['is asked again', 'is found by the sweep'])(
  'a count whose process died after its commit %s, and recalls once what is missing',
  async (how) => {
    await addStock(url(), 'n02', lines('counted', 4))
    const orders = [1, 1, 1, 1].map(() => orderOf(lines('counted')))
    for (const order of orders) await tell([order])
    const recalledBefore = await recalls()
    await postAndDie('n02', `count ${how}`, 'set', lines('counted', 2))
    const sweep = sweepOf(service)
    if (how === 'is asked again') {
      const again = { ref: `count ${how}`, kind: 'set', lines: lines('counted', 2) }
      const answers = [1, 2].map(() => ask('POST', '/v1/nodes/n02/stock', again))
      expect(await answers[0]).toMatchObject({ posted: false })
      await answers[1]
    } else await Promise.all([sweep.round(), sweepOf(service).round()])
    await allDecided(database.sql)
    expect(await recalls()).toBe(recalledBefore + 2)
    // The newest two, and they alone.
    expect(await Promise.all(orders.map(stateOf))).toEqual(['routed', 'routed', 'backordered', 'backordered'])
    await sweep.round()
    expect(await openShortages()).toEqual([])
    await sweep.round()
    await allDecided(database.sql)
    expect(await recalls()).toBe(recalledBefore + 2)
    for (const order of orders) await ask('POST', `${orderPath(order)}/cancel`, {})
    await postAndDie('n02', `end ${how}`, 'set', lines('counted', 0))
    await sweep.round()
  },
)

test('a count that another answers for meanwhile recalls nothing more than is missing', async () => {
  await addStock(url(), 'n04', lines('counted', 3))
  const orders = [1, 1, 1].map(() => orderOf(lines('counted')))
  for (const order of orders) await tell([order])
  const recalledBefore = await recalls()
  await postAndDie('n04', 'count of two', 'set', lines('counted', 1))
  const found = await shortRows(database.sql, { node: 'n04', skus: ['counted'] })
  expect(found).toMatchObject([{ missing: 2 }])
  await answerShort(service, found)
  await allDecided(database.sql)
  // As who found it just before, and comes to answer for it only now.
  expect(await answerShort(service, found)).toEqual([])
  await allDecided(database.sql)
  expect(await recalls()).toBe(recalledBefore + 2)
  expect(await Promise.all(orders.map(stateOf))).toEqual(['routed', 'backordered', 'backordered'])
  for (const order of orders) await ask('POST', `${orderPath(order)}/cancel`, {})
  await postAndDie('n04', 'end', 'set', lines('counted', 0))
  await sweepOf(service).round()
})

test('a shortage of which all is pulled is raised without the caller, and stays', async () => {
  await addStock(url(), 'n03', lines('counted', 1))
  const order = orderOf(lines('counted'))
  await tell([order])
  const pulled = await ask('POST', '/v1/nodes/n03/tasks/pull', { limit: 9, leaseSeconds: 60 }, apiKeyOf('n03'))
  expect(pulled).toMatchObject({ tasks: [{}] })
  await postAndDie('n03', 'all pulled', 'set', lines('counted', 0))
  const sweep = sweepOf(service)
  for (const _ of [1, 2]) {
    await sweep.round()
    expect(await openShortages()).toEqual(['n03/counted'])
  }
  await addStock(url(), 'n03', lines('counted', 1))
  await sweep.round()
  expect(await openShortages()).toEqual([])
})

test('stock that another process posted is heard at once, and what nobody told at the next round, wherever it is', async () => {
  const other = await startServiceHere({ databaseUrl: database.url, redisUrl })
  await service.catalog.fillAvailability()
  const sweep = sweepOf(service)
  const elsewhere = service.catalog.current.skuNo('elsewhere')
  for (const node of nodes) {
    await addStock(url(other), node, lines('elsewhere', 1))
  }
  // The other process tells at most once a second until it knows that it is heard: the rest comes with the round.
  while (service.catalog.availability.anywhere(elsewhere) === 0) await new Promise(setImmediate)
  await sweep.round()
  expect(service.catalog.availability.anywhere(elsewhere)).toBe(nodes.length)
  // Posted by one that died: Redis hears of it as well.
  for (const node of nodes) await postAndDie(node, 'untold', 'add', lines('elsewhere', 1))
  await sweep.round()
  for (const node of nodes) expect((await service.keeper.look(node)).atp.get('elsewhere')).toBe(2)
  expect(service.catalog.availability.anywhere(elsewhere)).toBe(2 * nodes.length)
  await other.stop()
})

test('the safety stock of what is new at a node is the one that was set last, by whichever process', async () => {
  const other = await startServiceHere({ databaseUrl: database.url, redisUrl })
  const settings = { name: 'n04', kind: 'warehouse', adcode: '330106', apiKey: 'a-new-key-of-n04', safetyStock: 10 }
  expect(await ask('PUT', '/v1/nodes/n04', settings)).toEqual({ ok: true })
  await ask('POST', '/v1/nodes/n04/stock', { ref: 'new', kind: 'set', lines: lines('new', 12) }, adminToken, other)
  expect(await database.sql`select safety from stock where node = 'n04' and sku = 'new'`).toEqual([{ safety: 10 }])
  await other.stop()
})

test.each(['n09', 'n17'])('a difference is looked at again in the next round, and no sooner: %s', async (node) => {
  const redis = new Redis(redisUrl)
  const drifts = async () =>
    (await database.sql`select ref from exception where kind = 'stock_drift' and resolved_at is null`).map((e) => e.ref)
  await redis.hincrby(keysOf('pd:', node).atp, 'drifted', 3)
  redis.disconnect()
  const sweep = sweepOf(service, { nodesPerRoundMax: 8 })
  let rounds = 0
  const seen = () => service.catalog.availability.anywhere(service.catalog.current.skuNo('drifted')) > 0
  while (!seen()) {
    await sweep.round()
    rounds += 1
    expect(await drifts()).toEqual([])
  }
  expect(rounds).toBe(node === 'n09' ? 2 : 3)
  await sweep.round()
  expect(await drifts()).toEqual([node])
  await sweep.round()
  expect(await drifts()).toEqual([])
})

test('backorders that cannot be filled keep nothing from those that can', async () => {
  const never = Array.from({ length: 1_100 }, () => orderOf(lines('scarce')))
  await tell(never)
  const can = orderOf(lines('scarce'), 'jd')
  const other = orderOf(lines('freed'))
  await tell([can, other])
  // n01 sends nothing to Tmall.
  await addStock(url(), 'n01', lines('scarce', 5))
  await allDecided(database.sql)
  // Comes free without a posting, as by a cancelled order.
  await postAndDie('n05', 'freed', 'add', lines('freed', 1))
  const sweep = sweepOf(service)
  await sweep.round()
  await allDecided(database.sql)
  expect(await stateOf(other)).toBe('routed')
  for (let round = 0; round < 3; round++) {
    await sweep.round()
    await allDecided(database.sql)
  }
  expect(await stateOf(can)).toBe('routed')
  const asked = async () => (await database.sql`select from inbox where kind = 'command'`).count
  // Those that were asked in vain say so in a word, and are the orders that they were.
  const [vain] = await database.sql`
    select count(*)::int as rows, max(length(trace::text)) as longest, max(o.version) as version
    from decision d join orders o on o.id = d.order_id
    where d.outcome = 'restocked' and o.state = 'backordered'`
  expect(vain!.rows).toBeGreaterThanOrEqual(never.length)
  expect(vain!.version).toBe(1)
  expect(vain!.longest).toBeLessThan(200)
  const before = await asked()
  await sweep.round()
  // All were asked on this stock: it rests.
  expect(await asked()).toBe(before)
  expect(new Set(await Promise.all(never.slice(0, 5).map(stateOf)))).toEqual(new Set(['backordered']))
})

test('lapsed intercepts are all taken in one round that waits for no decision', async () => {
  await addStock(url(), 'n06', lines('stopped', 12))
  const orders = Array.from({ length: 12 }, () => orderOf(lines('stopped')))
  await tell(orders)
  await ask('POST', '/v1/nodes/n06/tasks/pull', { limit: 50, leaseSeconds: 60 }, apiKeyOf('n06'))
  for (const order of orders) await ask('POST', `${orderPath(order)}/cancel`, {})
  await database.sql`update task set lease_until = now() - interval '1 second' where node = 'n06' and intercept_requested`
  await database.sql.begin(async (tx) => {
    // No decision can be committed for as long as this is held.
    await tx`select pg_advisory_xact_lock(${epochLock})`
    await sweepOf(service).round()
    const rows = await tx`select state, count(*)::int from task where node = 'n06' group by 1`
    expect(rows).toEqual([{ state: 'intercepted', count: 12 }])
  })
  await allDecided(database.sql)
  expect(new Set(await Promise.all(orders.map(stateOf)))).toEqual(new Set(['cancelled']))
})

test.each([
  ['undecidable_event', (e: Row) => `${e.channel}/${e.shop}/${e.event_id}`],
  ['order_not_fetched', (e: Row) => `${e.channel}/${e.shop}/${e.order_id}`],
])('%s ends when nothing of it is pending any more', async (kind, refOf) => {
  const { sql } = database
  const [notification] = await sql<Row[]>`
    insert into pending (seq, day, channel, shop, event_id, order_id, kind, not_before)
    values (nextval('event_seq'), '2026-11-11', 'wechat', 'a shop', 'an event', 'an order', 'notification', 'infinity') returning *`
  const { channel, shop, order_id, event_id } = notification!
  const detail = { channel, shop, orderId: order_id, eventId: event_id }
  await sql`insert into exception (kind, ref, detail) values (${kind}, ${refOf(notification!)}, ${sql.json(detail)})`
  const open = async () => (await sql`select from exception where kind = ${kind} and resolved_at is null`).count
  await sweepOf(service).round()
  expect(await open()).toBe(1)
  await sql`delete from pending where seq = ${notification!.seq}`
  await sweepOf(service).round()
  expect(await open()).toBe(0)
})

interface Row {
  readonly seq: string
  readonly channel: string
  readonly shop: string
  readonly event_id: string
  readonly order_id: string
}
