/**
 * Bundles (组合商品) taken apart: from what the buyer ordered to what is picked. A bundle's components have no prices
 * of their own, so what was paid for the line is shared over them by how many units each brings, exactly to the fen.
 *
 * Not here: bundles inside bundles. Components are plain SKUs (see Sku.bundle); one that is itself a bundle is left
 * as it stands, and the check `unknown_sku` holds the order.
 */
import { shareByLargestRemainder } from './money.ts'
import type { Item, Sku, SkuQuantity, SnapshotLine } from './types.ts'

export type Catalog = (sku: string) => Sku | undefined

/** More distinct components than anyone sells as one article; a longer list is a broken import. */
export const bundleComponentsMax = 100

/**
 * Items that an order may come to. Everything that follows from an order grows with them: its row, its plan, its trace,
 * the memory of the thread that decides it. Platforms cap an order at 200 lines, and the longest basket of a wholesaler
 * that we know has 1,114; what is longer is no order that a warehouse could pick.
 */
export const orderItemsMax = 2_000

/**
 * Units that an order may come to, all its lines and components together. It is what the contract allows one line, and
 * what a warehouse can name in one package: a longer figure is a broken import, and no sum over an order gets near what
 * a column of Postgres or a number of JavaScript holds.
 */
export const orderUnitsMax = 1_000_000

/** Nothing of it is ever sent, nor of any part of it. */
export function isVirtual(code: string, catalog: Catalog): boolean {
  const sku = catalog(code)
  if (sku === undefined) return false
  if (sku.bundle.length === 0) return sku.requiresShipping === false
  return sku.bundle.every((part) => catalog(part.sku)?.requiresShipping === false)
}

/** What no warehouse could pick: bundles are not taken apart, and the checks of these names hold the order. */
export function isTooMuch(lines: readonly SnapshotLine[], catalog: Catalog): boolean {
  return countItems(lines, catalog) > orderItemsMax || countUnits(lines, catalog) > orderUnitsMax
}

/** Items that `explode` would come to, without making them. */
export function countItems(lines: readonly SnapshotLine[], catalog: Catalog): number {
  // Hardly any order is so long that its bundles have to be looked at.
  if (lines.length * bundleComponentsMax <= orderItemsMax) return lines.length
  let count = 0
  for (const { sku } of lines) count += Math.max(1, catalog(sku)?.bundle.length ?? 0)
  return count
}

/** Units that `explode` would come to, without making them. Above what a number holds exactly it is still too many. */
export function countUnits(lines: readonly SnapshotLine[], catalog: Catalog): number {
  let count = 0
  for (let index = 0; index < lines.length; index++) count += unitsOf(lines[index]!, catalog)
  return count
}

/** Units of one line, taken apart. */
export function unitsOf({ sku, quantity }: Pick<SnapshotLine, 'sku' | 'quantity'>, catalog: Catalog): number {
  const bundle = catalog(sku)?.bundle
  if (bundle === undefined || bundle.length === 0) return quantity
  let pieces = 0
  for (let index = 0; index < bundle.length; index++) pieces += bundle[index]!.quantity
  return pieces * quantity
}

/**
 * Items in the order of lines and of components; one per line and distinct SKU. An unknown SKU passes as it is, and so
 * does every bundle of an order that would come to more than `orderItemsMax` or `orderUnitsMax`: the checks
 * `too_many_items` and `too_many_units` hold that order.
 */
export function explode(lines: readonly SnapshotLine[], catalog: Catalog): Item[] {
  const isTooMany = isTooMuch(lines, catalog)
  const items: Item[] = []
  for (let line = 0; line < lines.length; line++) {
    const { sku, quantity, paidFen } = lines[line]!
    assertQuantity(quantity)
    const bundle = isTooMany ? undefined : catalog(sku)?.bundle
    if (bundle === undefined || bundle.length === 0) items.push({ line, sku, quantity, paidFen })
    else explodeBundle(items, line, lines[line]!, bundle)
  }
  return items
}

function explodeBundle(items: Item[], line: number, ordered: SnapshotLine, bundle: readonly SkuQuantity[]): void {
  const components = addUp(bundle)
  if (components.length > bundleComponentsMax) throw new RangeError('a bundle has more components than the limit')
  const sharesFen = shareByLargestRemainder(
    ordered.paidFen,
    components.map((component) => component.quantity),
  )
  for (let index = 0; index < components.length; index++) {
    const component = components[index]!
    const quantity = component.quantity * ordered.quantity
    assertQuantity(quantity)
    items.push({ line, sku: component.sku, quantity, paidFen: sharesFen[index]! })
  }
}

/** One entry per SKU, quantities added up, in order of first appearance. */
export function addUp(quantities: readonly SkuQuantity[]): SkuQuantity[] {
  const bySku = new Map<string, number>()
  for (const { sku, quantity } of quantities) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity)
  return Array.from(bySku, ([sku, quantity]) => ({ sku, quantity }))
}

/** Zero and fractions are stopped where a platform's bytes are read: here they are a bug. */
function assertQuantity(quantity: number): void {
  if (!Number.isSafeInteger(quantity) || quantity <= 0) throw new RangeError('a quantity has to be a positive integer')
}
