/** What the sweep reads: reservations that nobody confirmed, stock for backorders, shortages that are over. */
import type { Queryable } from './connect.ts'

/** Of some reservation ids, those that a committed decision made: their units are Postgres' own. */
export async function committedReservations(sql: Queryable, ids: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{ ref: string }[]>`
    select ref from stock_movement where ref = any(${ids as string[]}) and kind = 'reserve'`
  return new Set(rows.map((r) => r.ref))
}

/** Backordered SKUs of which some node can promise something, with how much all nodes can together. */
export async function fillableSkus(sql: Queryable): Promise<{ sku: string; available: number }[]> {
  return await sql<{ sku: string; available: number }[]>`
    select b.sku, sum(s.on_hand - s.safety - s.reserved)::float8 as available
    from (select distinct sku from backorder) b
    join stock s on s.sku = b.sku and s.on_hand - s.safety - s.reserved > 0
    group by b.sku`
}

/** Shortages that a later count, a shipment or a re-sourcing ended. */
export async function endShortages(sql: Queryable): Promise<number> {
  const ended = await sql`
    update exception e set resolved_at = now()
    from stock s
    where e.kind = 'shortage' and e.resolved_at is null and e.detail ->> 'node' = s.node and e.detail ->> 'sku' = s.sku
      and s.reserved <= s.on_hand`
  return ended.count
}

export async function nodeSeqs(sql: Queryable): Promise<{ node: string; seq: number }[]> {
  return await sql<{ node: string; seq: number }[]>`select node, seq::float8 as seq from node order by node`
}
