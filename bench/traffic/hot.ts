/** One SKU that every order wants, in one place: every order of a hot run meets at one counter and one row. */
import type { Sku } from '../../router/types.ts'
import type { DemoNetwork } from '../../workers/process/demo-network/network.ts'

/** The best seller that is a plain thing, and no gift. */
export function hotSkuOf({ skus }: DemoNetwork): Sku {
  return skus.find(({ bundle, storageClass, warehouseOnly }) => {
    return bundle.length === 0 && storageClass === 'normal' && !warehouseOnly
  })!
}

/** All of it lies in the first warehouse, and nowhere else. */
export function heatUp(network: DemoNetwork, units: number): DemoNetwork {
  const { sku } = hotSkuOf(network)
  const [first] = network.nodes
  const elsewhere = network.stock.filter((row) => row.sku !== sku)
  return { ...network, stock: [...elsewhere, { node: first!.node, sku, onHand: units }] }
}
