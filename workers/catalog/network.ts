/** What sourcing asks of the nodes, answered from the settings and from what is hinted of their stock. */
import type { Network } from '../../router/source/candidates.ts'
import type { Availability } from './availability.ts'
import type { Catalog } from './catalog.ts'

export function networkOf(catalog: Catalog, availability: Availability): Network {
  const { nodes, nearest, nearestWarehouse, nearestAmong, kmTo, serviceOf, nodeNo, skuNo } = catalog
  return {
    nodes,
    nearest,
    nearestWarehouse,
    kmTo,
    serviceOf,
    nearestHolding: (point, count, skus, accept) => {
      const holders = skus.map((sku) => availability.nodesWith(skuNo(sku)))
      return nearestAmong(point, count, holders, accept)
    },
    unitsOf: (sku) => {
      const unitsAt = availability.unitsOf(skuNo(sku))
      return (index) => unitsAt(nodeNo(index))
    },
    availableAnywhere: (sku) => availability.anywhere(skuNo(sku)),
  }
}
