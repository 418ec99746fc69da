/** What sourcing asks of the nodes, answered from the settings and from the availability. */
import type { Network } from '../../router/source/network.ts'
import type { Availability } from './availability.ts'
import type { Catalog } from './catalog.ts'

export function networkOf(catalog: Catalog, availability: Availability): Network {
  const { nodes, nearest, tariffsAt, kmTo, serviceOf, nodeNo, indexOf, skuNo } = catalog
  return {
    nodes,
    nearest,
    tariffsAt,
    kmTo,
    serviceOf,
    indexOf,
    holdersOf: (sku) => availability.holdersOf(skuNo(sku)),
    unitsOf: (sku) => {
      const unitsAt = availability.unitsOf(skuNo(sku))
      return (index) => unitsAt(nodeNo(index))
    },
    availableAnywhere: (sku) => availability.anywhere(skuNo(sku)),
  }
}
