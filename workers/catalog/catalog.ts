/** The settings as a thread works with them: maps, and a spatial index over the nodes. */
import { type CatalogRows, loadCatalog, type ShopRow, shopKey } from '../../adapters/store/catalog/catalog.ts'
import type { Queryable } from '../../adapters/store/postgres/connect.ts'
import type { Node } from '../../router/node.ts'
import type { Sku } from '../../router/types.ts'
import { type NearestNodes, nearestOf } from './nearest.ts'

export interface Catalog extends NearestNodes {
  readonly version: number
  readonly sku: (code: string) => Sku | undefined
  readonly skuNo: (code: string) => number
  readonly shop: (channel: string, shop: string) => ShopRow | undefined
  readonly nodes: readonly Node[]
  readonly nodeNo: (index: number) => number
  readonly nodeIndex: ReadonlyMap<string, number>
  /** Of the node with a number; -1: none. */
  readonly indexOf: Int32Array
  /** By index. See Network. */
  readonly serviceOf: (index: number) => number
}

export async function readCatalog(sql: Queryable): Promise<Catalog> {
  return catalogOf(await loadCatalog(sql))
}

export function catalogOf(catalog: CatalogRows): Catalog {
  const nodes = sharing(catalog.nodes.map((n) => n.value))
  const numbers = Int32Array.from(catalog.nodes, (n) => n.no)
  const nodeNo = (i: number) => numbers[i]!
  return {
    version: catalog.version,
    sku: (code) => catalog.skus.get(code)?.value,
    skuNo: (code) => catalog.skus.get(code)?.no ?? 0,
    shop: (channel, shop) => catalog.shops.get(shopKey(channel, shop)),
    nodes,
    nodeNo,
    nodeIndex: new Map(nodes.map((n, i) => [n.node, i])),
    serviceOf: servicesOf(nodes),
    indexOf: indexesOf(numbers),
    ...nearestOf(nodes),
  }
}

function indexesOf(numbers: Int32Array): Int32Array {
  const indexes = new Int32Array(numbers.reduce((most, number) => Math.max(most, number), 0) + 1).fill(-1)
  for (let index = 0; index < numbers.length; index++) indexes[numbers[index]!] = index
  return indexes
}

/** A few price lists and regions serve thousands of nodes: one of each in memory is one that a processor has at hand. */
function sharing(nodes: readonly Node[]): Node[] {
  const known = new Map<string, unknown>()
  const shared = <Part>(part: Part): Part => {
    const text = JSON.stringify(part)
    if (!known.has(text)) known.set(text, part)
    return known.get(text) as Part
  }
  return nodes.map((node) => ({
    ...node,
    channels: shared(node.channels),
    regions: shared(node.regions),
    freight: shared(node.freight),
  }))
}

function servicesOf(nodes: readonly Node[]): (index: number) => number {
  const known = new Map<string, number>()
  const services = Uint32Array.from(nodes, ({ kind, open, channels, regions }) => {
    const text = JSON.stringify([kind, open, channels, regions])
    if (!known.has(text)) known.set(text, known.size)
    return known.get(text)!
  })
  return (index) => services[index]!
}
