/** What the audit mends of orders, over a database that no service works on. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { audit } from '../../../adapters/store/audit/audit.ts'
import { insertEvent } from '../../../adapters/store/inbox/insert-event.ts'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import { unpulledTasks } from '../../../adapters/store/stock/shortages.ts'
import {
  commitStep,
  empty,
  eventOf,
  lines,
  makeNetwork,
  post,
  route,
  snapshotOf,
} from '../../../adapters/store/testing/world.ts'
import { type TestDatabase, testDatabase } from '../../../adapters/store/testing.ts'
import { mend } from './mend.ts'

let database: TestDatabase
let sql: Sql
beforeAll(async () => {
  database = await testDatabase()
  sql = database.sql
})
afterAll(() => database.close())
beforeEach(async () => {
  await empty(sql)
  await makeNetwork(sql, { nodes: ['n1'], skus: ['a'] })
  await post(sql, 'n1', 'add', lines('a', 10))
  await route(sql, 'ready', 'n1', lines('a', 1))
  await commitStep(sql, 'waiting', { told: snapshotOf('waiting', lines('a', 2)) })
})

const broken = async () => (await audit(sql)).map((v) => v.invariant)
const mendAll = async () => await mend(sql, null, await audit(sql), {})

test('a state is computed anew, and the history says so', async () => {
  await sql`update orders set state = 'held' where order_id = 'ready'`
  expect(await broken()).toEqual(['order_states_are_what_units_say'])
  expect(await mendAll()).toMatchObject([{ count: 1 }])
  expect(await broken()).toEqual([])
  const rows = await sql`
    select o.state, o.version, d.outcome, d.trace::json ->> 'was' as was from orders o
    join decision d on d.order_id = o.id and d.version = o.version where o.order_id = 'ready'`
  expect([...rows]).toEqual([{ state: 'routed', version: 2, outcome: 'routed', was: 'held' }])
  expect(await mendAll()).toEqual([])
})

test('an order whose goods are there is asked for again, once', async () => {
  await sql`update stock_movement set at = now() - interval '2 hours'`
  await sql`update backorder set since = now() - interval '2 hours'`
  expect(await broken()).toEqual(['no_order_waits_for_goods_that_are_there'])
  expect(await mendAll()).toMatchObject([{ count: 1 }])
  const pending = await sql`select order_id, kind from pending`
  expect([...pending]).toEqual([{ order_id: 'waiting', kind: 'command' }])
  expect(await mendAll()).toEqual([])
})

test('a closed order that the match would not close is marked', async () => {
  await sql`update orders set state = 'closed' where order_id = 'ready'`
  await sql`insert into reconciliation (order_id, state, detail) select id, 'closed', '{"version": 1}' from orders where order_id = 'ready'`
  expect(await broken()).toContain('closed_orders_agree_anew')
  await mendAll()
  expect(await broken()).toEqual([])
  const [row] = await sql`select state from orders where order_id = 'ready'`
  expect(row).toEqual({ state: 'routed' })
})

test('a shortage that is over is ended', async () => {
  await sql`update stock_movement set at = now() - interval '1 hour'`
  await sql`
    insert into exception (kind, ref, detail, since)
    values ('shortage', 'n1/a', '{"node": "n1", "sku": "a", "missing": 1}', now() - interval '1 hour')`
  expect(await broken()).toEqual(['open_shortages_are_short'])
  expect(await mendAll()).toMatchObject([{ count: 1 }])
  expect(await broken()).toEqual([])
})

test('an answer of a warehouse that was decided and came to nothing is decided again, under an id of its own', async () => {
  const [task] = await sql<{ task_id: string; order_id: string }[]>`
    update task set state = 'rejected', fence = 1 returning task_id, order_id`
  const eventId = `command:take_back:${task!.task_id}.1`
  const seq = (await sql.begin((tx) => insertEvent(tx, eventOf('ready', { kind: 'command', eventId })))) as string
  await sql`delete from pending where seq = ${seq}`
  await sql`
    insert into decision (order_id, version, seq, outcome, trace) values (${task!.order_id}, 1, ${seq}, 'unchanged', '{}')`
  expect(await broken()).toEqual(['what_was_given_back_is_being_decided'])
  expect(await mendAll()).toMatchObject([{ count: 1 }])
  expect(await broken()).toEqual([])
  const pending = await sql`select event_id from pending`
  expect([...pending]).toEqual([{ event_id: expect.stringMatching(new RegExp(`^${eventId}\\.again-`)) }])
})

test('units that no row can hold are told, and stop nothing', async () => {
  const more = sql`'3000000000'::jsonb`
  await sql`update task set lines = jsonb_set(lines, '{0,quantity}', ${more})`
  await sql`
    update orders set items = jsonb_set(items, '{0,quantity}', ${more}), allocations = jsonb_set(allocations, '{0,quantity}', ${more})
    where order_id = 'waiting'`
  const found = await broken()
  expect(found).toEqual(expect.arrayContaining(['backorders_are_what_orders_say', 'reserved_is_what_live_tasks_hold']))
  // The order waits all the same: when it is decided the next time it is held as too_many_units.
  expect(await mendAll()).toMatchObject([{ count: 1 }])
  expect((await sql`select quantity from backorder`)[0]).toEqual({ quantity: 2_147_483_647 })
  expect((await sql`select reserved from stock`)[0]).toEqual({ reserved: 1 })
  expect((await unpulledTasks(sql, [{ node: 'n1', sku: 'a' }])).map((t) => t.quantity)).toEqual([3_000_000_000])
})
