/** The small world that a seed plays in: three nodes, three SKUs, and the divisions that its addresses name. */
import { buildDivisions, type Divisions } from '../../router/address.ts'
import type { Node } from '../../router/node.ts'
import type { Sku } from '../../router/types.ts'
import { type Catalog, catalogOf } from '../../workers/catalog/catalog.ts'

export const skus = ['A', 'B', 'C'] as const
export const nodes = ['n1', 'n2', 'n3'] as const
/** A province on either side, so that the nearest node is not always the same. */
export const provinces = ['上海市', '广东省'] as const

function nodeOf(node: string, lat: number, lng: number, safetyStock: number): Node {
  return {
    ...{ node, name: node, kind: node === 'n3' ? 'store' : 'warehouse', adcode: null, point: { lat, lng }, open: true },
    ...{ channels: null, regions: null, preferenceFen: 0, handlingFen: 100, safetyStock },
    freight: { bands: [{ kmMax: 20_100, firstFen: 500, stepFen: 100 }], firstGrams: 1000, stepGrams: 1000 },
  }
}

function skuOf(sku: string): Sku {
  return { sku, name: sku, weightGrams: 300, storageClass: 'normal', warehouseOnly: false, bundle: [] }
}

export const safetyOf: Readonly<Record<string, number>> = { n1: 0, n2: 0, n3: 1 }

export function makeCatalog(): Catalog {
  return catalogOf({
    version: 1,
    shops: new Map([['wechat/w', { channel: 'wechat', shop: 'w', apiBaseUrl: 'simulated:', skuMap: {} }]]),
    skus: new Map(skus.map((sku, i) => [sku, { no: i + 1, value: skuOf(sku) }])),
    nodes: [
      { no: 1, value: nodeOf('n1', 31.2, 121.4, safetyOf.n1!) },
      { no: 2, value: nodeOf('n2', 23.1, 113.3, safetyOf.n2!) },
      { no: 3, value: nodeOf('n3', 30.3, 120.2, safetyOf.n3!) },
    ],
  })
}

export function makeDivisions(): Divisions {
  return buildDivisions([
    { adcode: '310000', name: '上海市', point: { lat: 31.2, lng: 121.5 } },
    { adcode: '440000', name: '广东省', point: { lat: 23.1, lng: 113.3 } },
  ])
}

/** What all processes of a world know before it starts. */
export interface Place {
  readonly catalog: Catalog
  readonly divisions: Divisions
}
