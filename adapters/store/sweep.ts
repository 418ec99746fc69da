/** What the sweep reads: reservations that nobody confirmed, stock for backorders, changes of other processes, what is over. */

import type { StockKey } from '../../router/types.ts'
import { doubted } from './inbox/inbox.ts'
import type { Queryable } from './postgres/connect.ts'
import type { ShortRow } from './stock/stock.ts'

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

/**
 * SKUs that some order waits for, in order, after the given one. Steps from one SKU to the next in the primary key, so that
 * the price is one probe a SKU, however many orders wait for it.
 */
export async function backorderedSkus(sql: Queryable, afterSku: string, limit: number): Promise<string[]> {
  const rows = await sql<{ sku: string }[]>`
    with recursive step (sku, n) as (
      (select sku, 1 from backorder where sku > ${afterSku} order by sku limit 1)
      union all
      select next.sku, step.n + 1 from step cross join lateral (
        select b.sku from backorder b where b.sku > step.sku order by b.sku limit 1
      ) next where step.n < ${limit}
    )
    select sku from step`
  return rows.map((r) => r.sku)
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

export interface NodeSeq {
  readonly node: string
  readonly seq: number
}

export async function nodeSeqs(sql: Queryable): Promise<NodeSeq[]> {
  return await sql<NodeSeq[]>`select node, seq::float8 as seq from node order by node`
}

export interface ChangedStock extends StockKey {
  readonly available: number
  readonly isShort: boolean
}

/** What is available now of whatever changed at some nodes after a number of theirs. Reservations alone do not count. */
export async function changedSince(sql: Queryable, nodes: readonly NodeSeq[]): Promise<ChangedStock[]> {
  return await sql<ChangedStock[]>`
    select s.node, s.sku, s.available, s.reserved > s.on_hand as "isShort"
    from (
      select distinct m.node, k.sku
      from unnest(${nodes.map((n) => n.node)}::text[], ${nodes.map((n) => n.seq)}::bigint[]) as f (node, seq)
      join stock_movement m on m.node = f.node and m.node_seq > f.seq
      cross join unnest(m.skus) as k (sku)
    ) c join stock s on s.node = c.node and s.sku = c.sku`
}

export interface Books {
  readonly seq: number
  readonly available: ReadonlyMap<string, number>
  /** Those of the reservations asked for that a decision has committed at this node. */
  readonly committed: readonly string[]
}

/** A node's figures, and which reservations they include, as one look at the database. null: no such node. */
export async function figuresWithCommitted(
  sql: Queryable,
  node: string,
  reservationIds: readonly string[],
): Promise<Books | null> {
  const [row] = await sql<{ seq: number; skus: string[] | null; available: number[] | null; committed: string[] }[]>`
    select n.seq::float8 as seq, s.skus, s.available, array(
      select ref from stock_movement m
      where m.kind = 'reserve' and m.ref = any(${reservationIds as string[]}::text[]) and m.node = n.node
    ) as committed
    from node n cross join lateral (
      select array_agg(sku) as skus, array_agg(available) as available from stock where node = n.node
    ) s
    where n.node = ${node}`
  if (row === undefined) return null
  const available = row.available ?? []
  return {
    seq: row.seq,
    available: new Map((row.skus ?? []).map((sku, i) => [sku, available[i]!])),
    committed: row.committed,
  }
}

/** Those of some event ids that are still to be decided. */
export async function pendingAmong(sql: Queryable, eventIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{ event_id: string }[]>`
    select event_id from pending where event_id = any(${eventIds as string[]}::text[])`
  return new Set(rows.map((r) => r.event_id))
}

/**
 * Events that could not be decided and now are, orders that could not be fetched and of which no notification waits any more.
 * Version 0.1.0 called a notification `hint`.
 */
export async function endEventExceptions(sql: Queryable): Promise<number> {
  // Each is a join by equality, so that neither a large backlog nor many open exceptions make it slow.
  const decided = await sql`
    update exception e set resolved_at = now()
    where e.resolved_at is null and e.kind = 'undecidable_event' and not exists (
      select from pending p
      where p.channel = e.detail ->> 'channel' and p.shop = e.detail ->> 'shop' and p.event_id = e.detail ->> 'eventId')`
  const fetched = await sql`
    update exception e set resolved_at = now()
    where e.resolved_at is null and e.kind = 'order_not_fetched' and not exists (
      select from pending p
      where p.kind in ('notification', 'hint') and p.channel = e.detail ->> 'channel' and p.shop = e.detail ->> 'shop'
        and p.order_id = e.detail ->> 'orderId' and p.last_error is distinct from ${doubted})`
  return decided.count + fetched.count
}
