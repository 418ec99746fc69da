/**
 * What the comparison of Redis' counters with Postgres reads: what changed at which node, and a node's figures at one
 * moment.
 */
import type { StockKey } from '../../../router/types.ts'
import type { Queryable } from '../postgres/connect.ts'

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

/**
 * What is available now of whatever changed at some nodes after a number of theirs. Reservations alone do not count.
 */
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
