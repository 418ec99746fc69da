/** What a posting of stock does to the rows of its SKUs: goods that came in, were written off or were counted. */

import type { Shortage } from './shortage.ts'
import { availableOf, type StockFigures, shortageOf } from './stock.ts'
import type { SkuQuantity } from './types.ts'

/** set: the quantity is what was counted on hand; add: it came in (or, negative, is written off). */
export type PostingKind = 'set' | 'add'

/** A row as it is before; one that the node has for the first time is empty but for the safety stock that it will keep back. */
export interface RowBefore extends StockFigures {
  readonly sku: string
  readonly isNew: boolean
  /** When it was counted last, epoch milliseconds; null: never. */
  readonly lastCountedAt: number | null
  /** Of a count with a time: the units that moved since then (`goodsMoved`). 0 of any other posting. */
  readonly movedSince: number
}

/** When a count was made (null: it says nothing, so now), and when it is posted. Epoch milliseconds. */
export interface CountTimes {
  readonly countedAt: number | null
  readonly nowMs: number
}

/** The time that the row keeps of it. */
export function countTime({ countedAt, nowMs }: CountTimes): number {
  return Math.min(countedAt ?? nowMs, nowMs)
}

/** A node's clock may be a little ahead of ours; a time further ahead is a mistake. */
export const countAheadMsMax = 5_000
/** What moved since a count is added up from single movements, and a warehouse has a million of them in a week. */
export const countAgeMsMax = 7 * 24 * 3_600_000

/** Kinds of movements that move goods. What a decision reserves or releases stays where it lies. */
export const goodsKinds = ['add', 'correct', 'ship', 'return'] as const
export type GoodsKind = (typeof goodsKinds)[number]

/**
 * The units by which a movement changed what lies there. Of a parcel those that left, also where the books had fewer:
 * they took no more off than they had (`takenByParcel`).
 */
export function goodsMoved(kind: GoodsKind, { onHand, reserved }: Pick<StockFigures, 'onHand' | 'reserved'>): number {
  return kind === 'ship' ? reserved : onHand
}

/** Units of one row that the posting moves. */
export interface MovedLine extends StockFigures {
  readonly sku: string
}

/**
 * Units of one SKU at one node. No warehouse has a thousand million of one article; so many with all that is promised
 * and kept back of them stay within what a column of Postgres holds.
 */
export const onHandMax = 1_000_000_000

export type PostingDone =
  /** Nothing is posted: more would be written off than there is. */
  | { readonly outcome: 'below_zero'; readonly skus: readonly string[] }
  /** Nothing is posted: there would be more on hand than `onHandMax`. */
  | { readonly outcome: 'above_max'; readonly skus: readonly string[] }
  /** Nothing is posted: these were counted later than that, or it is longer ago than `countAgeMsMax`. */
  | { readonly outcome: 'stale_count'; readonly skus: readonly string[] }
  /** Nothing is posted: no count is made in the future. */
  | { readonly outcome: 'count_in_the_future' }
  | {
      readonly outcome: 'posted'
      /** One a row, in their sequence. */
      readonly moved: readonly MovedLine[]
      /** What Redis has to be told. */
      readonly delta: readonly { readonly sku: string; readonly delta: number }[]
      readonly shortages: readonly Shortage[]
    }

/** By SKU. What came in twice is added up; of two counts the later one holds. */
export function postedUnits(kind: PostingKind, lines: readonly SkuQuantity[]): ReadonlyMap<string, number> {
  const units = new Map<string, number>()
  for (const { sku, quantity } of lines) units.set(sku, kind === 'set' ? quantity : (units.get(sku) ?? 0) + quantity)
  return units
}

/**
 * `units`: of `postedUnits`, with a figure for each row. `times`: of a count; null of any other posting.
 */
export function postTo(
  kind: PostingKind,
  units: ReadonlyMap<string, number>,
  rows: readonly RowBefore[],
  times: CountTimes | null = null,
): PostingDone {
  const refused = refusedCount(rows, times)
  if (refused !== null) return refused
  // What has left since the count has left, also when the count found fewer.
  const after = rows.map(({ sku, onHand, movedSince }) =>
    kind === 'set' ? Math.max(0, units.get(sku)! + movedSince) : onHand + units.get(sku)!,
  )
  const below = rows.filter((_, i) => after[i]! < 0).map((row) => row.sku)
  if (below.length > 0) return { outcome: 'below_zero', skus: below }
  // A row that had more before may be brought down step by step.
  const above = rows.filter(({ onHand }, i) => after[i]! > Math.max(onHandMax, onHand)).map((row) => row.sku)
  if (above.length > 0) return { outcome: 'above_max', skus: above }
  // Redis has never heard of a row that is new, so it learns of its safety stock here.
  const moved = rows.map((row, i) => {
    return { sku: row.sku, onHand: after[i]! - row.onHand, reserved: 0, safety: row.isNew ? row.safety : 0 }
  })
  const missing = rows.map(({ reserved }, i) => shortageOf({ onHand: after[i]!, reserved }))
  return {
    outcome: 'posted',
    moved,
    delta: moved.map((line) => ({ sku: line.sku, delta: availableOf(line) })),
    shortages: rows.map(({ sku }, i) => ({ sku, missing: missing[i]! })).filter((s) => s.missing > 0),
  }
}

function refusedCount(
  rows: readonly RowBefore[],
  times: CountTimes | null,
): Extract<PostingDone, { outcome: 'stale_count' | 'count_in_the_future' }> | null {
  // A count without a time is the last one, whatever was said before.
  if (times === null || times.countedAt === null) return null
  const { countedAt, nowMs } = times
  if (countedAt > nowMs + countAheadMsMax) return { outcome: 'count_in_the_future' }
  const isTooOld = countedAt < nowMs - countAgeMsMax
  const stale = rows.filter(({ lastCountedAt }) => isTooOld || (lastCountedAt !== null && countedAt < lastCountedAt))
  return stale.length > 0 ? { outcome: 'stale_count', skus: stale.map((row) => row.sku) } : null
}
