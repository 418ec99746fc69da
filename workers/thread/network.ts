/** What sourcing asks of the nodes, answered from the settings and from what is hinted of their stock. */
import type { Network } from '../../router/source/candidates.ts'
import type { Hints } from '../hints.ts'
import type { Catalogue } from './catalogue.ts'

export function networkOf(catalogue: Catalogue, hints: Hints): Network {
  const { nodes, nearest, nearestWarehouse, nearestAmong, kmTo, serviceOf, nodeNo, skuNo } = catalogue
  return {
    nodes,
    nearest,
    nearestWarehouse,
    kmTo,
    serviceOf,
    nearestHolding: (point, count, skus, accept) => {
      const holders = skus.map((sku) => hints.nodesWith(skuNo(sku)))
      return nearestAmong(point, count, holders, accept)
    },
    unitsOf: (sku) => {
      const unitsAt = hints.unitsOf(skuNo(sku))
      return (index) => unitsAt(nodeNo(index))
    },
    availableAnywhere: (sku) => hints.anywhere(skuNo(sku)),
  }
}
