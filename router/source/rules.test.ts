/** Who may serve an order, and what a trace shows of those who were not asked. */
import { describe, expect, test } from 'vitest'
import type { Node } from '../node.ts'
import { fc, runs } from '../testing/seed.ts'
import type { Network, SourcingRequest } from './network.ts'
import { sourceOrder } from './search.ts'
import { networkOf as networkOfNodes } from './testing/networks.ts'
import { lineOf, nodeOf } from './testing.ts'

/** Nodes on a line eastwards, one every tenth of a degree. */
function networkOf(
  changes: readonly Partial<Node>[],
  stock: readonly Record<string, number>[],
  extras: Partial<Network> = {},
): Network {
  const nodes = changes.map((change, index) =>
    nodeOf(`N${String(index).padStart(4, '0')}`, { point: { lat: 30, lng: 120 + index / 10 }, ...change }),
  )
  return networkOfNodes(nodes, stock, extras)
}

const request: SourcingRequest = {
  demand: [lineOf('a', 2, 100)],
  point: { lat: 30, lng: 120 },
  adcode: '330110',
  channel: 'tmall',
  excludedNodes: [],
}

function asked(change: Partial<SourcingRequest>, network: Network) {
  const { candidates, plan } = sourceOrder({ ...request, ...change }, network)
  return {
    plan,
    taken: candidates.filter((each) => each.refusedBy === null).map((each) => each.node.node),
    refused: Object.fromEntries(
      candidates.filter((each) => each.refusedBy !== null).map((each) => [each.node.node, each.refusedBy]),
    ),
  }
}

