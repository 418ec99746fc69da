/** The settings as a thread works with them: maps, and a spatial index over the nodes. */
import Flatbush from 'flatbush'
import { around } from 'geoflatbush'
import { type Catalog, loadCatalog, type ShopRow, shopKey } from '../../adapters/store/catalog.ts'
import type { Queryable } from '../../adapters/store/connect.ts'
import type { Nearest } from '../../router/source/candidates.ts'
import type { Node, Sku } from '../../router/types.ts'

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

/** Exact, by great circles; over the nodes that are wanted, answering with their indexes among all. */
function nearestOf(nodes: readonly Node[], wanted: (node: Node) => boolean): Nearest {
  const indexes = nodes.map((_, i) => i).filter((i) => wanted(nodes[i]!))
  if (indexes.length === 0) return () => []
  const tree = new Flatbush(indexes.length)
  for (const i of indexes) {
    const { lat, lng } = nodes[i]!.point
    tree.add(lng, lat, lng, lat)
  }
  tree.finish()
  return (point, count, accept) =>
    around(tree, point.lng, point.lat, count, Number.POSITIVE_INFINITY, (i) => accept(indexes[i]!)).map(
      (i) => indexes[i]!,
    )
}
