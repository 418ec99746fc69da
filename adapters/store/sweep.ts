/** What the sweep reads: reservations that nobody confirmed, stock for backorders, changes of other processes, what is over. */
import type { Queryable } from './connect.ts'

/** A reservation is its node's: a decision that is made again may want the same id from another node. */
interface Reservation {
  readonly node: string
  readonly reservationId: string
}

/** Tells of some reservations those that a committed decision made (their units are Postgres' own) from all others. */
export async function partedByCommit<R extends Reservation>(
  sql: Queryable,
  reservations: readonly R[],
): Promise<{ readonly committed: readonly R[]; readonly others: readonly R[] }> {
  const rows = await sql<{ node: string; ref: string }[]>`
    select node, ref from stock_movement
    where ref = any(${reservations.map((r) => r.reservationId)}) and kind = 'reserve'`
  const known = new Set(rows.map((r) => keyOf(r.node, r.ref)))
  const isCommitted = (r: R): boolean => known.has(keyOf(r.node, r.reservationId))
  return { committed: reservations.filter(isCommitted), others: reservations.filter((r) => !isCommitted(r)) }
}

function keyOf(node: string, reservationId: string): string {
  return `${node}\u0000${reservationId}`
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

/** What is available now of whatever changed at some nodes after a number of theirs. Reservations alone do not count. */
export async function changedSince(
  sql: Queryable,
  nodes: readonly { readonly node: string; readonly seq: number }[],
): Promise<{ node: string; sku: string; available: number }[]> {
  return await sql<{ node: string; sku: string; available: number }[]>`
    select s.node, s.sku, s.on_hand - s.safety - s.reserved as available
    from (
      select distinct m.node, k.sku
      from unnest(${nodes.map((n) => n.node)}::text[], ${nodes.map((n) => n.seq)}::bigint[]) as f (node, seq)
      join stock_movement m on m.node = f.node and m.node_seq > f.seq
      cross join unnest(m.skus) as k (sku)
    ) c join stock s on s.node = c.node and s.sku = c.sku`
}

/** Those of some event ids that are still to be decided. */
export async function pendingAmong(sql: Queryable, eventIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{ event_id: string }[]>`
    select event_id from pending where event_id = any(${eventIds as string[]}::text[])`
  return new Set(rows.map((r) => r.event_id))
}

/** Events that could not be decided and now are, orders that could not be pulled and of which no hint waits any more. */
export async function endEventExceptions(sql: Queryable): Promise<number> {
  const ended = await sql`
    update exception e set resolved_at = now()
    where e.resolved_at is null and e.kind in ('undecidable_event', 'order_not_pulled') and not exists (
      select from pending p
      where p.channel = e.detail ->> 'channel' and p.shop = e.detail ->> 'shop' and p.order_id = e.detail ->> 'orderId'
        and (e.kind = 'order_not_pulled' and p.kind = 'hint' or p.event_id = e.detail ->> 'eventId'))`
  return ended.count
}
