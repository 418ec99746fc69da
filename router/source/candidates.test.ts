import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Node } from '../types.ts'
import {
  candidatesFor,
  candidatesMax,
  type NearestHolding,
  type Network,
  refusalOf,
  type SourcingRequest,
} from './candidates.ts'
import { source } from './source.ts'
import { lineOf, nodeOf } from './testing.ts'

/** Nodes on a line eastwards, one every tenth of a degree, looked up the slow way. */
function networkOf(
  changes: readonly Partial<Node>[],
  stock: readonly Record<string, number>[],
  extras: Partial<Network> = {},
) {
  const nodes = changes.map((change, index) =>
    nodeOf(`N${String(index).padStart(4, '0')}`, { point: { lat: 30, lng: 120 + index / 10 }, ...change }),
  )
  const order = nodes.map((_, index) => index)
  let looks = 0
  const scan =
    (only: (index: number) => boolean): Network['nearest'] =>
    (_point, count, accept) => {
      const found: number[] = []
      for (const index of order) {
        if (found.length === count) break
        looks++
        if (only(index) && accept(index)) found.push(index)
      }
      return found
    }
  const network: Network = {
    nodes,
    nearest: scan(() => true),
    nearestWarehouse: scan((index) => nodes[index]!.kind === 'warehouse'),
    unitsOf: (sku) => (index) => stock[index]?.[sku] ?? 0,
    ...extras,
  }
  return { network, looks: () => looks }
}

const request: SourcingRequest = {
  demand: [lineOf('a', 2, 100)],
  point: { lat: 30, lng: 120 },
  adcode: '330110',
  channel: 'tmall',
  excludedNodes: [],
}

function asked(change: Partial<SourcingRequest>, network: Network) {
  const candidates = candidatesFor({ ...request, ...change }, network)
  return {
    taken: candidates.filter((each) => each.refusedBy === null).map((each) => each.node.node),
    refused: Object.fromEntries(
      candidates.filter((each) => each.refusedBy !== null).map((each) => [each.node.node, each.refusedBy]),
    ),
  }
}

/** The same by asking every node, one after the other: what an index may make faster and nothing else. */
function plainly(request: SourcingRequest, network: Network) {
  const { demand } = request
  const units = (index: number, line: number) =>
    demand[line]!.warehouseOnly && network.nodes[index]!.kind === 'store'
      ? 0
      : Math.max(0, network.unitsOf(demand[line]!.sku)(index))
  const everywhere = network.nodes.map((_, index) => index)
  const ruleOf = (index: number) =>
    refusalOf(
      network.nodes[index]!,
      request,
      demand.every((line) => line.warehouseOnly),
    )
  const taken: number[] = []
  const refused: [node: number, rule: string][] = []
  const take = (count: number, some: readonly number[]) => {
    for (let at = 0; at < some.length && count > 0; at++) {
      const index = some[at]!
      if (taken.includes(index)) continue
      const rule = ruleOf(index)
      if (rule === null && demand.some((_, line) => units(index, line) > 0)) {
        taken.push(index)
        count--
      } else if (refused.length < 16) refused.push([index, rule ?? 'insufficient_stock'])
    }
    return count === 0
  }
  const isWarehouse = (index: number) => network.nodes[index]!.kind === 'warehouse'
  if (take(12, everywhere)) {
    take(4, everywhere.filter(isWarehouse))
    const lacking = demand.map((line, at) => line.quantity - taken.reduce((sum, index) => sum + units(index, at), 0))
    for (let ask = 4; lacking.some((more) => more > 0); ask *= 4) {
      const helps = (index: number) => lacking.some((more, line) => more > 0 && units(index, line) > 0)
      const farther = everywhere
        .filter((index) => !taken.includes(index) && helps(index) && ruleOf(index) === null)
        .slice(0, ask)
      for (const index of farther) {
        if (!helps(index)) continue
        taken.push(index)
        for (const line of lacking.keys()) lacking[line]! -= units(index, line)
      }
      if (farther.length < ask) break
    }
  }
  const farthest = taken.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...taken)
  return [
    ...taken
      .sort((a, b) => a - b)
      .map((index) => [network.nodes[index]!.node, null, demand.map((_, line) => units(index, line))]),
    ...refused
      .filter(([index]) => index <= farthest)
      .sort(([a], [b]) => a - b)
      .slice(0, 10)
      .map(([index, rule]) => [network.nodes[index]!.node, rule, []]),
  ]
}

