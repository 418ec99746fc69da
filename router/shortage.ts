/** Which tasks a shortage calls back: a count found fewer units than are promised, and it is believed. */
import { stockKey } from './stock.ts'
import type { StockKey } from './types.ts'

/** Units of one SKU that an unpulled task holds at its node. */
export interface HeldUnits extends StockKey {
  readonly taskId: string
  readonly quantity: number
}

/** `missing`: units that are promised and not there. */
export interface Shortage {
  readonly sku: string
  readonly missing: number
}

export interface MissingUnits extends StockKey, Shortage {}

/**
 * The tasks to call back: of those that are not pulled yet the newest ones, until their units make up for what is
 * missing. `isRecalled`: called back already and not decided yet; these count first, so that a shortage that is found
 * twice calls no further task back.
 */
export function tasksToCallBack<T extends HeldUnits>(
  short: readonly MissingUnits[],
  held: readonly T[],
  isRecalled: (held: T) => boolean,
): T[] {
  const missing = new Map(short.map((s) => [stockKey(s.node, s.sku), s.missing]))
  const wanted = new Map<string, T>()
  for (const units of [...held.filter(isRecalled), ...held.filter((h) => !isRecalled(h))]) {
    const key = stockKey(units.node, units.sku)
    const left = missing.get(key) ?? 0
    if (left <= 0) continue
    missing.set(key, left - units.quantity)
    if (!isRecalled(units)) wanted.set(units.taskId, units)
  }
  return [...wanted.values()]
}
