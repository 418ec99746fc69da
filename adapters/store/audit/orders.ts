/** Promises 2, 4, 5 and 8: an order is one order, its units are each in one place, its money adds up, its end is agreed on. */
import { closedMatchAnew } from './closed-orders.ts'
import { bagSum, type Invariant, numberedSum } from './invariant.ts'
import { bundlesShare, ordersSum } from './money.ts'
import { orderStates } from './order-states.ts'
import { waitInVain } from './waiting-orders.ts'

/**
 * Each order's units with its items beside them. Items of a large order are stored compressed: without a copy in memory they
 * were opened anew for each of its units, and 20 orders of 50,000 parts took the audit past four minutes.
 */
const allocationsOf = `(
    select id, items || '[]'::jsonb as items, allocations from orders offset 0
  ) o cross join lateral jsonb_to_recordset(o.allocations) as a (item int, quantity bigint, place text, "taskId" text)`

export const orderInvariants: readonly Invariant[] = [
  {
    // Also where the unique key were broken: it does not trust the index.
    name: 'one_platform_order_is_one_order',
    query: `
      select channel, shop, order_id, count(*)::int as orders from orders group by 1, 2, 3 having count(*) > 1`,
  },
  {
    name: 'decisions_have_their_orders',
    query: `
      select d.order_id from (select order_id from decision group by 1) d
      where not exists (select from orders o where o.id = d.order_id)`,
  },
  {
    // Each change of an order made it one version older, and stands in its history.
    name: 'every_change_is_in_the_history',
    query: `
      select o.id, o.version, d.versions, d.last from orders o left join (
        select order_id, count(*)::int as versions, max(version) as last
        from (select order_id, version from decision group by 1, 2) v group by 1
      ) d on d.order_id = o.id
      where (d.versions, d.last) is distinct from (o.version, o.version)`,
  },
  {
    // The places of an item add up to its units; a place names a task where a task holds the units, and only there.
    name: 'every_unit_is_in_one_place',
    query: `
      select o.id, u.item, u.quantity, u.placed from orders o cross join lateral (
        select item, sum(quantity) filter (where kind = 0) as quantity, sum(quantity) filter (where kind > 0) as placed,
          bool_or(kind = 2) as odd
        from (
          select n - 1 as item, (i ->> 'quantity')::bigint as quantity, 0 as kind
          from jsonb_array_elements(o.items) with ordinality as i (i, n)
          union all
          select a.item, a.quantity, case when a.quantity > 0 and (a.place = 'task') = (a."taskId" is not null)
            and a.place in ('held', 'backordered', 'task', 'virtual', 'cancelled', 'returned') then 1 else 2 end
          from jsonb_to_recordset(o.allocations) as a (item int, quantity bigint, place text, "taskId" text)
        ) both_sides group by item
      ) u
      where u.odd or u.quantity is distinct from u.placed`,
    glance: `
      select (
        select ${numberedSum('o.id', 'n - 1', `(i ->> 'quantity')::bigint`)}
        from orders o, jsonb_array_elements(o.items) with ordinality as i (i, n)
      ) = (
        select case when bool_or(a.quantity <= 0 or a.item < 0 or (a.place = 'task') <> (a."taskId" is not null)
            or a.place not in ('held', 'backordered', 'task', 'virtual', 'cancelled', 'returned')) then null
          else ${numberedSum('o.id', 'a.item', 'a.quantity')} end
        from ${allocationsOf}
      ) as holds`,
  },
  {
    name: 'tasks_hold_what_their_orders_say',
    query: `
      select coalesce(a.task_id, t.task_id) as task_id, coalesce(a.sku, t.sku) as sku, a.quantity as allocated, t.quantity
      from (
        select o.id as order_id, a."taskId" as task_id, o.items -> a.item ->> 'sku' as sku, sum(a.quantity) as quantity
        from ${allocationsOf} where a.place = 'task' group by 1, 2, 3
      ) a full join (
        select order_id, task_id, l.sku, sum(l.quantity) as quantity
        from task, jsonb_to_recordset(lines) as l (sku text, quantity bigint) where state <> 'cancelled' group by 1, 2, 3
      ) t using (order_id, task_id, sku)
      where coalesce(a.quantity, 0) <> coalesce(t.quantity, 0)`,
    glance: `
      select (
        select ${bagSum([`a."taskId"`, `o.items -> a.item ->> 'sku'`], 'a.quantity', 'o.id')}
        from ${allocationsOf} where a.place = 'task'
      ) = (
        select ${bagSum(['task_id', 'l.sku'], 'l.quantity', 'order_id')}
        from task, jsonb_to_recordset(lines) as l (sku text, quantity bigint) where state <> 'cancelled'
      ) as holds`,
  },
  {
    name: 'backorders_are_what_orders_say',
    query: `
      select coalesce(b.order_id, a.order_id) as order_id, coalesce(b.sku, a.sku) as sku, b.quantity, a.quantity as allocated
      from backorder b full join (
        select o.id as order_id, o.items -> a.item ->> 'sku' as sku, sum(a.quantity) as quantity
        from ${allocationsOf} where a.place = 'backordered' and o.allocations @> '[{"place": "backordered"}]' group by 1, 2
      ) a using (order_id, sku)
      where coalesce(b.quantity, 0) <> coalesce(a.quantity, 0)`,
  },
  waitInVain,
  {
    // What was paid for a line is in its items, to the fen.
    name: 'items_carry_what_was_paid',
    query: `
      select o.id, paid.line, paid.line_fen, paid.items_fen from orders o cross join lateral (
        select line, sum(fen) filter (where of_line) as line_fen, sum(fen) filter (where not of_line) as items_fen from (
          select n - 1 as line, (l ->> 'paidFen')::bigint as fen, true as of_line
          from json_array_elements(o.body::json #> '{snapshot,lines}') with ordinality as l (l, n)
          union all
          select i.line, i."paidFen", false from jsonb_to_recordset(o.items) as i (line int, "paidFen" bigint)
        ) both_sides group by line
      ) paid
      where o.items <> '[]' and coalesce(paid.line_fen, 0) <> coalesce(paid.items_fen, 0)`,
    glance: `
      select (
        select ${numberedSum('o.id', 'n - 1', `(l ->> 'paidFen')::bigint`)}
        from orders o, json_array_elements(o.body::json #> '{snapshot,lines}') with ordinality as l (l, n) where o.items <> '[]'
      ) = (
        select ${numberedSum('o.id', 'i.line', 'i."paidFen"')}
        from orders o, jsonb_to_recordset(o.items) as i (line int, "paidFen" bigint)
      ) as holds`,
  },
  ordersSum,
  bundlesShare,
  orderStates,
  {
    // An order that is marked as due is about to be reconciled again.
    name: 'closed_orders_are_agreed_on',
    query: `
      select o.id, r.state from orders o left join reconciliation r on r.order_id = o.id
      where o.state = 'closed' and (r.order_id is null or (r.state <> 'closed' and r.updated_at <> '-infinity'
        and (r.detail ->> 'version')::int = o.version))`,
  },
  closedMatchAnew,
]
