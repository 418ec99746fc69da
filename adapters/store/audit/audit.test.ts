import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { receive, requestReturn } from '../../../router/returns/return.ts'
import { storeEvents } from '../inbox/store-events.ts'
import type { Sql } from '../postgres/connect.ts'
import { changeReturn } from '../returns/returns.ts'
import { shipTask } from '../tasks/ship.ts'
import {
  atMs,
  commitStep,
  empty,
  eventOf,
  keyFor,
  lines,
  makeNetwork,
  post,
  pullOne,
  route,
  snapshotOf,
} from '../testing/world.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { audit, invariantNames } from './audit.ts'

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
  await storeEvents(sql, [eventOf('undecided'), eventOf('notified', { kind: 'notification' })])
  // A second event of a known order, and an unintelligible one.
  await commitStep(sql, 'ready', { told: snapshotOf('ready', lines('a', 1, 'b', 1)), node: 'n1' })
  // A notification that its order answered, and one that waits for it.
  await sql`delete from pending where kind = 'notification'`
  await sql`update inbox set order_id = 'ready' where kind = 'notification'`
  await storeEvents(sql, [eventOf('notified', { kind: 'notification' })])
}

/** One of two units came back good. */
async function giveBack(orderId: string): Promise<void> {
  const said = { actor: { kind: 'operator', name: '' }, note: '', at: atMs } as const
  const asked = { ref: 'r', hash: 'h', kind: 'return', node: null, carrier: null, waybill: null, refundFen: 0 } as const
  const wanted = [{ lineId: null, sku: 'a', quantity: 2 }]
  const opened = await changeReturn(sql, keyFor(orderId), (world) =>
    requestReturn(world, { ...asked, lines: wanted, agreed: true }, said),
  )
  if (opened.outcome !== 'written') throw new Error(opened.outcome)
  const found = [{ sku: 'a', good: 1, damaged: 0, missing: 0 }]
  const given = { ref: 'r1', hash: 'h', node: 'n1', lines: found }
  await changeReturn(sql, { returnId: opened.written.id }, (_, known) => receive(known!, given, said))
}

/** Where one statement breaks a promise twice over, the others that it breaks. */
interface Break {
  readonly sql: string
  readonly also: readonly string[]
  readonly undo?: string
  /** What happens before. */
  readonly first?: () => Promise<void>
}

const bookkeeping = (node: string, sku: string, onHand: number, reserved: number) =>
  `insert into stock_movement (node, kind, ref, skus, on_hand, reserved)
   values ('${node}', 'ship', 'x', '{${sku}}', '{${onHand}}', '{${reserved}}')`

/** The cancelled order's line of 200 fen was a bundle of two parts. */
const bundled = (aFen: number, bFen: number) =>
  `update orders set allocations = '[{"item": 0, "quantity": 1, "place": "cancelled", "taskId": null},
     {"item": 1, "quantity": 1, "place": "cancelled", "taskId": null}]',
   items = '[{"line": 0, "sku": "a", "quantity": 1, "paidFen": ${aFen}}, {"line": 0, "sku": "b", "quantity": 1, "paidFen": ${bFen}}]'
   where order_id = 'cancelled'`

const anHourAgo = `update stock_movement set at = now() - interval '2 hours'`

/** The order `shipped` is delivered, paid and closed. */
async function deliver(): Promise<void> {
  const [task] = await sql<
    { task_id: string; fence: number }[]
  >`select task_id, fence from task where state = 'accepted'`
  const rest = { carrier: 'SF', waybill: 'SF000002', lines: lines('a', 1), shippedAt: atMs }
  await shipTask(sql, 'n1', task!.task_id, task!.fence, [rest])
  await sql.unsafe(`
    insert into track (carrier, waybill, state, occurred_at, body_hash, body)
    select carrier, waybill, 'delivered', ${atMs}, '', '{}' from parcel;
    insert into bill_row (source, account, ref, kind, channel, shop, order_id, amount_fen, fee_fen, occurred_at, body_hash)
    values ('generic', 'a', 'p1', 'payment', 'tmall', 'shop', 'shipped', 300, 0, 1, '');
    update orders set state = 'closed' where order_id = 'shipped';
    update reconciliation r set state = 'closed', updated_at = now(), detail = json_build_object('version', o.version)
    from orders o where o.id = r.order_id and o.order_id = 'shipped'`)
}

