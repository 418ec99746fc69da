/** Two who decide the same event, threads that die, events that nobody can decide: the others never notice. */
import { createHash } from 'node:crypto'
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { storeEvents } from '../../adapters/store/inbox/store-events.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import type { TestOrder } from '../e2e/testing/orders.ts'
import { tmallTrade } from '../e2e/testing/platforms.ts'
import { sweepOf } from '../service.ts'
import { lostOrders, newLedger, orderOf, sendAll } from './testing/ledger.ts'
import { allDecided, expectAudited, loadTestNetwork, startServiceHere, unitsOf, until } from './testing/network.ts'

let database: TestDatabase
let servers: { databaseUrl: string; redisUrl: string }

// Every thread that is made from here on, by whoever makes it.
const threads: Worker[] = []
const keep = (thread: Worker): void => void threads.push(thread)

beforeAll(async () => {
  process.on('worker', keep)
  database = await testDatabase()
  servers = { databaseUrl: database.url, redisUrl: (await testRedis()).url }
  const stock = ['twice', 'dying', 'cut-off', 'poisoned'].map((sku) => ({ sku, quantity: 100 }))
  await loadTestNetwork(database.sql, { north: stock })
})
afterAll(async () => {
  process.off('worker', keep)
  await database.close()
})

interface Raw {
  readonly order: TestOrder
  readonly kind: 'order' | 'command'
  readonly eventId: string
  readonly body: Buffer
}

/** Into the inbox as a process leaves them that dies before it decides. */
async function leave(events: readonly Raw[]): Promise<string[]> {
  const stored = await storeEvents(
    database.sql,
    events.map(({ order: { channel, shop, orderId, at }, kind, eventId, body }) => {
      const bodyHash = createHash('sha256').update(body).digest('hex')
      return { channel, shop, orderId, eventId, kind, occurredAt: at, body, bodyHash }
    }),
  )
  return stored.map((s) => (s.outcome === 'new' ? s.seq : s.outcome))
}

const paid = (order: TestOrder): Raw => ({
  order,
  kind: 'order',
  eventId: `paid ${order.orderId}`,
  body: Buffer.from(tmallTrade(order)),
})
const junk = (order: TestOrder): Raw => ({ order, kind: 'command', eventId: 'junk', body: Buffer.from('{"type":') })

test('two processes find the same events: each is decided once', async () => {
  const seqs = await leave(Array.from({ length: 150 }, () => paid(orderOf([{ sku: 'twice', quantity: 1 }]))))
  const both = await Promise.all([startServiceHere(servers), startServiceHere(servers)])
  await allDecided(database.sql)
  await until(
    () => both.reduce((sum, s) => sum + s.dispatch.size, 0),
    (size) => size === 0,
    'both are idle',
  )
  const decisions =
    await database.sql`select seq, count(*)::int from decision where seq = any(${seqs}::bigint[]) group by seq`
  expect(decisions).toHaveLength(150)
  expect(decisions.filter((d) => d.count !== 1)).toEqual([])
  // Whoever came second may have found everything reserved by the first, backordered it all and committed before him: then
  // the goods come back, and the next look gives them out.
  await sweepOf(both[0]!, { heldMsMax: 0 }).round()
  await allDecided(database.sql)
  expect(await unitsOf(database.sql, 'twice')).toEqual({ inTasks: 100, backordered: 50 })
  await expectAudited(database.sql, servers.redisUrl)
  await Promise.all(both.map((s) => s.stop()))
})

test.each([
  {
    what: 'a thread dies',
    sku: 'dying',
    deaths: 3,
    strike: async () => void (await threads.at(-1)!.terminate()),
  },
  {
    what: 'a thread loses its connections',
    sku: 'cut-off',
    deaths: 0,
    strike: async () => void (await cutOff()),
  },
])(
  '$what in mid-batch, again and again: its events are decided, its goods not lost',
  async ({ sku, deaths, strike }) => {
    threads.length = 0
    const { sql } = database
    const service = await startServiceHere(servers)
    const ledger = newLedger()
    for (let time = 1; time <= 3; time++) {
      let letGo: () => void = () => undefined
      const held = new Promise<void>((resolve) => {
        letGo = resolve
      })
      const holding = sql.begin(async (tx) => {
        await tx`lock table orders in exclusive mode`
        await held
      })
      const orders = Array.from({ length: 50 }, () => orderOf([{ sku, quantity: 1 }]))
      await sendAll(orders, { target: () => `http://127.0.0.1:${service.port}`, ledger })
      await until(
        () => sql`select from pg_locks where relation = 'orders'::regclass and not granted`,
        (rows) => rows.length > 0,
        'a batch that hangs in its commit, with its goods reserved',
      )
      await strike()
      letGo()
      await holding
      await allDecided(sql)
    }
    expect(threads).toHaveLength(1 + deaths)
    expect(ledger.refused + ledger.unanswered).toBe(0)
    expect(await lostOrders(sql, ledger)).toEqual([])
    expect(await unitsOf(sql, sku)).toEqual({ inTasks: 100, backordered: 50 })
    await sweepOf(service, { heldMsMax: 0 }).round()
    await expectAudited(sql, servers.redisUrl)
    await service.stop()
  },
)

async function cutOff(): Promise<void> {
  await database.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'paidan thread'`
}

test('an event that nobody can decide is put aside and shown; those beside it, even of its own order, go on', async () => {
  const order = orderOf([{ sku: 'poisoned', quantity: 1 }])
  const others = Array.from({ length: 20 }, () => orderOf([{ sku: 'poisoned', quantity: 1 }]))
  const poison = junk(order)
  const [seq] = await leave([poison, paid(order), ...others.map(paid)])
  const service = await startServiceHere(servers)
  await until(
    () => database.sql`select seq from pending where last_error is null`,
    (rows) => rows.length === 0,
    'all but the poison decided',
  )
  expect(await database.sql`select seq, attempts from pending`).toEqual([{ seq, attempts: 1 }])
  const [raised] = await until(
    () => database.sql`select ref from exception where kind = 'undecidable_event' and resolved_at is null`,
    (rows) => rows.length > 0,
    'the poison raised',
  )
  expect(raised).toEqual({ ref: `${order.channel}/${order.shop}/${poison.eventId}` })
  expect(await unitsOf(database.sql, 'poisoned')).toEqual({ inTasks: 21, backordered: 0 })
  await service.stop()
})

test('the body of an order that is no order is decided as what it is', async () => {
  const order = orderOf([{ sku: 'poisoned', quantity: 1 }])
  await leave([{ ...paid(order), body: Buffer.from('{}') }])
  const service = await startServiceHere(servers)
  await until(
    () => database.sql`select seq from pending where last_error is null`,
    (rows) => rows.length === 0,
    'decided',
  )
  expect(await database.sql`select ref from exception where kind = 'unintelligible_event'`).toHaveLength(1)
  await service.stop()
})
