/** The settings as a thread works with them: maps, and a spatial index over the nodes. */
import { type Catalog, loadCatalog, type ShopRow, shopKey } from '../../adapters/store/catalog.ts'
import type { Queryable } from '../../adapters/store/connect.ts'
import type { Nearest } from '../../router/source/candidates.ts'
import type { Node, Sku } from '../../router/types.ts'
import { nearestOf } from './nearest.ts'

export interface Catalogue {
  readonly version: number
  readonly sku: (code: string) => Sku | undefined
  readonly skuNo: (code: string) => number
  readonly shop: (channel: string, shop: string) => ShopRow | undefined
  readonly nodes: readonly Node[]
  readonly nodeNo: (index: number) => number
  readonly nodeIndex: ReadonlyMap<string, number>
  readonly nearest: Nearest
  readonly nearestWarehouse: Nearest
}

export async function readCatalogue(sql: Queryable): Promise<Catalogue> {
  return catalogueOf(await loadCatalog(sql))
}

export function catalogueOf(catalog: Catalog): Catalogue {
  const nodes = catalog.nodes.map((n) => n.value)
  return {
    version: catalog.version,
    sku: (code) => catalog.skus.get(code)?.value,
    skuNo: (code) => catalog.skus.get(code)?.no ?? 0,
    shop: (channel, shop) => catalog.shops.get(shopKey(channel, shop)),
    nodes,
    nodeNo: (i) => catalog.nodes[i]!.no,
    nodeIndex: new Map(nodes.map((n, i) => [n.node, i])),
    nearest: nearestOf(nodes, () => true),
    nearestWarehouse: nearestOf(nodes, (node) => node.kind === 'warehouse'),
  }
}
