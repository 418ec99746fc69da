import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Package } from '../../../router/task.ts'
import { audit } from '../audit/audit.ts'
import { connect, type Sql } from '../postgres/connect.ts'
import { dueOrders } from '../settle/due.ts'
import { deltasAfter, figuresOf } from '../stock/stock.ts'
import { atMs, empty, figures, lines, makeNetwork, post, pullOne, route, waits } from '../testing/world.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { shipTask } from './ship.ts'

let database: TestDatabase
let sql: Sql
let many: Sql
beforeAll(async () => {
  database = await testDatabase()
  sql = database.sql
  many = connect(database.url, { max: 10, applicationName: 'racer' })
})
beforeEach(async () => {
  await empty(sql)
  await makeNetwork(sql, { nodes: ['n1', 'n2'], skus: ['a', 'b'] })
  await post(sql, 'n1', 'add', lines('a', 1000, 'b', 1000))
})
// Whatever a test did to tasks, no promise is broken by it.
afterEach(async () => expect(await audit(sql)).toEqual([]))
afterAll(async () => {
  await many.end()
  await database.close()
})

const pack = (waybill: string, ...flat: (string | number)[]): Package => ({
  ...{ carrier: 'SF', waybill, lines: lines(...flat), shippedAt: atMs },
})

async function orderNow(orderId: string) {
  const [row] = await sql<{ state: string; version: number }[]>`
    select state, version from orders where order_id = ${orderId}`
  return row!
}

