/**
 * What of a broken database can be put right without guessing: whatever follows from something else that is kept. Nothing
 * here makes goods, money or orders: what is on hand is a count's word, what was paid is the platform's.
 *
 * Each takes its locks in the order of all others (orders, tasks, nodes, stock), so it may run beside a service, and each
 * gives how many rows it changed.
 */

import type { NodeDelta } from '../../../router/stock.ts'
import { refInSql } from '../exception-refs.ts'
import { rowUnitsMax } from '../orders/backorders.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { followSafety, nextNodeSeq, nodesWithOtherSafety } from '../stock/stock.ts'
import { agesDefault, setAges } from './invariant.ts'

/** Of one statement; what is left is mended by the next. */
const batch = 10_000
const nodesPerQuery = 256

/** Events that are neither decided nor waiting wait again: a decision that is made twice changes nothing the second time. */
export async function queueLostEvents(sql: Sql, broken: string): Promise<number> {
  return await changed(
    sql,
    `with lost as (${broken})
     insert into pending (seq, day, channel, shop, event_id, order_id, kind)
     select i.seq, i.day, i.channel, i.shop, i.event_id, i.order_id, i.kind
     from lost join inbox i using (channel, shop, event_id)
     on conflict do nothing`,
  )
}

/**
 * What a warehouse said when it gave a task back is in the inbox: it is decided (again). An event that has its decision is
 * put there once more under another id, so that each is decided once.
 */
export async function queueGivenBack(sql: Sql, broken: string): Promise<number> {
  return await changed(
    sql,
    `with said as (
       select distinct on (i.seq) i.*, o.id as of, exists (
         select from decision d where d.order_id = o.id and d.seq = i.seq) as decided
       from (${broken}) b join task t using (task_id) join orders o on o.id = t.order_id
       join inbox i on i.channel = o.channel and i.shop = o.shop and i.order_id = o.order_id and i.kind = 'command'
         and i.event_id = 'command:take_back:' || t.task_id || '.' || t.fence
     ), again as (
       insert into inbox (day, channel, shop, event_id, order_id, kind, body_hash, body)
       select day, channel, shop, event_id || '.again-' || seq || '-' || (select version from orders o where o.id = said.of),
         order_id, kind, body_hash, body from said where decided
       on conflict do nothing returning seq, day, channel, shop, event_id, order_id, kind
     )
     insert into pending (seq, day, channel, shop, event_id, order_id, kind)
     select * from again
     union all select seq, day, channel, shop, event_id, order_id, kind from said where not decided
     on conflict do nothing`,
  )
}

/** The list of backordered orders follows from the orders. */
export async function mendBackorders(sql: Sql, broken: string): Promise<number> {
  return (await sql.begin(async (tx) => {
    await tx.unsafe(
      `set local statement_timeout = 0; create temp table mend on commit drop as (${broken}) limit ${batch}`,
    )
    await tx`select id from orders where id in (select order_id from mend) order by id for update`
    await tx`
      create temp table wanted on commit drop as
      select o.id as order_id, o.items -> a.item ->> 'sku' as sku, least(sum(a.quantity), ${rowUnitsMax})::int as quantity
      from (
        select id, items || '[]'::jsonb as items, allocations from orders where id in (select order_id from mend) offset 0
      ) o cross join lateral jsonb_to_recordset(o.allocations) as a (item int, quantity bigint, place text)
      where a.place = 'backordered' group by 1, 2`
    const gone = await tx`
      delete from backorder b where b.order_id in (select order_id from mend)
        and not exists (select from wanted w where w.order_id = b.order_id and w.sku = b.sku)`
    const set = await tx`
      insert into backorder (order_id, sku, quantity) select order_id, sku, quantity from wanted
      on conflict (sku, order_id) do update set quantity = excluded.quantity
        where backorder.quantity <> excluded.quantity`
    return gone.count + set.count
  })) as number
}

/** Which waybill is of which task follows from the tasks' packages. */
export async function mendParcels(sql: Sql): Promise<number> {
  const packed = `
    select p ->> 'carrier' as carrier, p ->> 'waybill' as waybill, task_id, order_id
    from task, jsonb_array_elements(packages) p where packages <> '[]'`
  const gone = await changed(
    sql,
    `delete from parcel where (carrier, waybill, task_id) not in (select carrier, waybill, task_id from (${packed}) k)`,
  )
  const set = await changed(
    sql,
    `insert into parcel (carrier, waybill, task_id, order_id) select distinct on (1, 2, 3) * from (${packed}) k
     on conflict (carrier, waybill, task_id) do update set order_id = excluded.order_id
       where parcel.order_id <> excluded.order_id`,
  )
  return gone + set
}

