/** Lines as a warehouse tells them, by SKU. */
import type { SkuQuantity } from './types.ts'

/** Units by SKU. */
export function addUp(lines: readonly SkuQuantity[]): Map<string, number> {
  const bySku = new Map<string, number>()
  for (const line of lines) bySku.set(line.sku, (bySku.get(line.sku) ?? 0) + line.quantity)
  return bySku
}

/**
 * What a call adds to a waybill that was told before. A call names all that is in the parcel so far, some of it again, or
 * goods that were not named for it yet. null: it does none of these, so that a repeat cannot be told from an addition.
 */
export function notToldBefore(
  known: readonly SkuQuantity[],
  told: readonly SkuQuantity[],
): readonly SkuQuantity[] | null {
  const before = addUp(known)
  const now = addUp(told)
  if ([...now.keys()].every((sku) => !before.has(sku))) return told
  if ([...now].every(([sku, quantity]) => quantity <= (before.get(sku) ?? 0))) return []
  if ([...before].some(([sku, quantity]) => quantity > (now.get(sku) ?? 0))) return null
  const more = [...now].map(([sku, quantity]) => ({ sku, quantity: quantity - (before.get(sku) ?? 0) }))
  return more.filter((line) => line.quantity > 0)
}

/** A SKU of which the task has fewer units left than are meant; null: all fit. */
export function unfitSku(
  lines: readonly (SkuQuantity & { readonly shipped: number })[],
  meant: ReadonlyMap<string, number>,
): string | null {
  for (const [sku, quantity] of meant) {
    const line = lines.find((l) => l.sku === sku)
    if (line === undefined || quantity > line.quantity - line.shipped) return sku
  }
  return null
}
