/**
 * Stock arithmetic: what is available, what a batch of decisions does to a row, what a parcel takes. All figures are
 * units.
 */

import type { StockCorrection } from './reasons.ts'
import type { Task } from './task.ts'
import type { SkuQuantity, StockKey } from './types.ts'

export interface StockFigures {
  readonly onHand: number
  readonly reserved: number
  readonly safety: number
}

/** Available to promise. The column `stock.available` says the same. Negative after a shortage. */
export function availableOf({ onHand, reserved, safety }: StockFigures): number {
  return onHand - safety - reserved
}

/** More is promised than there is. A row that only eats into its safety stock is not short. */
export function shortageOf({ onHand, reserved }: Pick<StockFigures, 'onHand' | 'reserved'>): number {
  return Math.max(0, reserved - onHand)
}

/** A task whose units are released. */
export interface Release {
  readonly taskId: string
  readonly node: string
  readonly lines: readonly SkuQuantity[]
  readonly corrections: readonly StockCorrection[]
}

/** A task with the reservation that its units were taken by. */
export interface NewTask {
  readonly task: Task
  readonly reservationId: string
}

/** A change of what a node can promise, numbered: Redis is told in this sequence. */
export interface NodeDelta {
  readonly node: string
  readonly seq: number
  readonly lines: readonly { readonly sku: string; readonly delta: number }[]
}

/** What a batch does to the row of one SKU at one node. */
export interface RowChange extends StockKey {
  reserve: number
  release: number
  missing: number
  nothingLeft: boolean
  /** Units that leave the books: settled once the row is known. */
  gone: number
}

export function stockKey(node: string, sku: string): string {
  return `${node}\u0000${sku}`
}

/** By `stockKey`. */
export function changesOf(newTasks: readonly NewTask[], releases: readonly Release[]): Map<string, RowChange> {
  const changes = new Map<string, RowChange>()
  const at = (node: string, sku: string): RowChange => {
    const key = stockKey(node, sku)
    let change = changes.get(key)
    if (change === undefined) {
      change = { node, sku, reserve: 0, release: 0, missing: 0, nothingLeft: false, gone: 0 }
      changes.set(key, change)
    }
    return change
  }
  for (const { task } of newTasks) for (const l of task.lines) at(task.node, l.sku).reserve += l.quantity
  for (const { node, lines, corrections } of releases) {
    for (const l of lines) at(node, l.sku).release += l.quantity
    for (const { sku, missing, believeNothingLeft } of corrections) {
      const change = at(node, sku)
      change.missing += missing
      change.nothingLeft ||= believeNothingLeft
    }
  }
  return changes
}

export function needsCorrection({ missing, nothingLeft }: RowChange): boolean {
  return missing > 0 || nothingLeft
}

/**
 * Units that leave the books. What is given back counts as given back already, so that "nothing left" leaves exactly
 * what others are promised.
 */
export function goneFrom(
  { onHand, reserved }: Pick<StockFigures, 'onHand' | 'reserved'>,
  { missing, nothingLeft, release }: RowChange,
): number {
  const counted = onHand - missing
  const believed = nothingLeft ? Math.min(counted, reserved - release) : counted
  return onHand - Math.max(0, believed)
}

export interface ReleaseMovement {
  readonly kind: 'release' | 'correct'
  readonly lines: readonly { readonly sku: string; readonly onHand: number; readonly reserved: number }[]
}

/**
 * What each release writes, in their sequence. What is gone from a row is written down with the first release that says
 * so.
 */
export function releaseMovements(
  releases: readonly Release[],
  changes: ReadonlyMap<string, RowChange>,
): readonly ReleaseMovement[] {
  const written = new Set<string>()
  return releases.map(({ node, lines, corrections }) => {
    const gone = new Map<string, number>()
    for (const { sku } of corrections) {
      const key = stockKey(node, sku)
      if (!written.has(key)) gone.set(sku, changes.get(key)!.gone)
      written.add(key)
    }
    const skus = [...new Set([...lines.map((l) => l.sku), ...gone.keys()])]
    return {
      kind: corrections.length > 0 ? 'correct' : 'release',
      lines: skus.map((sku) => ({
        sku,
        onHand: 0 - (gone.get(sku) ?? 0),
        reserved: 0 - (lines.find((l) => l.sku === sku)?.quantity ?? 0),
      })),
    }
  })
}

/** What Redis has to be told of it. */
export function deltaOf(node: string, seq: number, { lines }: ReleaseMovement): NodeDelta {
  return { node, seq, lines: lines.map(({ sku, onHand, reserved }) => ({ sku, delta: onHand - reserved })) }
}

/**
 * What a parcel takes from the books: on hand and reserved go down together, so what is available stays. A count may
 * have said that fewer are on hand than leave now: then the parcel is believed and not the count, and Redis has to be
 * told (`isNews`).
 */
export function takenByParcel(quantity: number, onHand: number): { readonly taken: number; readonly isNews: boolean } {
  const taken = Math.min(quantity, onHand)
  return { taken, isNews: taken !== quantity }
}