/** Another body that came under a known id is shown to a person. */
export async function showConflicts(sql: Sql, broken: string): Promise<number> {
  return await changed(
    sql,
    `insert into exception (kind, ref, detail)
     select 'event_conflict', ${refInSql('channel', 'shop', 'event_id')},
       jsonb_build_object('channel', channel, 'shop', shop, 'eventId', event_id)
     from (${broken}) c on conflict do nothing`,
  )
}

/** Shows a person that a count left less than is promised; the sweep then sources unpulled tasks elsewhere. */
export async function showShortages(sql: Sql, broken: string): Promise<number> {
  return await changed(
    sql,
    `insert into exception (kind, ref, detail)
     select 'shortage', ${refInSql('node', 'sku')},
       jsonb_build_object('node', node, 'sku', sku, 'missing', reserved - on_hand)
     from (${broken}) s on conflict do nothing`,
  )
}

/**
 * Makes what is reserved equal to what live tasks hold: reserved units without a task come free, and units of a task
 * that were not reserved are reserved. What is on hand stays as it is: where tasks hold more, that is a shortage, and
 * the sweep raises it. Where the stock row and its movements disagree as well, nothing tells which of them is right,
 * and all stays as it is; so it does where tasks hold more than a row can. Also gives what Redis has to be told.
 */
export async function mendReserved(sql: Sql, broken: string): Promise<{ count: number; deltas: NodeDelta[] }> {
  const places = await sql.unsafe<{ node: string; sku: string }[]>(`select node, sku from (${broken}) b order by 1, 2`)
  const byNode = new Map<string, string[]>()
  for (const { node, sku } of places) byNode.set(node, [...(byNode.get(node) ?? []), sku])
  const deltas: NodeDelta[] = []
  for (const [node, skus] of byNode) {
    const delta = (await sql.begin((tx) => mendNode(tx, node, skus))) as NodeDelta | null
    if (delta !== null) deltas.push(delta)
  }
  return { count: deltas.reduce((sum, d) => sum + d.lines.length, 0), deltas }
}

async function mendNode(tx: Transaction, node: string, skus: readonly string[]): Promise<NodeDelta | null> {
  await tx`select from node where node = ${node} for update`
  await tx`select from stock where node = ${node} and sku = any(${skus as string[]}) order by sku for update`
  // A statement of its own: it sees what those whose locks we waited for have committed.
  const rows = await tx<{ sku: string; change: number; booked: number }[]>`
    select s.sku, (coalesce(t.quantity, 0) - s.reserved)::float8 as change,
      (coalesce(t.quantity, 0) - coalesce(m.reserved, 0))::float8 as booked
    from stock s left join (
      select l.sku, sum(l.quantity - l.shipped) as quantity
      from task, jsonb_to_recordset(lines) as l (sku text, quantity bigint, shipped bigint)
      where node = ${node} and state not in ('cancelled', 'shipped') group by 1
    ) t using (sku) left join (
      select u.sku, sum(u.r) as reserved from stock_movement m, unnest(m.skus, m.reserved) as u (sku, r)
      where m.node = ${node} and u.sku = any(${skus as string[]}) group by 1
    ) m using (sku)
    where s.node = ${node} and s.sku = any(${skus as string[]})
      and coalesce(t.quantity, 0) <= ${rowUnitsMax} order by s.sku`
  const wrong = rows.filter((r) => r.change !== 0 && r.change === r.booked)
  if (wrong.length === 0) return null
  const seq = await nextNodeSeq(tx, node)
  await tx`
    update stock s set reserved = s.reserved + c.change
    from unnest(${wrong.map((r) => r.sku)}::text[], ${wrong.map((r) => r.change)}::int[]) as c (sku, change)
    where s.node = ${node} and s.sku = c.sku`
  await tx`
    insert into stock_movement (node, node_seq, kind, ref, skus, on_hand, reserved)
    values (${node}, ${seq}, 'correct', ${`audit-${seq}`}, ${wrong.map((r) => r.sku)}, ${wrong.map(() => 0)}::int[],
      ${wrong.map((r) => r.change)}::int[])`
  return { node, seq, lines: wrong.map((r) => ({ sku: r.sku, delta: -r.change })) }
}

async function changed(sql: Sql, statement: string): Promise<number> {
  return (await sql.begin(async (tx) => {
    await tx`set local statement_timeout = 0`
    await tx.unsafe(setAges({ ...agesDefault, graceSeconds: 30 }))
    return (await tx.unsafe(statement)).count
  })) as number
}

/** Nodes whose rows kept back another safety stock than is set. What Redis then has to hear carries the node's number. */
export async function mendSafety(sql: Sql): Promise<number> {
  let mended = 0
  for (let after: string | null = ''; after !== null; ) {
    const some = await nodesWithOtherSafety(sql, after, nodesPerQuery)
    for (const node of some.nodes) mended += (await sql.begin((tx) => followSafety(tx, node))) === null ? 0 : 1
    after = some.last
  }
  return mended
}
