/** Where more is promised than there is, and the exceptions that say so. */
import type { MissingUnits } from '../../../router/shortage.ts'
import type { StockKey } from '../../../router/types.ts'
import { over } from '../exception-over.ts'
import type { Queryable } from '../postgres/connect.ts'

/** Rows that promise more than there is: of one posting's, or all. */
export async function shortRows(
  sql: Queryable,
  of: { readonly node: string; readonly skus: readonly string[] } | null,
): Promise<MissingUnits[]> {
  return await sql<MissingUnits[]>`
    select node, sku, reserved - on_hand as missing from stock
    where reserved > on_hand ${of === null ? sql`` : sql`and node = ${of.node} and sku = any(${of.skus as string[]})`}
    order by node, sku`
}

/** Which of some rows promise more than there is. */
export async function shortAt(sql: Queryable, places: readonly StockKey[]): Promise<MissingUnits[]> {
  return await sql<MissingUnits[]>`
    select s.node, s.sku, s.reserved - s.on_hand as missing
    from unnest(${places.map((p) => p.node)}::text[], ${places.map((p) => p.sku)}::text[]) as p (node, sku)
    cross join lateral (
      select * from stock where node = p.node and sku = p.sku and reserved > on_hand offset 0
    ) s order by s.node, s.sku`
}

export interface UnpulledTask extends StockKey {
  readonly taskId: string
  readonly channel: string
  readonly shop: string
  readonly orderId: string
  /** Units of that SKU. */
  readonly quantity: number
}

/** Unpulled tasks that hold a SKU at a node, newest first: the ones to source elsewhere after a count. */
export async function unpulledTasks(sql: Queryable, rows: readonly StockKey[]): Promise<UnpulledTask[]> {
  return await sql<UnpulledTask[]>`
    select s.node, s.sku, t.task_id as "taskId", o.channel, o.shop, o.order_id as "orderId",
      (select sum((l ->> 'quantity')::bigint)::float8 from jsonb_array_elements(t.lines) l where l ->> 'sku' = s.sku) as quantity
    from unnest(${rows.map((r) => r.node)}::text[], ${rows.map((r) => r.sku)}::text[]) as s (node, sku)
    join task t on t.node = s.node and t.state = 'ready'
      and t.lines @> jsonb_build_array(jsonb_build_object('sku', s.sku))
    join orders o on o.id = t.order_id
    order by t.created_at desc, t.task_id desc, s.sku`
}

/** Where more is promised than there is: of the given places, of every place at the given nodes, and of all that are known to be short. */
export async function shortAmong(
  sql: Queryable,
  places: readonly StockKey[],
  nodes: readonly string[],
): Promise<MissingUnits[]> {
  return await sql<MissingUnits[]>`
    with candidate (node, sku) as materialized (
      select * from unnest(${places.map((p) => p.node)}::text[], ${places.map((p) => p.sku)}::text[])
      union
      select detail ->> 'node', detail ->> 'sku' from exception where kind = 'shortage' and resolved_at is null
      union
      select detail ->> 'node', detail ->> 'sku' from exception where kind = 'shortage' and accepted
    )
    select s.node, s.sku, s.reserved - s.on_hand as missing
    from candidate c cross join lateral (
      select * from stock s where s.node = c.node and s.sku = c.sku and s.reserved > s.on_hand offset 0
    ) s
    union
    select node, sku, reserved - on_hand from stock where node = any(${nodes as string[]}) and reserved > on_hand
    order by node, sku`
}

/** Shortages that a later count, a shipment or a re-sourcing ended. Looks at those alone that are open, or accepted by a person. */
export async function endShortages(sql: Queryable): Promise<number> {
  const ended = await sql`
    with open_one as materialized (
      select id, detail ->> 'node' as node, detail ->> 'sku' as sku from exception
      where kind = 'shortage' and resolved_at is null
      union all
      select id, detail ->> 'node', detail ->> 'sku' from exception where kind = 'shortage' and accepted
    ), ended as materialized (
      select o.id from open_one o cross join lateral (
        select 1 from stock s where s.node = o.node and s.sku = o.sku and s.reserved <= s.on_hand offset 0
      ) s
    )
    update exception set ${over(sql)} from ended where exception.id = ended.id`
  return ended.count
}
