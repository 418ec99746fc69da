/** What lies where in the demo network: warehouses hold most SKUs deep, stores a few hundred shallow. */

import type { Random } from '../../../adapters/shared/seeded-random.ts'
import { weightedPicker, zipfWeights } from '../../../adapters/shared/seeded-random.ts'
import type { Node } from '../../../router/node.ts'
import type { Sku } from '../../../router/types.ts'
import { warehousePlaces } from './places.ts'

export interface StockRow {
  readonly node: string
  readonly sku: string
  readonly onHand: number
}

// Of the hottest SKU a warehouse holds this many; rank r holds 1/(r+1)^0.9 of it.
const hottestUnits = 20_000

/** Every SKU that is not a bundle lies in at least one warehouse that may hold it. Rows come node by node. */
export function makeStock(random: Random, nodes: readonly Node[], skus: readonly Sku[], factor: number): StockRow[] {
  const coldNodes = new Set(warehousePlaces.filter((place) => place.cold).map((place) => place.node))
  const warehouses = nodes.filter((node) => node.kind === 'warehouse')
  const homes = skus.map(({ storageClass }) => {
    const able = isCold(storageClass) ? warehouses.filter(({ node }) => coldNodes.has(node)) : warehouses
    return random.pick(able).node
  })
  const rows: StockRow[] = []
  for (const { node } of warehouses) {
    for (const [rank, sku] of skus.entries()) {
      if (sku.bundle.length > 0 || (isCold(sku.storageClass) && !coldNodes.has(node))) continue
      if (homes[rank] !== node && !random.chance(0.85)) continue
      const deep = hottestUnits / (rank + 1) ** 0.9
      rows.push({
        node,
        sku: sku.sku,
        onHand: Math.ceil((deep * random.between(60, 140) * factor) / 100) + random.between(10, 40),
      })
    }
  }
  const shelf = skus.filter((sku) => sku.bundle.length === 0 && !sku.warehouseOnly && mayLieInStore(sku))
  const draw = weightedPicker(zipfWeights(shelf.length, 0.6))
  for (const { node, kind } of nodes) {
    if (kind === 'store') stockStore(random, node, shelf, draw, rows)
  }
  return rows
}

function stockStore(
  random: Random,
  node: string,
  shelf: readonly Sku[],
  draw: (random: Random) => number,
  rows: StockRow[],
): void {
  const wanted = Math.min(random.between(220, 420), shelf.length)
  const chosen = new Set<number>()
  while (chosen.size < wanted) chosen.add(draw(random))
  for (const at of chosen) {
    rows.push({ node, sku: shelf[at]!.sku, onHand: random.between(3, 12) + (at < 100 ? random.between(5, 30) : 0) })
  }
}

function isCold(storageClass: Sku['storageClass']): boolean {
  return storageClass === 'cold' || storageClass === 'frozen'
}

function mayLieInStore(sku: Sku): boolean {
  return sku.storageClass === 'normal' || sku.storageClass === 'fragile'
}
