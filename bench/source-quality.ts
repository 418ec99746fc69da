/**
 * source-quality: how much dearer than the cheapest plan over the whole network our plans are, by HiGHS.
 *
 *   node dist/bench/source-quality.js [--nodes 130,1000,5000] [--shelves full,sparse,thin] [--orders 1000] [--baskets] [--seed 1]
 *
 * Workload: the demo brand's network with stores all over the country. Orders are a retailer's (1–5 lines, mostly one unit, SKUs
 * by Zipf) or, with --baskets, a wholesaler's of more than twelve lines (bench/traffic/data/baskets.csv; up to 40 lines).
 * Shelves: full as the demo has them; sparse: a warehouse holds 60 % of the SKUs; thin: sparse, and up to 3 units a place.
 */
import { parseArgs } from 'node:util'
import { loadDivisions } from '../adapters/divisions/load.ts'
import { type Random, randomFrom, weightedPicker, zipfWeights } from '../adapters/shared/seeded-random.ts'
import type { Network, SourcingRequest } from '../router/source/network.ts'
import { sourceOrder } from '../router/source/search.ts'
import { allOffers } from '../router/source/testing/networks.ts'
import { oracle } from '../router/source/testing/oracle.ts'
import type { Sku } from '../router/types.ts'
import { Availability } from '../workers/catalog/availability.ts'
import { catalogOf } from '../workers/catalog/catalog.ts'
import { networkOf } from '../workers/catalog/network.ts'
import { districtsOf } from '../workers/process/demo-network/districts.ts'
import type { DemoNetwork } from '../workers/process/demo-network/network.ts'
import { loadBaskets } from './traffic/baskets.ts'
import { wideNetwork } from './traffic/wide-network.ts'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '130,1000,5000' },
    shelves: { type: 'string', default: 'full,sparse,thin' },
    orders: { type: 'string', default: '1000' },
    baskets: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
})
const [orders, seed] = [Number(values.orders), Number(values.seed)]
/** HiGHS takes minutes over longer orders. */
const basketLinesMax = 40
const orderLines = [55, 25, 10, 6, 4]
const lineUnits = [75, 15, 6, 4]

const divisions = loadDivisions()
const optimumFen = await oracle()
for (const nodes of values.nodes.split(',').map(Number)) {
  for (const shelves of values.shelves.split(',')) measure(nodes, shelves)
}

function measure(nodes: number, shelves: string): void {
  const demo = wideNetwork(divisions, seed, nodes)
  const network = networkWith(demo, shelves)
  const random = randomFrom(seed, 21)
  const draw = values.baskets ? basketsOf(demo.skus) : retailOf(demo.skus)
  const methods: Record<string, number> = {}
  let [dearer, excessFen, bestFen, worst, shares] = [0, 0, 0, 0, 0]
  for (let n = 0; n < orders; n++) {
    const request = draw(random)
    const { plan } = sourceOrder(request, network)
    const best = optimumFen(request.demand, allOffers(request, network))
    methods[plan.method] = (methods[plan.method] ?? 0) + 1
    bestFen += best
    excessFen += plan.costFen - best
    const share = best === 0 ? 0 : (plan.costFen - best) / best
    shares += share
    worst = Math.max(worst, share)
    if (plan.costFen > best) dearer++
    if (plan.costFen < best || plan.boundFen > best || (plan.method === 'exact' && plan.costFen !== best)) {
      console.log(`  MISMATCH order ${n}: ${plan.method} ${plan.costFen} fen, bound ${plan.boundFen}, HiGHS ${best}`)
    }
  }
  const percent = (value: number) => `${(100 * value).toFixed(3)} %`
  console.log(
    `${nodes} nodes, ${shelves}: dearer ${percent(dearer / orders)} of orders, all +${percent(bestFen === 0 ? 0 : excessFen / bestFen)}, ` +
      `mean order +${percent(shares / orders)}, worst +${percent(worst)}; ${JSON.stringify(methods)}`,
  )
}

function networkWith(demo: DemoNetwork, shelves: string): Network {
  const catalog = catalogOf({
    version: 1,
    shops: new Map(),
    skus: new Map(demo.skus.map((value, n) => [value.sku, { no: n + 1, value }])),
    nodes: demo.nodes.map(({ apiKey: _, ...value }, n) => ({ no: n + 1, value })),
  })
  const random = randomFrom(seed, 22)
  let availability = Availability.sized(demo.skus.length)
  for (const { node, sku, onHand } of demo.stock) {
    const index = catalog.nodeIndex.get(node)!
    const { kind, safetyStock } = catalog.nodes[index]!
    // The demo's warehouses hold 85 % of the SKUs.
    if (shelves !== 'full' && kind === 'warehouse' && !random.chance(0.6 / 0.85)) continue
    const units = shelves === 'thin' ? random.between(0, 3) : onHand - safetyStock
    availability.set(catalog.nodeNo(index), catalog.skuNo(sku), units)
    if (availability.isCrowded) availability = availability.grown()
  }
  return networkOf(catalog, availability)
}

type Draw = (random: Random) => SourcingRequest

function retailOf(skus: readonly Sku[]): Draw {
  const lines = weightedPicker(orderLines)
  const units = weightedPicker(lineUnits)
  return drawFrom(
    skus,
    (random) => lines(random) + 1,
    (random) => units(random) + 1,
  )
}

function basketsOf(skus: readonly Sku[]): Draw {
  const baskets = loadBaskets()
  const lines = (random: Random): number => {
    for (;;) {
      const count = baskets.drawLineCount(random)
      if (count > 12 && count <= basketLinesMax) return count
    }
  }
  return drawFrom(skus, lines, (random) => baskets.drawQuantity(random))
}

function drawFrom(skus: readonly Sku[], lines: (random: Random) => number, units: (random: Random) => number): Draw {
  const goods = skus.filter(({ bundle, storageClass }) => bundle.length === 0 && storageClass === 'normal')
  const pick = weightedPicker(zipfWeights(goods.length, 1))
  const districts = districtsOf(divisions)
  return (random) => {
    const { point, adcode } = random.pick(districts)
    const count = lines(random)
    const chosen = new Set<number>()
    while (chosen.size < count) chosen.add(pick(random))
    const demand = [...chosen].map((at) => {
      const { sku, weightGrams, warehouseOnly } = goods[at]!
      return { sku, quantity: units(random), grams: weightGrams, warehouseOnly }
    })
    return { demand, point, adcode, channel: 'tmall', excludedNodes: [] }
  }
}
