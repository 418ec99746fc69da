/**
 * Bundles (组合商品) taken apart: from what the buyer ordered to what is picked. A bundle's components have no prices
 * of their own, so what was paid for the line is shared over them by how many pieces each brings, exactly to the fen.
 *
 * Not here: bundles inside bundles. Components are plain SKUs (see Sku.bundle); one that is itself a bundle is left
 * as it stands, and the check `unknown_sku` holds the order.
 */
import { shareByLargestRemainder } from './money.ts'
import type { Item, Sku, SkuQuantity, SnapshotLine } from './types.ts'

export type Catalog = (sku: string) => Sku | undefined

/** More distinct components than anyone sells as one article; a longer list is a broken import. */
export const bundleComponentsMax = 100

/** Items in the order of lines and of components; one per line and distinct SKU. An unknown SKU passes as it is. */
export function explode(lines: readonly SnapshotLine[], catalog: Catalog): Item[] {
  const items: Item[] = []
  for (let line = 0; line < lines.length; line++) {
    const { sku, quantity, paidFen } = lines[line]!
    assertQuantity(quantity)
    const bundle = catalog(sku)?.bundle
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
