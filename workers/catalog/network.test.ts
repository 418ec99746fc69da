/** Plans over the kept lists and chains are those that a look at every node gives. */
import { expect, test } from 'vitest'
import type { Node } from '../../router/node.ts'
import { sourceOrder } from '../../router/source/search.ts'
import { networkOf as plainNetworkOf } from '../../router/source/testing/networks.ts'
import { lineOf, nodeOf } from '../../router/source/testing.ts'
import { fc, runs } from '../../router/testing/seed.ts'
import { Availability } from './availability.ts'
import { catalogOf } from './catalog.ts'
import { networkOf } from './network.ts'

const skus = ['A', 'B', 'C', 'D']
// Of a hundred nodes so many have it.
const share = { A: 80, B: 30, C: 4, D: 1 } as Readonly<Record<string, number>>

function nodesOf(count: number): Node[] {
  return Array.from({ length: count }, (_, i) =>
    nodeOf(`N${String(i).padStart(5, '0')}`, {
      kind: i % 40 === 0 ? 'warehouse' : 'store',
      regions: i % 2 === 0 ? null : [i % 4 === 1 ? '33' : '11'],
      channels: i % 6 === 5 ? ['jd'] : null,
      // Three at each place: equally far ones have an order too.
      point: {
        lat: 18 + ((Math.floor(i / 3) * 7_919) % 3_500) / 100,
        lng: 74 + (((i - (i % 3)) * 104_729) % 6_000) / 100,
      },
    }),
  )
}

test.each([[90], [1_500]])('%i nodes', (count) => {
  const nodes = nodesOf(count)
  const catalog = catalogOf({
    version: 1,
    shops: new Map(),
    skus: new Map(
      skus.map((sku, n) => [
        sku,
        { no: n + 1, value: { sku, grams: 100, storageClass: 'normal', warehouseOnly: false, bundle: [] } as never },
      ]),
    ),
    nodes: nodes.map((value, n) => ({ no: 2 * n + 3, value })),
  })
  const availability = Availability.sized(skus.length, count * skus.length)
  const stock = new Map(skus.map((sku) => [sku, new Map<number, number>()]))
  const setStock = (sku: string, index: number, units: number) => {
    stock.get(sku)!.set(index, units)
    availability.set(catalog.nodeNo(index), catalog.skuNo(sku), units)
  }
  for (const [n, sku] of skus.entries()) {
    for (let i = 0; i < count; i++) if ((i * 31 + n * 17) % 100 < share[sku]!) setStock(sku, i, (i % 5) - 1)
  }
  const plain = plainNetworkOf(nodes, [], {
    holdersOf: (sku) => {
      const numbers = [...stock.get(sku)!.keys()]
      return { numbers, unitsAt: (at) => stock.get(sku)!.get(numbers[at]!)! }
    },
    unitsOf: (sku) => (index) => stock.get(sku)?.get(index) ?? 0,
  })
  const network = networkOf(catalog, availability)
  const anyPoint = fc.record({
    lat: fc.double({ min: 18, max: 53, noNaN: true }),
    lng: fc.double({ min: 74, max: 134, noNaN: true }),
  })
  const anyDemand = fc.uniqueArray(
    fc.tuple(fc.constantFrom(...skus), fc.constantFrom(1, 3, 40, 4_000), fc.constantFrom(false, false, true)),
    { minLength: 1, selector: ([sku]) => sku },
  )
  fc.assert(
    fc.property(anyPoint, anyDemand, fc.nat(count - 1), fc.nat(4), (point, wanted, moved, units) => {
      // Also while figures change, and where nobody had any before.
      setStock(wanted[0]![0], moved, units - 1)
      const request = {
        demand: wanted.map(([sku, quantity, warehouseOnly]) => lineOf(sku, quantity, 100, warehouseOnly)),
        ...{ point, adcode: '330110', channel: 'tmall' as const, excludedNodes: [nodes[moved]!.node] },
      }
      for (let again = 0; again < 2; again++) {
        expect(sourceOrder(request, network)).toEqual(sourceOrder(request, plain))
      }
    }),
    { numRuns: runs(60) },
  )
})
