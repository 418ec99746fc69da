/**
 * Stock as Postgres keeps it: receipts and counts in, figures out. What decisions reserve and release is moved by
 * ./move-stock.ts (called by ../orders/commit.ts), shipments by ../tasks/ship.ts.
 */
import {
  countTime,
  type PostingDone,
  type PostingKind,
  postedUnits,
  postTo,
  type RowBefore,
} from '../../../router/posting.ts'
import type { Shortage } from '../../../router/shortage.ts'
import { availableOf, type NodeDelta } from '../../../router/stock.ts'
import type { SkuQuantity, StockKey } from '../../../router/types.ts'
import type { Queryable, Sql, Transaction } from '../postgres/connect.ts'
import { goodsMovedSince } from './goods-moved.ts'
import { keepSkusPlain } from './sku-use.ts'

export interface Posting {
  readonly node: string
  /** The caller's idempotency key. */
  readonly ref: string
  readonly kind: PostingKind
  /** Quantities of one SKU are added up first. */
  readonly lines: readonly SkuQuantity[]
  readonly bodyHash: Buffer
  /** When a count was made, epoch milliseconds; null or left out: now. Of kind `set` alone. */
  readonly countedAt?: number | null
}

export type Posted =
  | { readonly outcome: 'posted'; readonly delta: NodeDelta; readonly shortages: readonly Shortage[] }
  | { readonly outcome: 'already_posted' }
  | { readonly outcome: 'ref_used_for_other_lines' }
  | { readonly outcome: 'unknown_skus'; readonly skus: readonly string[] }
  | PostingRefused

type PostingRefused = Exclude<PostingDone, { outcome: 'posted' }>

/** One transaction. The node's safety stock is kept back of every SKU that it gets for the first time. */
export async function postStock(sql: Sql, posting: Posting): Promise<Posted> {
  const units = postedUnits(posting.kind, posting.lines)
  const skus = [...units.keys()].sort()
  return (await sql
    .begin(async (tx) => {
      await keepSkusPlain(tx)
      const [fresh] = await tx`
      insert into stock_posting (node, ref, body_hash) values (${posting.node}, ${posting.ref}, ${posting.bodyHash})
      on conflict do nothing returning 1`
      if (fresh === undefined) {
        const [known] = await tx<{ body_hash: Buffer }[]>`
        select body_hash from stock_posting where node = ${posting.node} and ref = ${posting.ref}`
        return { outcome: known!.body_hash.equals(posting.bodyHash) ? 'already_posted' : 'ref_used_for_other_lines' }
      }
      const unknown = await tx<{ sku: string }[]>`
      select s.sku from unnest(${skus}::text[]) as s (sku) left join sku using (sku)
      where sku.sku is null or jsonb_array_length(sku.detail -> 'bundle') > 0`
      if (unknown.length > 0)
        return await undo(tx, posting, { outcome: 'unknown_skus', skus: unknown.map((r) => r.sku) })
      const { seq, safety } = await nextChange(tx, posting.node)
      const made = await tx<{ sku: string }[]>`
      insert into stock (node, sku, on_hand, safety) select ${posting.node}, sku, 0, ${safety} from unnest(${skus}::text[]) as s (sku)
      on conflict do nothing returning sku`
      const rows = await tx<StoredRow[]>`
      select sku, on_hand as "onHand", reserved, safety, floor(extract(epoch from counted_at) * 1000)::float8 as "lastCountedAt"
      from stock where node = ${posting.node} and sku = any(${skus}) order by sku for update`
      const isNew = new Set(made.map((r) => r.sku))
      const times = posting.kind === 'set' ? { countedAt: posting.countedAt ?? null, nowMs: await timeOf(tx) } : null
      const movedSince = await goodsMovedSince(tx, posting.node, skus, times?.countedAt ?? null)
      const before = rows.map((r) => ({ ...r, isNew: isNew.has(r.sku), movedSince: movedSince.get(r.sku) ?? 0 }))
      const done = postTo(posting.kind, units, before, times)
      if (done.outcome !== 'posted') throw new Undone(done)
      const { moved, delta, shortages } = done
      const came = moved.map((m) => m.onHand)
      await tx`
      update stock set on_hand = stock.on_hand + c.came,
        counted_at = greatest(counted_at, to_timestamp(${times === null ? null : countTime(times)}::float8 / 1000))
      from unnest(${rows.map((r) => r.sku)}::text[], ${came}::int[]) as c (sku, came)
      where stock.node = ${posting.node} and stock.sku = c.sku`
      await tx`
      insert into stock_movement (node, node_seq, kind, ref, skus, on_hand, reserved, safety)
      values (${posting.node}, ${seq}, ${posting.kind}, ${posting.ref}, ${rows.map((r) => r.sku)},
        ${came}::int[], ${rows.map(() => 0)}::int[], ${moved.map((m) => m.safety)}::int[])`
      return { outcome: 'posted', delta: { node: posting.node, seq, lines: delta }, shortages }
    })
    .catch((error: unknown) => {
      if (error instanceof Undone) return error.refused
      throw error
    })) as Posted
}

type StoredRow = Omit<RowBefore, 'isNew' | 'movedSince'>

/** Postgres' clock: movements have its times too. */
async function timeOf(tx: Transaction): Promise<number> {
  const [row] = await tx<{ ms: number }[]>`select floor(extract(epoch from now()) * 1000)::float8 as ms`
  return row!.ms
}

