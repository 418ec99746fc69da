/**
 * The invariants of a settled database: one list for tests, bench, simulation and operations. Each is a query that gives the
 * rows that break it; none is a broken promise's only witness. "Settled" means that nothing is pending.
 */
import type { Sql } from './connect.ts'

export interface Violation {
  readonly invariant: string
  readonly count: number
  /** The first few, ids and figures only. */
  readonly examples: readonly Readonly<Record<string, unknown>>[]
}

const invariants: Readonly<Record<string, string>> = {
  // Promise 1: an acknowledged event is decided, or still to be: its own number stands in its order's history.
  every_order_event_is_decided: `
    select i.channel, i.shop, i.event_id from inbox i
    where i.kind in ('order', 'refund', 'command')
      and not exists (select from pending p where p.seq = i.seq)
      and not exists (
        select from orders o join decision d on d.order_id = o.id
        where o.channel = i.channel and o.shop = i.shop and o.order_id = i.order_id and d.seq = i.seq)
      and not exists (select from exception e where e.ref = i.channel || '/' || i.shop || '/' || i.event_id)`,
  // Promise 3: nothing is promised that is not there, but for what a count took away.
  nothing_is_oversold: `
    select s.node, s.sku, s.on_hand, s.reserved, s.safety from stock s
    where s.reserved > s.on_hand
      and not exists (select from exception e where e.kind = 'shortage' and e.ref = s.node || '/' || s.sku and e.resolved_at is null)`,
  // Promises 3 and 4: reserved units are exactly those of live tasks.
  reserved_is_what_live_tasks_hold: `
    select coalesce(s.node, t.node) as node, coalesce(s.sku, t.sku) as sku, s.reserved, t.quantity
    from stock s full join (
      select node, l ->> 'sku' as sku, sum((l ->> 'quantity')::int - (l ->> 'shipped')::int) as quantity
      from task, jsonb_array_elements(lines) l where state <> 'cancelled' group by 1, 2
    ) t using (node, sku)
    where coalesce(s.reserved, 0) <> coalesce(t.quantity, 0)`,
  stock_is_what_its_movements_add_up_to: `
    select s.node, s.sku, s.on_hand, s.reserved, s.safety,
      m.on_hand as moved_on_hand, m.reserved as moved_reserved, m.safety as moved_safety
    from stock s full join (
      select node, sku, sum(h) as on_hand, sum(r) as reserved, coalesce(sum(f), 0) as safety
      from stock_movement, unnest(skus, on_hand, reserved, safety) as u (sku, h, r, f) group by 1, 2
    ) m using (node, sku)
    where (s.on_hand, s.reserved, s.safety) is distinct from (m.on_hand, m.reserved, m.safety)`,
  // Promise 4: every unit of every item is in exactly one place.
  every_unit_is_in_one_place: `
    select o.id, i.n - 1 as item, (i.item ->> 'quantity')::int as quantity, a.quantity as placed
    from orders o cross join lateral jsonb_array_elements(o.items) with ordinality as i (item, n)
    left join lateral (
      select sum((a ->> 'quantity')::int) as quantity from jsonb_array_elements(o.allocations) a where (a ->> 'item')::int = i.n - 1
    ) a on true
    where coalesce(a.quantity, 0) <> (i.item ->> 'quantity')::int`,
  tasks_hold_what_their_orders_say: `
    select coalesce(a.task_id, t.task_id) as task_id, coalesce(a.sku, t.sku) as sku, a.quantity as allocated, t.quantity
    from (
      select a ->> 'taskId' as task_id, o.items -> (a ->> 'item')::int ->> 'sku' as sku, sum((a ->> 'quantity')::int) as quantity
      from orders o, jsonb_array_elements(o.allocations) a where a ->> 'place' = 'task' group by 1, 2
    ) a full join (
      select task_id, l ->> 'sku' as sku, sum((l ->> 'quantity')::int) as quantity
      from task, jsonb_array_elements(lines) l where state <> 'cancelled' group by 1, 2
    ) t using (task_id, sku)
    where coalesce(a.quantity, 0) <> coalesce(t.quantity, 0)`,
  backorders_are_what_orders_say: `
    select coalesce(b.order_id, a.order_id) as order_id, coalesce(b.sku, a.sku) as sku, b.quantity, a.quantity as allocated
    from backorder b full join (
      select o.id as order_id, o.items -> (a ->> 'item')::int ->> 'sku' as sku, sum((a ->> 'quantity')::int) as quantity
      from orders o, jsonb_array_elements(o.allocations) a where a ->> 'place' = 'backordered' group by 1, 2
    ) a using (order_id, sku)
    where coalesce(b.quantity, 0) <> coalesce(a.quantity, 0)`,
  // Promise 5: what was paid is in the items, to the fen.
  items_carry_what_was_paid: `
    select o.id, paid.lines, paid.items from orders o cross join lateral (
      select
        (select coalesce(sum((l ->> 'paidFen')::bigint), 0) from json_array_elements(o.body -> 'snapshot' -> 'lines') l) as lines,
        (select coalesce(sum((i ->> 'paidFen')::bigint), 0) from jsonb_array_elements(o.items) i) as items
    ) paid
    where json_typeof(o.body -> 'snapshot') = 'object' and jsonb_array_length(o.items) > 0 and paid.lines <> paid.items`,
  // Promise 6: what was shipped left once.
  shipped_is_what_packages_hold: `
    select t.task_id, l.shipped, p.packed from task t
    cross join lateral (select sum((l ->> 'shipped')::int) as shipped from jsonb_array_elements(t.lines) l) l
    cross join lateral (
      select coalesce(sum((l ->> 'quantity')::int), 0) as packed
      from jsonb_array_elements(t.packages) p, jsonb_array_elements(p -> 'lines') l
    ) p
    where coalesce(l.shipped, 0) <> p.packed`,
  // What a warehouse gave back holds its units until a decision: with none to come it would hold them for good.
  what_was_given_back_is_being_decided: `
    select t.task_id, t.state from task t join orders o on o.id = t.order_id
    where t.state in ('rejected', 'intercepted')
      and not exists (
        select from pending p where p.channel = o.channel and p.shop = o.shop and p.order_id = o.order_id)`,
  // Promise 2: one platform order is one order.
  decisions_have_their_orders: `
    select d.order_id from decision d where not exists (select from orders o where o.id = d.order_id) group by 1`,
}

const examplesMax = 5

/** What is broken; empty when all holds. Reads one snapshot of the database; minutes over millions of orders. */
export async function audit(sql: Sql): Promise<Violation[]> {
  return await sql.begin('isolation level repeatable read read only', async (tx) => {
    await tx`set local statement_timeout = 0`
    await tx`set local work_mem = '256MB'`
    const violations: Violation[] = []
    for (const [invariant, query] of Object.entries(invariants)) {
      const rows = await tx.unsafe(
        `with broken as (${query}) select *, count(*) over () as broken_rows from broken limit ${examplesMax}`,
      )
      if (rows.length === 0) continue
      violations.push({
        invariant,
        count: Number(rows[0]!.broken_rows),
        examples: rows.map(({ broken_rows: _, ...row }) => row),
      })
    }
    return violations
  })
}

export const invariantNames: readonly string[] = Object.keys(invariants)
