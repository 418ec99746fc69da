import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { audit, invariantNames } from './audit.ts'
import type { Sql } from './connect.ts'
import { storeEvents } from './intake.ts'
import { shipTask } from './ship.ts'
import {
  atMs,
  commitStep,
  empty,
  eventOf,
  lines,
  makeNetwork,
  post,
  pullOne,
  route,
  snapshotOf,
} from './testing/world.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let database: TestDatabase
let sql: Sql
beforeAll(async () => {
  database = await testDatabase()
  sql = database.sql
})
beforeEach(async () => {
  await empty(sql)
  await healthy()
})
afterAll(() => database.close())

/** One order of each kind: in a ready task, shipped in part, backordered, cancelled, half refunded; one event undecided. */
async function healthy(): Promise<void> {
  await makeNetwork(sql, { nodes: ['n1', 'n2'], skus: ['a', 'b'] })
  await post(sql, 'n1', 'add', lines('a', 10, 'b', 10), 1)
  await route(sql, 'shipped', 'n1', lines('a', 3))
  const { taskId, fence } = await pullOne(sql, 'n1')
  const lineOf2 = [{ carrier: 'SF', waybill: 'SF000001', lines: lines('a', 2), shippedAt: atMs }]
  await shipTask(sql, 'n1', taskId, fence, lineOf2)
  await route(sql, 'ready', 'n1', lines('a', 1, 'b', 1))
  await commitStep(sql, 'waiting', { told: snapshotOf('waiting', lines('a', 2, 'b', 1)) })
  const closed = snapshotOf('cancelled', lines('a', 2), { platformState: 'closed' })
  await commitStep(sql, 'cancelled', { told: closed })
  await storeEvents(sql, [eventOf('undecided'), eventOf('hinted', { kind: 'hint' })])
  // A second event of a known order, and one that nobody could read.
  await commitStep(sql, 'ready', { told: snapshotOf('ready', lines('a', 1, 'b', 1)), node: 'n1' })
  await sql`delete from pending where kind = 'hint'`
}

/** SQL that breaks one promise and no other. */
const breaks: Readonly<Record<string, readonly string[]>> = {
  every_order_event_is_decided: [
    "delete from pending where order_id = 'undecided'",
    // Its order is there, but its own decision is not.
    `delete from decision where seq = (select max(seq) from inbox where order_id = 'ready')`,
  ],
  nothing_is_oversold: [
    `update stock set on_hand = 1 where node = 'n1' and sku = 'a';
     insert into stock_movement (node, kind, ref, skus, on_hand, reserved) values ('n1', 'ship', 'x', '{a}', '{-7}', '{0}')`,
    // A shortage that is said to be over is no excuse.
    `update stock set on_hand = 1 where node = 'n1' and sku = 'a';
     insert into stock_movement (node, kind, ref, skus, on_hand, reserved) values ('n1', 'ship', 'x', '{a}', '{-7}', '{0}');
     insert into exception (kind, ref, resolved_at) values ('shortage', 'n1/a', now())`,
  ],
  reserved_is_what_live_tasks_hold: [
    // A unit that is reserved for nobody.
    `update stock set reserved = reserved + 1 where sku = 'b';
     insert into stock_movement (node, kind, ref, skus, on_hand, reserved) values ('n1', 'reserve', 'x', '{b}', '{0}', '{1}')`,
    // A task whose units nobody reserved.
    `update stock set reserved = reserved - 1 where sku = 'b';
     insert into stock_movement (node, kind, ref, skus, on_hand, reserved) values ('n1', 'ship', 'x', '{b}', '{0}', '{-1}')`,
    // A task at a node that has no such stock at all.
    "update task set node = 'n2' where state = 'ready'",
  ],
  stock_is_what_its_movements_add_up_to: [
    "update stock set on_hand = on_hand + 1 where sku = 'b'",
    "update stock set safety = 0 where sku = 'b'",
    "insert into stock (node, sku, on_hand) values ('n2', 'a', 0)",
    "insert into stock_movement (node, kind, ref, skus, on_hand, reserved) values ('n2', 'ship', 'x', '{b}', '{1}', '{0}')",
  ],
  every_unit_is_in_one_place: [
    `update orders set allocations = jsonb_set(allocations, '{0,quantity}', '3') where order_id = 'cancelled'`,
    `update orders set allocations = jsonb_set(allocations, '{0,quantity}', '1') where order_id = 'cancelled'`,
    `update orders set allocations = '[]' where order_id = 'cancelled'`,
    `update orders set allocations = allocations || allocations where order_id = 'cancelled'`,
  ],
  tasks_hold_what_their_orders_say: [
    `update orders set allocations = jsonb_set(jsonb_set(allocations, '{0,place}', '"held"'), '{0,taskId}', 'null')
     where order_id = 'ready'`,
    `update orders set allocations = jsonb_set(allocations, '{0,taskId}', '"0-9"') where order_id = 'ready'`,
  ],
  backorders_are_what_orders_say: [
    "delete from backorder where sku = 'b'",
    "update backorder set quantity = 3 where sku = 'b'",
    "insert into backorder (order_id, sku, quantity) select id, 'b', 1 from orders where order_id = 'ready'",
  ],
  items_carry_what_was_paid: [
    `update orders set items = jsonb_set(items, '{0,paidFen}', '201') where order_id = 'waiting'`,
    `update orders set items = jsonb_set(items, '{0,paidFen}', '0') where order_id = 'shipped'`,
  ],
  shipped_is_what_packages_hold: [
    "update task set packages = '[]' where packages <> '[]'",
    "update task set packages = packages || packages where packages <> '[]'",
  ],
  what_was_given_back_is_being_decided: [
    "update task set state = 'rejected' where state = 'ready'",
    "update task set state = 'intercepted' where state = 'ready'",
  ],
  decisions_have_their_orders: [
    "insert into decision (order_id, version, seq, outcome, trace) values (9999999, 1, 0, 'routed', '{}')",
  ],
}

test('a healthy database breaks nothing', async () => {
  expect(await audit(sql)).toEqual([])
  expect((await sql`select from orders`).count).toBe(4)
})

test('every invariant has a way here to be broken', () => {
  expect(Object.keys(breaks)).toEqual(invariantNames)
})

describe.each(Object.entries(breaks))('%s', (invariant, statements) => {
  test.each(statements)('%s', async (statement) => {
    await sql.unsafe(statement)
    expect((await audit(sql)).map((v) => v.invariant)).toEqual([invariant])
  })
})

test('of many the number is told, and a few of them shown', async () => {
  await sql`
    insert into decision (order_id, version, seq, outcome, trace) select 9000000 + n, 1, 0, 'x', '{}' from generate_series(1, 30) n`
  const [violation] = await audit(sql)
  expect(violation).toMatchObject({ invariant: 'decisions_have_their_orders', count: 30 })
  expect(violation!.examples).toHaveLength(5)
})

test('what was given back may wait for its decision', async () => {
  const { taskId, fence } = await pullOne(sql, 'n1')
  await sql`update task set state = 'rejected' where task_id = ${taskId} and fence = ${fence}`
  await storeEvents(sql, [eventOf('ready', { kind: 'command' })])
  expect(await audit(sql)).toEqual([])
})

test('a count that found fewer is a shortage, not an oversale, while it is open', async () => {
  await post(sql, 'n1', 'set', lines('a', 1))
  expect((await audit(sql)).map((v) => v.invariant)).toEqual(['nothing_is_oversold'])
  await sql`insert into exception (kind, ref) values ('shortage', 'n1/a')`
  expect(await audit(sql)).toEqual([])
})