async function undo(tx: Transaction, posting: Posting, outcome: Posted): Promise<Posted> {
  await tx`delete from stock_posting where node = ${posting.node} and ref = ${posting.ref}`
  return outcome
}

class Undone extends Error {
  readonly refused: PostingRefused
  constructor(refused: PostingRefused) {
    super(refused.outcome)
    this.refused = refused
  }
}

/** The next number of the node's changes; holds the node's lock until the transaction ends. */
export async function nextNodeSeq(tx: Transaction, node: string): Promise<number> {
  return (await nextChange(tx, node)).seq
}

/**
 * With the node's safety stock as set by then: a transaction that sets another one waits for this lock, and carries it
 * into the rows after this change.
 */
export async function nextChange(tx: Transaction, node: string): Promise<{ seq: number; safety: number }> {
  const [row] = await tx<{ seq: number; safety: number }[]>`
    update node set seq = seq + 1 where node = ${node}
    returning seq::float8 as seq, coalesce((detail ->> 'safetyStock')::int, 0) as safety`
  return row!
}

/**
 * Carries a node's safety stock, as it is set now, into all of its rows; null when nothing changes. The node is locked
 * first, so of several settings the last one is carried last.
 */
export async function followSafety(tx: Transaction, node: string): Promise<NodeDelta | null> {
  const [set] = await tx<{ safety: number }[]>`
    select coalesce((detail ->> 'safetyStock')::int, 0) as safety from node where node = ${node} for update`
  const { safety } = set!
  const rows = await tx<{ sku: string; safety: number }[]>`
    select sku, safety from stock where node = ${node} and safety <> ${safety} order by sku for update`
  if (rows.length === 0) return null
  const seq = await nextNodeSeq(tx, node)
  await tx`update stock set safety = ${safety} where node = ${node} and safety <> ${safety}`
  const lines = rows.map((r) => ({ sku: r.sku, delta: r.safety - safety }))
  const zeros = rows.map(() => 0)
  await tx`
    insert into stock_movement (node, node_seq, kind, ref, skus, on_hand, reserved, safety)
    values (${node}, ${seq}, 'safety', ${`safety-${seq}`}, ${rows.map((r) => r.sku)}, ${zeros}::int[], ${zeros}::int[],
      ${rows.map((r) => safety - r.safety)}::int[])`
  return { node, seq, lines }
}

/**
 * Of the next nodes behind `after`, in the order of their names: those whose rows keep back another safety stock than
 * is set. `last`: how far this looked; null when there are none behind it.
 */
export async function nodesWithOtherSafety(
  sql: Queryable,
  after: string,
  limit: number,
): Promise<{ readonly nodes: readonly string[]; readonly last: string | null }> {
  const rows = await sql<{ node: string; differs: boolean }[]>`
    select n.node, exists (
      select from stock s where s.node = n.node and s.safety <> coalesce((n.detail ->> 'safetyStock')::int, 0)
    ) as differs
    from node n where n.node > ${after} order by n.node limit ${limit}`
  return { nodes: rows.filter((r) => r.differs).map((r) => r.node), last: rows.at(-1)?.node ?? null }
}

/** What Redis has to be told after `fromSeq`, in order. */
export async function deltasAfter(sql: Queryable, node: string, fromSeq: number): Promise<NodeDelta[]> {
  const rows = await sql<
    { seq: string; skus: string[]; on_hand: number[]; reserved: number[]; safety: number[] | null }[]
  >`
    select node_seq as seq, skus, on_hand, reserved, safety
    from stock_movement where node = ${node} and node_seq > ${fromSeq} order by node_seq`
  return rows.map((r) => ({
    node,
    seq: Number(r.seq),
    lines: r.skus.map((sku, i) => {
      const figures = { onHand: r.on_hand[i]!, reserved: r.reserved[i]!, safety: r.safety?.[i] ?? 0 }
      return { sku, delta: availableOf(figures) }
    }),
  }))
}

export interface NodeFigures {
  readonly node: string
  readonly no: number
  readonly seq: number
  readonly available: readonly { readonly sku: string; readonly available: number }[]
}

/**
 * Every node with what it can promise, as one look at the database. Two lists are half the work of a list of objects.
 */
export async function figuresOf(sql: Queryable, nodes: readonly string[]): Promise<NodeFigures[]> {
  const rows = await sql<{ node: string; no: number; seq: number; skus: string[]; available: number[] }[]>`
    select n.node, n.no, n.seq::float8 as seq, s.skus, s.available
    from node n cross join lateral (
      select coalesce(json_agg(sku), '[]') as skus, coalesce(json_agg(available), '[]') as available
      from stock where stock.node = n.node
    ) s where n.node = any(${nodes as string[]})`
  return rows.map(({ node, no, seq, skus, available }) => ({
    ...{ node, no, seq },
    available: skus.map((sku, i) => ({ sku, available: available[i]! })),
  }))
}

export interface StockRow extends StockKey {
  readonly onHand: number
  readonly reserved: number
  readonly safety: number
  readonly available: number
}

export async function stockRows(
  sql: Queryable,
  filter: { readonly sku?: string; readonly node?: string; readonly limit: number },
): Promise<StockRow[]> {
  return await sql<StockRow[]>`
    select node, sku, on_hand as "onHand", reserved, safety, available
    from stock where true ${filter.sku === undefined ? sql`` : sql`and sku = ${filter.sku}`}
      ${filter.node === undefined ? sql`` : sql`and node = ${filter.node}`}
    order by node, sku limit ${filter.limit}`
}
