/**
 * The demo brand with stores all over the country: for 100, 1,000 or 10,000 nodes. The warehouses, goods and shops are
 * the demo's own; a store is like the demo's, at a point of its own in any district, with a shelf of some dozen SKUs.
 */

import { type Random, randomFrom, randomHex, weightedPicker, zipfWeights } from '../../adapters/shared/seeded-random.ts'
import type { Divisions } from '../../router/address.ts'
import type { Sku } from '../../router/types.ts'
import { districtsOf } from '../../workers/process/demo-network/districts.ts'
import {
  type DemoNetwork,
  type DemoNode,
  type DemoOptions,
  demoNetwork,
} from '../../workers/process/demo-network/network.ts'
import { storeFreight } from '../../workers/process/demo-network/places.ts'
import type { StockRow } from '../../workers/process/demo-network/stock.ts'

// Not the demo's own streams: those are 1 to 4.
const storeStream = 11
const shelfSkus = 60
// Some tens of kilometres: a district of China is about as wide.
const spreadDegrees = 0.2

/** Throws RangeError for fewer nodes than there are warehouses. */
export function wideNetwork(
  divisions: Divisions,
  seed: number,
  nodeCount: number,
  options: DemoOptions = {},
): DemoNetwork {
  const base = demoNetwork(divisions, seed, { ...options, storeCount: 0 })
  const storeCount = nodeCount - base.nodes.length
  if (storeCount < 0) throw new RangeError(`the ${base.nodes.length} warehouses alone are more than ${nodeCount} nodes`)
  const random = randomFrom(seed, storeStream)
  const districts = districtsOf(divisions)
  const shelf = base.skus.filter(mayLieInStore)
  const draw = weightedPicker(zipfWeights(shelf.length, 0.6))
  const stores: DemoNode[] = []
  const stock: StockRow[] = []
  for (let n = 0; n < storeCount; n++) {
    const { adcode, city, district, point } = random.pick(districts)
    const node = `ST-${String(n).padStart(5, '0')}`
    stores.push({
      node,
      name: `${city}${district}${n} 号店`,
      kind: 'store',
      adcode,
      point: { lat: nearby(random, point.lat), lng: nearby(random, point.lng) },
      open: true,
      channels: n % 6 === 5 ? ['tmall', 'wechat'] : null,
      regions: random.chance(0.5) ? [adcode.slice(0, 2)] : null,
      preferenceFen: random.between(-1, 2) * 50,
      handlingFen: 200,
      freight: storeFreight,
      safetyStock: random.between(1, 3),
      apiKey: `demo-${node}-${randomHex(random, 16)}`,
    })
    const chosen = new Set<number>()
    while (chosen.size < Math.min(shelfSkus, shelf.length)) chosen.add(draw(random))
    for (const at of chosen) stock.push({ node, sku: shelf[at]!.sku, onHand: random.between(10, 60) })
  }
  return { ...base, nodes: [...base.nodes, ...stores], stock: [...base.stock, ...stock] }
}

function nearby(random: Random, degrees: number): number {
  return degrees + ((random.below(2001) - 1000) / 1000) * spreadDegrees
}

function mayLieInStore({ bundle, warehouseOnly, storageClass }: Sku): boolean {
  return bundle.length === 0 && !warehouseOnly && (storageClass === 'normal' || storageClass === 'fragile')
}