describe('ship', () => {
  test('in parts: on hand and reserved go down together, the order moves with each', async () => {
    await route(sql, 'o', 'n1', lines('a', 3, 'b', 1))
    const { taskId, fence } = await pullOne(sql, 'n1')
    const ship = (...packages: Package[]) => shipTask(sql, 'n1', taskId, fence, packages)
    const [orderId] = (await sql<{ id: string }[]>`select id from orders`).map((r) => r.id)
    expect(await ship(pack('SF000001', 'a', 1))).toEqual({
      outcome: 'partly_shipped',
      orderId,
      leaseUntil: expect.any(Date),
    })
    expect(await orderNow('o')).toEqual({ state: 'partly_shipped', version: 2 })
    // The process that took the shipment may die before it reconciles.
    expect(await dueOrders(sql, '0', 10)).toEqual([orderId])
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ onHand: 999, reserved: 2 })
    // Told again: the same answer, nothing twice.
    expect(await ship(pack('SF000001', 'a', 1))).toEqual({
      outcome: 'already_shipped',
      orderId,
      state: 'accepted',
      leaseUntil: expect.any(Date),
    })
    expect(await ship(pack('SF000001', 'a', 9))).toEqual({ outcome: 'lines_do_not_match', sku: 'a' })
    expect(await ship(pack('SF000002', 'a', 3))).toEqual({ outcome: 'lines_do_not_match', sku: 'a' })
    // An old package with new ones: only the new ones leave.
    expect(await ship(pack('SF000001', 'a', 1), pack('SF000002', 'a', 2), pack('SF000003', 'b', 1))).toEqual({
      ...{ outcome: 'shipped', orderId },
    })
    expect(await orderNow('o')).toEqual({ state: 'shipped', version: 3 })
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ onHand: 997, reserved: 0 })
    expect(await figures(sql, 'n1', 'b')).toMatchObject({ onHand: 999, reserved: 0 })
    expect(await ship(pack('SF000002', 'a', 2))).toEqual({
      outcome: 'already_shipped',
      orderId,
      state: 'shipped',
      leaseUntil: null,
    })
    expect((await sql`select from parcel`).count).toBe(3)
    expect((await sql`select outcome from decision order by version`).map((r) => r.outcome)).toEqual([
      ...['routed', 'partly_shipped', 'shipped'],
    ])
  })

  test('the same twice at once: the units leave once', async () => {
    for (let round = 0; round < 8; round++) {
      await route(sql, `o${round}`, 'n1', lines('a', 2))
      const { taskId, fence } = await pullOne(sql, 'n1')
      const packages = [pack(`SF10000${round}`, 'a', 2)]
      const done = await Promise.all(Array.from({ length: 6 }, () => shipTask(many, 'n1', taskId, fence, packages)))
      expect(done.map((d) => d.outcome).sort()).toEqual([...Array(5).fill('already_shipped'), 'shipped'])
    }
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ onHand: 984, reserved: 0 })
  })

  test('different packages of the last units at once: never more than there are', async () => {
    await route(sql, 'o', 'n1', lines('a', 5))
    const { taskId, fence } = await pullOne(sql, 'n1')
    const done = await Promise.all(
      Array.from({ length: 8 }, (_, i) => shipTask(many, 'n1', taskId, fence, [pack(`SF20000${i}`, 'a', 1)])),
    )
    const count = (outcome: string) => done.filter((d) => d.outcome === outcome).length
    expect([count('partly_shipped'), count('shipped'), count('wrong_state')]).toEqual([4, 1, 3])
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ onHand: 995, reserved: 0 })
  })

  test('after a count below: what left was there, and Redis is told so', async () => {
    await route(sql, 'o', 'n1', lines('a', 5, 'b', 2))
    const { taskId, fence } = await pullOne(sql, 'n1')
    const posted = await post(sql, 'n1', 'set', lines('a', 3))
    expect(posted).toMatchObject({ outcome: 'posted', shortages: [{ sku: 'a', missing: 2 }] })
    await sql`insert into exception (kind, ref) values ('shortage', 'n1/a')`
    const seq = (await figuresOf(sql, ['n1']))[0]!.seq
    expect(await shipTask(sql, 'n1', taskId, fence, [pack('SF000001', 'a', 5, 'b', 2)])).toMatchObject({
      outcome: 'shipped',
    })
    expect(await figures(sql, 'n1', 'a')).toEqual({ onHand: 0, reserved: 0, safety: 0 })
    // Available rose from -2 to 0.
    expect(await deltasAfter(sql, 'n1', seq)).toEqual([
      {
        ...{ node: 'n1', seq: seq + 1 },
        lines: [
          { sku: 'a', delta: 2 },
          { sku: 'b', delta: 0 },
        ],
      },
    ])
  })

  test('after a count below, the node’s lock comes before its stock’s, as everywhere', async () => {
    await route(sql, 'o', 'n1', lines('a', 5))
    const { taskId, fence } = await pullOne(sql, 'n1')
    await post(sql, 'n1', 'set', lines('a', 3))
    const racer = connect(database.url, { max: 1, applicationName: 'waiting' })
    let done: Promise<unknown> = Promise.resolve()
    await sql.begin(async (tx) => {
      await tx`select from node where node = 'n1' for update`
      done = shipTask(racer, 'n1', taskId, fence, [pack('SF000001', 'a', 5)])
      await waits(database.sql, 'waiting')
      await tx`set local lock_timeout = '2s'`
      await tx`select from stock where node = 'n1' and sku = 'a' for update`
    })
    expect(await done).toMatchObject({ outcome: 'shipped' })
    await racer.end()
  })

  test('races with counts and receipts without waiting in a circle', async () => {
    const tasks: { taskId: string; fence: number }[] = []
    for (let i = 0; i < 12; i++) {
      await route(sql, `o${i}`, 'n1', lines('a', 2, 'b', 2))
      tasks.push(await pullOne(sql, 'n1'))
    }
    await Promise.all([
      ...tasks.map(({ taskId, fence }, i) =>
        shipTask(many, 'n1', taskId, fence, [pack(`SF3000${i + 10}`, 'a', 2, 'b', 2)]),
      ),
      ...Array.from({ length: 12 }, (_, i) =>
        post(many, 'n1', 'set', i % 2 ? lines('a', 1, 'b', 1) : lines('b', 0, 'a', 3)),
      ),
    ])
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ reserved: 0 })
  })
})

test('the times of an order’s history only go forward, whichever transaction began first', async () => {
  await route(sql, 'o', 'n1', lines('a', 2))
  const { taskId, fence } = await pullOne(sql, 'n1')
  await sql.begin(async (early) => {
    await early`select now()`
    // Begins later, and is done first.
    expect(await shipTask(many, 'n1', taskId, fence, [pack('SF-first-01', 'a', 1)])).toMatchObject({
      outcome: 'partly_shipped',
    })
    await early`
      with now as (update orders set version = version + 1 where order_id = 'o' returning id, version)
      insert into decision (order_id, version, seq, outcome, trace) select id, version, 0, 'again', '{}' from now`
  })
  const history = await sql<{ at: Date }[]>`select at from decision order by version`
  expect(history.length).toBeGreaterThan(2)
  expect(history.map(({ at }) => at)).toEqual(history.map(({ at }) => at).toSorted((a, b) => Number(a) - Number(b)))
})