/** Where two units are to come back, and one did. */
const returning = (sql: string): Break => ({ sql, also: [], first: () => giveBack('shipped') })

/** As goods of a date, an SQL expression. */
const presale = (orderId: string, date: string) => `
  with given as (
    update orders set body = jsonb_set(body::jsonb, '{snapshot,lines,0,readyAt}',
      to_jsonb(floor(extract(epoch from ${date}) * 1000)::bigint))::text
    where order_id = '${orderId}' returning id, body::json #>> '{snapshot,lines,0,readyAt}' as ms
  )
  update task t set not_before = to_timestamp(ms::bigint / 1000.0) from given where t.order_id = given.id`

const shippedTooMuch = ['shipped_is_what_packages_hold', 'order_states_are_what_units_say']

/** SQL that breaks one promise and, unless it says so, no other. */
const breaks: Readonly<Record<string, readonly (string | Break)[]>> = {
  every_order_event_is_decided: [
    "delete from pending where order_id = 'undecided'",
    // Its order is there, and its history, but not its own decision.
    `update decision set seq = seq + 100000 where seq = (select max(seq) from inbox where order_id = 'ready')`,
    // Another order's decision is not its own.
    `update inbox set order_id = 'shipped' where seq = (select max(seq) from inbox where order_id = 'ready')`,
    // That another body came under its id says nothing about the event itself.
    `insert into exception (kind, ref) select 'event_conflict', channel || '/' || shop || '/' || event_id
     from inbox where order_id = 'undecided';
     delete from pending where order_id = 'undecided'`,
    `insert into inbox (day, channel, shop, event_id, order_id, kind, body_hash, body)
     values ('2026-11-11', 'jd', 'shop', 'odd', '', 'unintelligible', '', '')`,
  ],
  every_notification_is_answered: [
    "delete from pending where kind = 'notification'",
    // Its order was pulled, but before it came.
    `update inbox set event_id = event_id || '@' || (select min(seq) - 1 from inbox where kind = 'notification')
     where order_id = 'ready' and kind = 'order'`,
    // What a person asked for is no answer of the platform.
    `update inbox set kind = 'command' where order_id = 'ready' and kind = 'order'`,
  ],
  every_pending_event_is_in_the_inbox: [
    "delete from inbox where order_id = 'undecided'",
    "update pending set order_id = 'other' where order_id = 'undecided'",
    "update pending set kind = 'command' where order_id = 'undecided'",
  ],
  no_event_is_decided_and_pending: [
    `insert into pending (seq, day, channel, shop, event_id, order_id, kind)
     select seq, day, channel, shop, event_id, order_id, kind from inbox where order_id = 'waiting'`,
  ],
  each_event_is_decided_once: [
    // Under two versions of one order.
    `insert into decision (order_id, version, seq, outcome, trace)
     select d.order_id, 1, d.seq, 'x', '{}' from decision d join orders o on o.id = d.order_id
     where o.order_id = 'ready' and d.version = 2`,
    // In two orders.
    `insert into decision (order_id, version, seq, outcome, trace)
     select o.id, 1, d.seq, 'x', '{}' from decision d, orders o
     where d.seq = (select max(seq) from decision) and o.order_id = 'waiting'`,
  ],
  no_event_waits_too_long: [
    `update inbox set received_at = now() - interval '61 minutes' where order_id = 'undecided'`,
    // Put aside for good, and no exception says so.
    `update inbox set received_at = now() - interval '61 minutes' where order_id = 'undecided';
     update pending set not_before = 'infinity' where order_id = 'undecided'`,
    // An exception that is over is no excuse.
    `update inbox set received_at = now() - interval '61 minutes' where order_id = 'undecided';
     insert into exception (kind, ref, resolved_at) select 'undecidable_event', 'tmall/shop/' || event_id, now()
     from inbox where order_id = 'undecided'`,
  ],
  conflicts_are_shown: [
    `insert into event_conflict (day, channel, shop, event_id, body_hash, body) values ('2026-11-11', 'jd', 's', 'e', '', '')`,
  ],
  one_platform_order_is_one_order: [
    {
      // An index that does not do its work any more.
      sql: `alter table orders drop constraint orders_channel_shop_order_id_key;
        update orders set order_id = 'ready' where order_id = 'cancelled'`,
      also: ['every_order_event_is_decided'],
      undo: 'delete from orders; alter table orders add unique (channel, shop, order_id)',
    },
  ],
  decisions_have_their_orders: [
    "insert into decision (order_id, version, seq, outcome, trace) values (9999999, 1, 0, 'routed', '{}')",
  ],
  every_change_is_in_the_history: [
    "update orders set version = version + 1 where order_id = 'ready'",
    `delete from decision d using orders o where o.id = d.order_id and o.order_id = 'shipped' and d.version = 2`,
    `update decision d set version = 7 from orders o where o.id = d.order_id and o.order_id = 'cancelled'`,
  ],
  every_unit_is_in_one_place: [
    `update orders set allocations = jsonb_set(allocations, '{0,quantity}', '3') where order_id = 'cancelled'`,
    `update orders set allocations = jsonb_set(allocations, '{0,quantity}', '1') where order_id = 'cancelled'`,
    `update orders set allocations = '[]' where order_id = 'cancelled'`,
    `update orders set allocations = allocations || allocations where order_id = 'cancelled'`,
    `update orders set allocations = jsonb_set(allocations, '{0,item}', '1') where order_id = 'cancelled'`,
    {
      sql: `update orders set allocations = jsonb_set(allocations, '{0,place}', '"lost"') where order_id = 'cancelled'`,
      also: ['order_states_are_what_units_say'],
    },
    `update orders set allocations = jsonb_set(allocations, '{0,taskId}', '"1-0"') where order_id = 'cancelled'`,
    `update orders set allocations = allocations || '[{"item": 0, "quantity": 2, "place": "cancelled", "taskId": null},
       {"item": 0, "quantity": -2, "place": "cancelled", "taskId": null}]' where order_id = 'cancelled'`,
  ],
  tasks_hold_what_their_orders_say: [
    {
      sql: `update orders set allocations = jsonb_set(jsonb_set(allocations, '{0,place}', '"held"'), '{0,taskId}', 'null')
        where order_id = 'ready'`,
      also: ['order_states_are_what_units_say'],
    },
    `update orders set allocations = jsonb_set(allocations, '{0,taskId}', '"0-9"') where order_id = 'ready'`,
    // A task that another order made.
    `update task set order_id = (select id from orders where order_id = 'waiting') where state = 'ready'`,
  ],
  backorders_are_what_orders_say: [
    "delete from backorder where sku = 'b'",
    "update backorder set quantity = 3 where sku = 'b'",
    "insert into backorder (order_id, sku, quantity) select id, 'b', 1 from orders where order_id = 'ready'",
  ],
  no_order_waits_for_goods_that_are_there: [
    `${anHourAgo}; update backorder set since = now() - interval '2 hours' where sku = 'a'`,
    // Its other goods are nowhere; it has no delivery to wait for.
    `${anHourAgo}; update backorder set since = now() - interval '2 hours';
     update node set detail = detail || '{"regions": ["31"], "channels": ["tmall"]}'`,
  ],
  items_carry_what_was_paid: [
    {
      sql: `update orders set items = jsonb_set(items, '{0,paidFen}', '201') where order_id = 'waiting'`,
      also: ['orders_sum_to_what_was_paid'],
    },
    {
      sql: `update orders set items = jsonb_set(items, '{0,paidFen}', '0') where order_id = 'shipped'`,
      also: ['orders_sum_to_what_was_paid'],
    },
    // The sum is right, the lines are not.
    `update orders set items = jsonb_set(jsonb_set(items, '{0,paidFen}', '150'), '{1,paidFen}', '150')
     where order_id = 'waiting'`,
  ],
  orders_sum_to_what_was_paid: [
    `update orders set body = jsonb_set(body::jsonb, '{snapshot,paidFen}', '301')::text where order_id = 'waiting'`,
    `update orders set body = jsonb_set(body::jsonb, '{snapshot,freightFen}', '1')::text where order_id = 'ready'`,
    // Held for something else.
    `update orders set body = jsonb_set(jsonb_set(body::jsonb, '{snapshot,freightFen}', '1'), '{holds}',
       '[{"rule": "human_wanted", "reason": ""}]')::text where order_id = 'ready'`,
  ],
  bundles_share_what_was_paid: [bundled(50, 150)],
  order_states_are_what_units_say: [
    `update orders set state = 'routed' where order_id = 'cancelled'`,
    `update orders set state = 'held' where order_id = 'waiting'`,
    `update orders set state = 'shipped' where order_id = 'shipped'`,
    `update orders set state = 'announced' where order_id = 'ready'`,
  ],
  closed_orders_are_agreed_on: [
    {
      sql: `update orders set state = 'closed' where order_id = 'shipped'; delete from reconciliation`,
      also: ['order_states_are_what_units_say', 'closed_orders_agree_anew'],
    },
    {
      sql: `update orders set state = 'closed' where order_id = 'shipped';
        update reconciliation r set updated_at = now(), detail = json_build_object('version', o.version)
        from orders o where o.id = r.order_id and o.order_id = 'shipped'`,
      also: ['order_states_are_what_units_say', 'closed_orders_agree_anew'],
    },
  ],
  closed_orders_agree_anew: [
    // Its money came short after it was closed, and nothing marked it.
    { first: deliver, sql: 'update bill_row set amount_fen = 299', also: [] },
    { first: deliver, sql: 'delete from bill_row', also: [] },
    // A parcel came back.
    { first: deliver, sql: "update track set state = 'returned' where waybill = 'SF000002'", also: [] },
  ],
  tasks_have_their_orders: [
    {
      sql: `delete from orders where order_id = 'ready'; delete from decision where seq = 0 or order_id not in (select id from orders)`,
      also: ['every_order_event_is_decided', 'every_change_is_in_the_history', 'tasks_hold_what_their_orders_say'],
    },
  ],
  tasks_are_held_by_their_fences: [
    "update task set fence = 0 where state = 'accepted'",
    "update task set fence = 1 where state = 'ready'",
    "update task set intercept_requested = true where state = 'ready'",
  ],
  tasks_are_shipped_when_their_lines_are: [
    {
      sql: "update task set state = 'shipped' where state = 'accepted'",
      also: ['reserved_is_what_live_tasks_hold', 'each_task_holds_what_it_took'],
    },
    {
      sql: `update task set lines = jsonb_set(lines, '{0,shipped}', '4') where state = 'accepted'`,
      also: [...shippedTooMuch, 'reserved_is_what_live_tasks_hold', 'each_task_holds_what_it_took'],
    },
  ],
  shipped_is_what_packages_hold: [
    { sql: "update task set packages = '[]' where packages <> '[]'", also: ['parcels_are_what_packages_say'] },
    {
      sql: "update task set packages = packages || packages where packages <> '[]'",
      also: [],
    },
    `update task set packages = jsonb_set(packages, '{0,lines,0,sku}', '"b"') where packages <> '[]'`,
  ],
  parcels_are_what_packages_say: [
    'delete from parcel',
    'update parcel set order_id = order_id + 1',
    "insert into parcel (carrier, waybill, task_id, order_id) values ('SF', 'SF9', '1-0', 1)",
  ],
  what_was_given_back_is_being_decided: [
    "update task set state = 'rejected', fence = 1 where state = 'ready'",
    "update task set state = 'intercepted', fence = 1 where state = 'ready'",
  ],
  tasks_of_cancelled_goods_are_called_back: [
    `update orders set body = jsonb_set(body::jsonb, '{cancelledBy}', '"operator"')::text where order_id = 'ready'`,
    `update orders set body = jsonb_set(body::jsonb, '{snapshot,platformState}', '"closed"')::text where order_id = 'shipped'`,
    `update orders set body = jsonb_set(body::jsonb, '{snapshot,lines,1,refund}', '"refunded"')::text where order_id = 'ready'`,
    `update orders set body = jsonb_set(body::jsonb, '{refunds}', '[{"type": "refund", "refundId": "r", "lineId": null,
       "status": "refunded", "refundFen": 200, "modifiedAt": 1}]')::text where order_id = 'ready'`,
    `update orders set body = jsonb_set(body::jsonb, '{snapshot,presale}', '{"step": "forfeited", "depositFen": 1}')::text
     where order_id = 'ready'`,
  ],
  no_task_is_pulled_before_its_date: [
    presale('shipped', "now() + interval '1 day'"),
    // It left before its date, which is over now.
    `${presale('shipped', "now() - interval '1 day'")};
     update task set packages = jsonb_set(packages, '{0,shippedAt}', '1') where packages <> '[]'`,
  ],
  unpulled_tasks_wait_for_their_lines: [
    // The platform moved the date, and the task did not.
    `${presale('ready', "now() + interval '1 day'")}; update task set not_before = now() where state = 'ready'`,
    "update task set not_before = now() where state = 'ready'",
  ],
  nothing_is_oversold: [
    `update stock set on_hand = 1 where node = 'n1' and sku = 'a'; ${bookkeeping('n1', 'a', -7, 0)}`,
    // A shortage that is said to be over is no excuse.
    `update stock set on_hand = 1 where node = 'n1' and sku = 'a'; ${bookkeeping('n1', 'a', -7, 0)};
     insert into exception (kind, ref, resolved_at) values ('shortage', 'n1/a', now())`,
  ],
  open_shortages_are_short: [
    `insert into exception (kind, ref, detail, since)
     values ('shortage', 'n1/a', '{"node": "n1", "sku": "a", "missing": 1}', now() - interval '1 hour');
     update stock_movement set at = now() - interval '1 hour'`,
  ],
  reserved_is_what_live_tasks_hold: [
    // A unit that is reserved and in no task.
    `update stock set reserved = reserved + 1 where sku = 'b'; ${bookkeeping('n1', 'b', 0, 1)}`,
    // A task whose units are not reserved.
    `update stock set reserved = reserved - 1 where sku = 'b'; ${bookkeeping('n1', 'b', 0, -1)}`,
    // A task at a node that has no such stock at all.
    { sql: "update task set node = 'n2' where state = 'ready'", also: ['each_task_holds_what_it_took'] },
  ],
  safety_is_what_its_node_says: [
    "update node set detail = jsonb_set(detail, '{safetyStock}', '77') where node = 'n1'",
    "update node set detail = detail - 'safetyStock' where node = 'n1'",
  ],
  stock_is_what_its_movements_add_up_to: [
    "update stock set on_hand = on_hand + 1 where sku = 'b'",
    { sql: "update stock set safety = 0 where sku = 'b'", also: ['safety_is_what_its_node_says'] },
    "insert into stock (node, sku, on_hand) values ('n2', 'a', 0)",
    bookkeeping('n2', 'b', 1, 0),
  ],
  each_task_holds_what_it_took: [
    // The sums are right, but each holds the other's.
    `update stock_movement m set ref = case ref when a then b else a end
     from (select min(ref) as a, max(ref) as b from stock_movement where kind = 'reserve') r where m.ref in (a, b)`,
    // Taken back after it was shipped, and shipped once more in a parcel that its task does not have.
    `insert into stock_movement (node, kind, ref, skus, on_hand, reserved)
     select 'n1', 'ship', split_part(min(ref), '@', 1) || '#7', '{a}', '{0}', '{1}' from stock_movement where kind = 'reserve';
     ${bookkeeping('n1', 'a', 0, -1)}`,
  ],
  a_task_is_reserved_for_once: [
    {
      sql: `insert into stock_movement (node, kind, ref, skus, on_hand, reserved)
        select 'n2', 'reserve', min(ref) || '.again', '{}', '{}', '{}' from stock_movement where kind = 'reserve'`,
      also: [],
    },
  ],
  changes_are_numbered_without_gaps: [
    "update node set seq = seq + 1 where node = 'n1'",
    "update node set seq = 1 where node = 'n2'",
    "update stock_movement set node_seq = 7 where node_seq = 1; update node set seq = 7 where node = 'n1'",
  ],
  returned_units_had_left: [returning(`update returns set body = jsonb_set(body, '{lines,0,quantity}', '3')`)],
  returns_are_received_with_their_last_unit: [
    returning(`update returns set state = 'received'`),
    returning(`update returns set body = jsonb_set(body, '{receipts,0,lines,0,damaged}', '1')`),
    returning(`update returns set body = jsonb_set(body, '{receipts,0,lines,0,missing}', '2')`),
  ],
  good_units_are_stock_where_they_were_received: [
    returning(`update stock_movement set ref = '0#0' where kind = 'return'`),
    returning(`update returns set body = jsonb_set(body, '{receipts,0,node}', '"n2"')`),
    returning(`update returns set body = jsonb_set(body, '{receipts,0,lines,0,good}', '0')`),
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
  const cases = statements.map((s): Break => (typeof s === 'string' ? { sql: s, also: [] } : s))
  test.each(cases)('$sql', async ({ sql: statement, also, undo = '', first }) => {
    try {
      await first?.()
      await sql.unsafe(statement)
      expect((await audit(sql)).map((v) => v.invariant).toSorted()).toEqual([invariant, ...also].toSorted())
    } finally {
      await sql.unsafe(undo)
    }
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

test('a shortage may be about to be shown, or ended, only where the SKU itself moved lately', async () => {
  const broken = async () => (await audit(sql, { graceSeconds: 30 })).map((v) => v.invariant)
  await post(sql, 'n1', 'set', lines('a', 1))
  expect(await broken()).toEqual([])
  await sql`update stock_movement set at = now() - interval '1 hour'`
  await post(sql, 'n1', 'add', lines('b', 1))
  expect(await broken()).toEqual(['nothing_is_oversold'])
  await sql`
    insert into exception (kind, ref, detail, since) select 'shortage', 'n1/' || sku,
      jsonb_build_object('node', 'n1', 'sku', sku), now() - interval '1 hour' from unnest('{a,b,c}'::text[]) as sku`
  expect(await broken()).toEqual([])
  await sql`update stock_movement set at = now() - interval '1 hour'`
  await post(sql, 'n1', 'add', lines('a', 50))
  expect(await broken()).toEqual(['open_shortages_are_short'])
})

test('what was paid for a bundle may be in its parts', async () => {
  await sql.unsafe(bundled(100, 100))
  expect(await audit(sql)).toEqual([])
})

test('an event that waits for long is known by its exception', async () => {
  await sql`update inbox set received_at = now() - interval '61 minutes' where order_id in ('undecided', 'notified')`
  expect((await audit(sql)).map((v) => [v.invariant, v.count])).toEqual([['no_event_waits_too_long', 2]])
  await sql`
    insert into exception (kind, ref) select 'undecidable_event', channel || '/' || shop || '/' || event_id
    from pending where order_id = 'undecided'`
  await sql`insert into exception (kind, ref) values ('order_not_fetched', 'tmall/shop/notified')`
  expect(await audit(sql)).toEqual([])
  // Or it was answered, and waits to be sure.
  await sql`delete from exception`
  await sql`update pending set last_error = 'older_than_notification' where order_id = 'notified'`
  expect((await audit(sql)).map((v) => [v.invariant, v.count])).toEqual([['no_event_waits_too_long', 1]])
  // How long is the audit's setting.
  expect(await audit(sql, { pendingSecondsMax: 7_200 })).toEqual([])
})

test('amounts that do not add up are held, let go by a person, or of what is to be stopped', async () => {
  const wrong = (change: string) =>
    sql.unsafe(`
    update orders set body = (jsonb_set(body::jsonb, '{snapshot,freightFen}', '1') || '${change}')::text where order_id = 'ready'`)
  await wrong('{"overruled": ["amount_mismatch"]}')
  expect(await audit(sql)).toEqual([])
  await wrong('{"overruled": [], "holds": [{"rule": "amount_mismatch", "reason": ""}]}')
  expect(await audit(sql)).toEqual([])
  await wrong('{"holds": []}')
  expect((await audit(sql)).map((v) => v.invariant)).toEqual(['orders_sum_to_what_was_paid'])
  await sql`update task set state = 'pulled', fence = 1, lease_until = now(), intercept_requested = true where state = 'ready'`
  expect(await audit(sql)).toEqual([])
})

test('an order that is closed by what is known breaks nothing, nor one that is about to be matched anew', async () => {
  await deliver()
  expect(await audit(sql)).toEqual([])
  await sql`update bill_row set amount_fen = 299`
  await sql`update reconciliation set updated_at = '-infinity'`
  expect(await audit(sql)).toEqual([])
})

test('a track that came just now may not have marked its order yet', async () => {
  await deliver()
  await sql`update track set state = 'returned', updated_at = now()`
  expect(await audit(sql, { graceSeconds: 30 })).toEqual([])
  await sql`update track set updated_at = now() - interval '1 minute'`
  expect((await audit(sql, { graceSeconds: 30 })).map((v) => v.invariant)).toEqual(['closed_orders_agree_anew'])
})

test('what is to be stopped is called back, and a rebate cancels nothing', async () => {
  await sql`update task set state = 'pulled', fence = 1, lease_until = now(), intercept_requested = true where state = 'ready'`
  await sql`update orders set body = jsonb_set(body::jsonb, '{cancelledBy}', '"operator"')::text where order_id = 'ready'`
  expect(await audit(sql)).toEqual([])
  await sql.unsafe(`update task set intercept_requested = false where intercept_requested;
    update orders set body = (body::jsonb - 'cancelledBy' || '{"refunds": [{"type": "refund", "refundId": "r", "lineId": null,
      "status": "refunded", "refundFen": 199, "modifiedAt": 1}]}')::text where order_id = 'ready'`)
  expect(await audit(sql)).toEqual([])
})

test('a task whose date has come may be pulled, and one that nobody pulled may wait for it', async () => {
  await sql.unsafe(presale('shipped', 'to_timestamp(0)'))
  await sql.unsafe(presale('ready', "now() + interval '1 day'"))
  expect(await audit(sql)).toEqual([])
})

test.each([
  ['is closed', { open: false }],
  ['serves another channel', { channels: ['jd'] }],
  ['serves another region', { regions: ['44'] }],
])('goods may lie where the node %s', async (_, settings) => {
  await sql.unsafe(`${anHourAgo}; update backorder set since = now() - interval '2 hours'`)
  await sql`update node set detail = detail || ${sql.json(settings as never)} where node = 'n1'`
  expect(await audit(sql)).toEqual([])
})

test('goods may lie there that only warehouses send, at a node that gave the order back, or that came free just now', async () => {
  await sql.unsafe(`${anHourAgo}; update backorder set since = now() - interval '2 hours' where sku = 'a'`)
  const found = async () => (await audit(sql)).map((v) => [v.invariant, v.count])
  const inVain = [['no_order_waits_for_goods_that_are_there', 1]]
  expect(await found()).toEqual(inVain)
  await sql`update node set detail = detail || '{"kind": "store"}' where node = 'n1'`
  expect(await found()).toEqual(inVain)
  await sql`update sku set detail = detail || '{"warehouseOnly": true}' where sku = 'a'`
  expect(await found()).toEqual([])
  await sql`update node set detail = detail || '{"kind": "warehouse"}' where node = 'n1'`
  expect(await found()).toEqual(inVain)
  await sql`update orders set body = (body::jsonb || '{"excludedNodes": ["n1"]}')::text where order_id = 'waiting'`
  expect(await found()).toEqual([])
  await sql`update orders set body = (body::jsonb - 'excludedNodes')::text where order_id = 'waiting'`
  await post(sql, 'n1', 'add', lines('a', 1))
  expect(await found()).toEqual([])
})

test('a shortage may be over until the sweep has been by', async () => {
  await sql`
    insert into exception (kind, ref, detail, since)
    values ('shortage', 'n1/a', '{"node": "n1", "sku": "a", "missing": 1}', now() - interval '1 hour')`
  expect(await audit(sql)).toEqual([])
})

test('units that no integer of Postgres holds are added up', async () => {
  const units = (count: number) =>
    sql`update orders set items = jsonb_set(items, '{0,quantity}', ${count}::text::jsonb),
      allocations = jsonb_set(allocations, '{0,quantity}', ${count}::text::jsonb) where order_id = 'cancelled'`
  await units(3_000_000_000)
  expect(await audit(sql)).toEqual([])
  await sql`update orders set allocations = jsonb_set(allocations, '{0,place}', '"held"') where order_id = 'cancelled'`
  const [wrong] = await audit(sql)
  expect(wrong).toMatchObject({
    invariant: 'order_states_are_what_units_say',
    examples: [{ state: 'cancelled', computed: 'held', live: 3_000_000_000, held: 3_000_000_000 }],
  })
  await sql`update task set lines = jsonb_set(lines, '{0,quantity}', '3000000000') where state = 'ready'`
  const found = (await audit(sql)).map((v) => v.invariant)
  expect(found).toEqual(
    expect.arrayContaining(['tasks_hold_what_their_orders_say', 'reserved_is_what_live_tasks_hold']),
  )
})