describe('candidatesFor', () => {
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
    const { network } = networkOf(
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

  test('the nearest ones, in their order, with distances in tenths', () => {
    const { network } = networkOf(Array(40).fill({}), Array(40).fill({ a: 9 }))
    const candidates = candidatesFor(request, network)
    expect(candidates).toHaveLength(candidatesMax)
    expect(candidates.map((each) => each.node.node)).toEqual(
      network.nodes.slice(0, candidatesMax).map((node) => node.node),
    )
    expect(candidates[1]!.km).toBe(9.6)
    expect(candidates[0]!.available).toEqual([9])
  })

  test('among many stores the nearest warehouses are asked too', () => {
    const nodes = Array.from(
      { length: 60 },
      (_, index): Partial<Node> => ({ kind: index < 50 ? 'store' : 'warehouse' }),
    )
    const { network } = networkOf(nodes, Array(60).fill({ a: 9 }))
    expect(asked({}, network).taken.slice(-4)).toEqual(['N0050', 'N0051', 'N0052', 'N0053'])
  })

  test.each<[why: string, quantity: number, taken: number]>([
    ['enough nearby', 20, 20],
    ['a little more than nearby', 21, 21],
    ['all there is', 30, 25],
    ['more than there is', 1000, 25],
  ])('%s: wider until it is covered', (_why, quantity, taken) => {
    // One unit each on twenty, then nothing for long, then two each on five.
    const stock = Array.from({ length: 300 }, (_, index) => ({
      a: index < 20 ? 1 : index >= 290 && index < 295 ? 2 : 0,
    }))
    const { network } = networkOf(Array(300).fill({}), stock)
    expect(asked({ demand: [lineOf('a', quantity, 100)] }, network).taken).toHaveLength(taken)
    const plan = source(
      [lineOf('a', quantity, 100)],
      candidatesFor({ ...request, demand: [lineOf('a', quantity, 100)] }, network),
    )
    expect(plan.missing).toEqual(quantity <= 30 ? [] : [{ line: 0, quantity: quantity - 30 }])
  })

  test('what is sold out everywhere costs a few looks, and says so', () => {
    const { network, looks } = networkOf(Array(5000).fill({}), [], { availableAnywhere: () => 0 })
    const { taken, refused } = asked({}, network)
    expect(taken).toEqual([])
    expect(refused.N0000).toBe('insufficient_stock')
    expect(looks()).toBeLessThan(50)
  })

  test('with an index and without: the same as by asking every node', () => {
    const anyPlace = fc.record({
      node: fc.record({
        open: fc.constantFrom(true, true, true, false),
        kind: fc.constantFrom<Node['kind']>('warehouse', 'store', 'store', 'store'),
        channels: fc.constantFrom<Node['channels']>(null, null, null, ['jd']),
        regions: fc.constantFrom<Node['regions']>(null, null, ['33'], ['11']),
      }),
      stock: fc.record({ a: fc.constantFrom(-1, 0, 0, 0, 0, 5), b: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1) }),
      isInIndex: fc.boolean(),
    })
    const anyDemand = fc.uniqueArray(
      fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom(1, 2, 30, 300), fc.boolean()),
      { minLength: 1, selector: ([sku]) => sku },
    )
    fc.assert(
      fc.property(
        fc.array(anyPlace, { minLength: 1, maxLength: 300, size: 'max' }),
        anyDemand,
        fc.constantFrom('index', 'index and totals', 'plain'),
        (places, wanted, how) => {
          const stock = places.map((place) => place.stock)
          const changes = places.map((place) => place.node)
          const { network: plain } = networkOf(changes, stock)
          const nearestHolding: NearestHolding = (point, count, skus, accept) => {
            const mayHave = (index: number) =>
              places[index]!.isInIndex || skus.some((sku) => plain.unitsOf(sku)(index) > 0)
            return plain.nearest(point, count, (index) => mayHave(index) && accept(index))
          }
          const availableAnywhere = (sku: string) =>
            stock.reduce((sum, units) => sum + Math.max(0, units[sku as 'a']), 0)
          const demand = wanted.map(([sku, quantity, warehouseOnly]) => lineOf(sku, quantity, 100, warehouseOnly))
          // What is sold out everywhere is another search: see above.
          fc.pre(how !== 'index and totals' || demand.some(({ sku }) => availableAnywhere(sku) > 0))
          const { network } = networkOf(changes, stock, {
            ...(how === 'plain' ? {} : { nearestHolding }),
            ...(how === 'index and totals' ? { availableAnywhere } : {}),
          })
          const candidates = candidatesFor({ ...request, demand }, network)
          expect(candidates.map(({ node, refusedBy, available }) => [node.node, refusedBy, available])).toEqual(
            plainly({ ...request, demand }, plain),
          )
        },
      ),
      { numRuns: 400 },
    )
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
        const { network } = networkOf(
          places.map(([node]) => node),
          stock,
          hasTotals ? { availableAnywhere: total } : {},
        )
        const demand = wanted.map(([sku, quantity, warehouseOnly]) => lineOf(sku, quantity, 100, warehouseOnly))
        const plan = source(demand, candidatesFor({ ...request, demand }, network))
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
      { numRuns: 400 },
    )
  })
})