describe('sourceOrder', () => {
  test.each<[why: string, node: Partial<Node>, request: Partial<SourcingRequest>, refusedBy: string | null]>([
    ['open to everything', {}, {}, null],
    ['closed', { open: false }, {}, 'closed'],
    ['it gave the order back', {}, { excludedNodes: ['N0000'] }, 'excluded'],
    ['another gave it back', {}, { excludedNodes: ['N0009'] }, null],
    ['another channel', { channels: ['jd', 'wechat'] }, {}, 'channel'],
    ['this channel', { channels: ['tmall'] }, {}, null],
    ['no channel at all', { channels: [] }, {}, 'channel'],
    ['another province', { regions: ['31'] }, {}, 'region'],
    ['its province', { regions: ['31', '33'] }, {}, null],
    ['its city', { regions: ['3301'] }, {}, null],
    ['its district', { regions: ['330110'] }, {}, null],
    ['the district next door', { regions: ['330111'] }, {}, 'region'],
    ['somewhere, address unknown', { regions: ['33'] }, { adcode: null }, 'region'],
    ['everywhere, address unknown', {}, { adcode: null, point: null }, null],
    ['a store', { kind: 'store' }, {}, null],
    ['a store, warehouse goods', { kind: 'store' }, { demand: [lineOf('a', 1, 1, true)] }, 'kind'],
    [
      'a store, warehouse goods and others',
      { kind: 'store' },
      { demand: [lineOf('a', 1, 1, true), lineOf('b', 1, 1)] },
      null,
    ],
    ['nothing of it', {}, { demand: [lineOf('c', 1, 1)] }, 'insufficient_stock'],
    ['closed comes before every other rule', { open: false, channels: [], regions: [] }, {}, 'closed'],
  ])('%s', (_why, node, change, refusedBy) => {
    const network = networkOf(
      [node, {}],
      [
        { a: 5, b: 5 },
        { a: 5, b: 5, c: 5 },
      ],
    )
    const { taken, refused } = asked(change, network)
    expect(refused.N0000 ?? null).toBe(refusedBy)
    expect(taken.includes('N0000')).toBe(refusedBy === null)
  })

  test('the trace shows the nearest, in their order, with distances in tenths, and stays small', () => {
    const network = networkOf(Array(400).fill({}), Array(400).fill({ a: 9 }))
    const { candidates } = sourceOrder(request, network)
    expect(candidates.map((each) => each.node)).toEqual(network.nodes.slice(0, 12))
    expect(candidates[1]!.km).toBe(9.6)
    expect(candidates[0]!.available).toEqual([9])
  })

  test('a node far away that is cheaper is found and shown, behind the nearest', () => {
    const changes = Array.from({ length: 60 }, (_, index) => ({ handlingFen: index === 55 ? 0 : 5000 }))
    const { taken, plan } = asked({}, networkOf(changes, Array(60).fill({ a: 9 })))
    expect(taken).toHaveLength(13)
    expect(taken.at(-1)).toBe('N0055')
    expect(plan.parcels.map(({ node }) => node)).toEqual(['N0055'])
  })

  test('more pieces than a trace shows otherwise: all nodes of the plan are in it', () => {
    const network = networkOf(Array(60).fill({}), Array(60).fill({ a: 1 }))
    const { taken, plan } = asked({ demand: [lineOf('a', 40, 100)] }, network)
    expect(plan.parcels).toHaveLength(40)
    expect(plan.parcels.every(({ node }) => taken.includes(node))).toBe(true)
  })

  test('what is sold out everywhere asks no node for its stock, and says so', () => {
    const network = networkOf(Array(500).fill({}), [], {
      availableAnywhere: () => 0,
      holdersOf: () => {
        throw new Error('a sold-out SKU is looked for')
      },
    })
    const { taken, refused, plan } = asked({}, network)
    expect(taken).toEqual([])
    expect(refused.N0000).toBe('insufficient_stock')
    expect(plan.missing).toEqual([{ line: 0, quantity: 2 }])
  })

  test('one line sold out everywhere: the others go from one node', () => {
    const demand = [lineOf('a', 2, 100), lineOf('b', 1, 100)]
    const network = networkOf(Array(3).fill({}), Array(3).fill({ b: 9 }), {
      availableAnywhere: (sku) => (sku === 'b' ? 27 : 0),
    })
    const { plan } = asked({ demand }, network)
    expect(plan).toMatchObject({ method: 'exact', missing: [{ line: 0, quantity: 2 }], parcels: [{ node: 'N0000' }] })
  })

  test('never a refusal while the goods exist and the rules allow', () => {
    const anyNode = fc.record({
      open: fc.boolean(),
      kind: fc.constantFrom<Node['kind']>('warehouse', 'store', 'store'),
      channels: fc.constantFrom<Node['channels']>(null, null, ['jd'], ['tmall']),
      regions: fc.constantFrom<Node['regions']>(null, null, ['33'], ['11']),
    })
    const units = fc.constantFrom(-2, 0, 0, 0, 1, 3)
    const place = fc.tuple(anyNode, fc.record({ a: units, b: units, c: units }))
    const anyDemand = fc.uniqueArray(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 60 }), fc.boolean()),
      { minLength: 1, selector: ([sku]) => sku },
    )
    fc.assert(
      fc.property(fc.array(place, { maxLength: 120 }), anyDemand, fc.boolean(), (places, wanted, hasTotals) => {
        const stock = places.map(([, units]) => units)
        const total = (sku: string) => stock.reduce((sum, units) => sum + Math.max(0, units[sku as 'a']), 0)
        const network = networkOf(
          places.map(([node]) => node),
          stock,
          hasTotals ? { availableAnywhere: total } : {},
        )
        const demand = wanted.map(([sku, quantity, warehouseOnly]) => lineOf(sku, quantity, 100, warehouseOnly))
        const { plan } = sourceOrder({ ...request, demand }, network)
        for (const [line, { sku, quantity, warehouseOnly }] of demand.entries()) {
          const there = network.nodes.reduce((sum, node, index) => {
            const may =
              node.open &&
              (node.channels?.includes('tmall') ?? true) &&
              (node.regions?.includes('33') ?? true) &&
              !(warehouseOnly && node.kind === 'store')
            return may ? sum + Math.max(0, network.unitsOf(sku)(index)) : sum
          }, 0)
          const missing = plan.missing.find((each) => each.line === line)?.quantity ?? 0
          expect(missing).toBe(Math.max(0, quantity - there))
        }
      }),
      { numRuns: runs(400) },
    )
  })
})
