/** Where more is promised than there is, and the exceptions that say so. */
import type { StockKey } from '../../../router/types.ts'
import type { Queryable } from '../postgres/connect.ts'
import type { ShortRow } from './stock.ts'

/** Where more is promised than there is: of the given places, of every place at the given nodes, and of all that are known to be short. */
export async function shortAmong(
  sql: Queryable,
  places: readonly StockKey[],
  nodes: readonly string[],
): Promise<ShortRow[]> {
  return await sql<ShortRow[]>`
    with candidate (node, sku) as materialized (
      select * from unnest(${places.map((p) => p.node)}::text[], ${places.map((p) => p.sku)}::text[])
      union
      select detail ->> 'node', detail ->> 'sku' from exception where kind = 'shortage' and resolved_at is null
    )
    select s.node, s.sku, s.reserved - s.on_hand as missing
    from candidate c cross join lateral (
      select * from stock s where s.node = c.node and s.sku = c.sku and s.reserved > s.on_hand offset 0
    ) s
    union
    select node, sku, reserved - on_hand from stock where node = any(${nodes as string[]}) and reserved > on_hand
    order by node, sku`
}

/** Shortages that a later count, a shipment or a re-sourcing ended. Looks at the open ones alone. */
export async function endShortages(sql: Queryable): Promise<number> {
  const ended = await sql`
    with open_one as materialized (
      select id, detail ->> 'node' as node, detail ->> 'sku' as sku from exception
      where kind = 'shortage' and resolved_at is null
    ), over as materialized (
      select o.id from open_one o cross join lateral (
        select 1 from stock s where s.node = o.node and s.sku = o.sku and s.reserved <= s.on_hand offset 0
      ) s
    )
    update exception e set resolved_at = now() from over where e.id = over.id`
  return ended.count
}
