/**
 * For tests and benches of size: every order of a database again and again under new numbers, with its events, tasks,
 * movements, history, parcels and the stock that all of it moved. What is consistent stays so; a million orders take a
 * minute or two. What waits undecided, bills, tracks and exceptions are left as they are.
 */
import type { Sql } from '../postgres/connect.ts'

/** Copies made by one statement: a transaction of some hundred thousand rows. */
const rowsPerStatement = 100_000

/** Ends with `times` of each order. Throws RangeError unless `times` is a positive whole number. */
export async function multiply(
  sql: Sql,
  times: number,
  onProgress: (done: number) => void = () => undefined,
): Promise<void> {
  if (!Number.isSafeInteger(times) || times < 1) throw new RangeError('times: a whole number from 1')
  const [size] = await sql<{ step: string; orders: number }[]>`
    select greatest((select coalesce(max(seq), 0) from inbox), (select coalesce(max(id), 0) from orders)) + 1 as step,
      (select count(*)::int from orders) as orders`
  const { step, orders } = size!
  await sql.begin(async (tx) => {
    // What is copied: the rows as they are now, without those that are copied themselves.
    await tx.unsafe(`
      create unlogged table copied_node as select node, seq from node;
      create unlogged table copied_stock as select node, sku, on_hand, reserved, safety from stock;
      create unlogged table copied_from as
        select (select coalesce(max(id), 0) from stock_movement) as movement, ${step}::bigint as step;
      create unlogged table copied_inbox as
        select i.* from inbox i where i.kind <> 'unintelligible' and not exists (select from pending p where p.seq = i.seq);`)
  })
  const perStatement = Math.max(1, Math.floor(rowsPerStatement / Math.max(1, orders)))
  for (let from = 1; from < times; from += perStatement) {
    await copy(sql, step, from, Math.min(times - 1, from + perStatement - 1))
    onProgress(Math.min(times, from + perStatement))
  }
  // As many times the goods as there are times the orders; each copy carries its share of every movement.
  await sql.unsafe(`
    update stock s set on_hand = c.on_hand * ${times}, reserved = c.reserved * ${times} from copied_stock c
    where (s.node, s.sku) = (c.node, c.sku);
    update node n set seq = c.seq * ${times} from copied_node c where c.node = n.node;
    select setval('event_seq', ${step}::bigint * ${times});
    drop table copied_node, copied_stock, copied_from, copied_inbox`)
  for (const table of ['inbox', 'orders', 'task', 'decision', 'stock_movement', 'stock', 'parcel', 'backorder', 'node'])
    await sql.unsafe(`vacuum analyze ${table}`)
}

/** Copies number `from` to `to`: everything that is numbered by intake moves on by a step each. */
async function copy(sql: Sql, step: string, from: number, to: number): Promise<void> {
  const k = `generate_series(${from}, ${to}) k`
  const id = (column: string) => `${column} + k * ${step}::bigint`
  // Tasks are called order-ordinal, reservations task@attempt, shipments task#ordinal.
  const ref = (column: string) =>
    `regexp_replace(${column}, '^[0-9]+', (split_part(${column}, '-', 1)::bigint + k * ${step}::bigint)::text)`
  const isOfTask = `m.ref ~ '^[0-9]+-[0-9]+'`
  await sql.begin(async (tx) => {
    await tx`set local statement_timeout = 0`
    await tx`set local synchronous_commit = off`
    await tx.unsafe(`
      insert into inbox (day, channel, shop, event_id, seq, order_id, kind, body_hash, body, received_at)
      select day, channel, shop, event_id || '.' || k, ${id('seq')}, case order_id when '' then '' else order_id || '.' || k end,
        kind, body_hash, body, received_at from copied_inbox, ${k};
      insert into orders (id, channel, shop, order_id, version, state, transaction_id, body, items, allocations,
        received_at, updated_at)
      select ${id('id')}, channel, shop, order_id || '.' || k, version, state, transaction_id || '.' || k, body, items,
        replace(allocations::text, '"taskId": "' || id || '-', '"taskId": "' || (${id('id')}) || '-')::jsonb,
        received_at, updated_at
      from orders, ${k} where id < ${step};
      insert into task (task_id, order_id, node, state, fence, lease_until, intercept_requested, lines, packages, reason,
        ship_by, created_at, updated_at)
      select ${ref('task_id')}, ${id('order_id')}, node, state, fence, lease_until, intercept_requested, lines,
        (select coalesce(jsonb_agg(p || jsonb_build_object('waybill', p ->> 'waybill' || '.' || k) order by n), '[]')
         from jsonb_array_elements(packages) with ordinality as p (p, n)),
        reason, ship_by, created_at, updated_at
      from task, ${k} where order_id < ${step};
      insert into parcel (carrier, waybill, task_id, order_id)
      select carrier, waybill || '.' || k, ${ref('task_id')}, ${id('order_id')} from parcel, ${k} where order_id < ${step};
      insert into backorder (order_id, sku, quantity, since)
      select ${id('order_id')}, sku, quantity, since from backorder, ${k} where order_id < ${step};
      insert into decision (order_id, version, seq, at, outcome, trace)
      select ${id('order_id')}, version, case seq when 0 then 0 else ${id('seq')} end, at, outcome, trace
      from decision, ${k} where order_id < ${step};
      insert into reconciliation (order_id, state, detail, updated_at)
      select ${id('order_id')}, state, detail, updated_at from reconciliation, ${k} where order_id < ${step};
      insert into stock_movement (node, node_seq, kind, ref, skus, on_hand, reserved, safety, at)
      select m.node, m.node_seq + k * c.seq, m.kind, case when ${isOfTask} then ${ref('m.ref')} else m.ref end,
        m.skus, m.on_hand, m.reserved, case when m.safety is not null then array_fill(0, array[cardinality(m.safety)]) end, m.at
      from stock_movement m join copied_node c using (node), ${k} where m.id <= (select movement from copied_from)`)
  })
}
