/** Random networks and orders in them, as a brand has them: warehouses that hold much, stores with a shelf. For tests only. */
import { roundedKm } from '../../distance.ts'
import { tariffAt } from '../../freight.ts'
import type { Freight, Node } from '../../node.ts'
import type { Point } from '../../types.ts'
import type { Offer } from '../instance.ts'
import { type Network, refusalOf, type SourcingRequest } from '../network.ts'
import type { DemandLine } from '../plan.ts'
import { tariffBook } from '../tariffs.ts'
import { nodeOf } from '../testing.ts'

/** The same numbers for the same seed. */
export interface Random {
  below(count: number): number
  chance(share: number): boolean
}

export function randomOf(seed: number): Random {
  let state = (seed * 2654435761) >>> 0
  const next = () => {
    // A 32-bit mixer: enough for drawing test cases.
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  return { below: (count) => Math.floor(next() * count), chance: (share) => next() < share }
}

/** What lies where: warehouses hold that share of the SKUs; thin shelves are a few units everywhere. */
export interface Shelves {
  readonly warehouseShare: number
  readonly isThin: boolean
}

export const shelvesOf = {
  full: { warehouseShare: 0.9, isThin: false },
  sparse: { warehouseShare: 0.6, isThin: false },
  thin: { warehouseShare: 0.6, isThin: true },
} as const satisfies Readonly<Record<string, Shelves>>
export type ShelvesName = keyof typeof shelvesOf

const skuCount = 60
const warehouseFreight: Freight = {
  bands: [
    { kmMax: 100, firstFen: 480, stepFen: 60 },
    { kmMax: 400, firstFen: 560, stepFen: 100 },
    { kmMax: 900, firstFen: 700, stepFen: 200 },
    { kmMax: 20_000, firstFen: 1100, stepFen: 500 },
  ],
  firstGrams: 1000,
  stepGrams: 1000,
}
const storeFreight: Freight = {
  bands: [
    { kmMax: 20, firstFen: 380, stepFen: 100 },
    { kmMax: 300, firstFen: 900, stepFen: 250 },
    { kmMax: 20_000, firstFen: 1500, stepFen: 700 },
  ],
  firstGrams: 1000,
  stepGrams: 500,
}

export interface World {
  readonly network: Network
  readonly skus: readonly { readonly sku: string; readonly grams: number; readonly warehouseOnly: boolean }[]
}

export function randomWorld(random: Random, nodeCount: number, { warehouseShare, isThin }: Shelves): World {
  const warehouses = Math.max(1, Math.min(10, Math.floor(nodeCount / 3)))
  const skus = Array.from({ length: skuCount }, (_, sku) => ({
    sku: `S${sku}`,
    grams: [0, 80, 250, 400, 750, 1200, 2600][random.below(7)]!,
    warehouseOnly: random.chance(0.1),
  }))
  const nodes: Node[] = []
  const stock: Record<string, number>[] = []
  for (let n = 0; n < nodeCount; n++) {
    const isWarehouse = n < warehouses
    nodes.push(
      nodeOf(`N${String(n).padStart(4, '0')}`, {
        kind: isWarehouse ? 'warehouse' : 'store',
        point: pointIn(random),
        open: random.chance(0.97),
        channels: random.chance(0.9) ? null : ['jd'],
        regions: isWarehouse || random.chance(0.5) ? null : ['33'],
        preferenceFen: (random.below(4) - 1) * 50,
        handlingFen: isWarehouse ? 150 : 200,
        freight: isWarehouse ? warehouseFreight : storeFreight,
      }),
    )
    const shelf: Record<string, number> = {}
    for (const { sku } of skus) {
      if (!random.chance(isWarehouse ? warehouseShare : 0.15)) continue
      shelf[sku] = isThin ? random.below(4) : isWarehouse ? 20 + random.below(400) : 1 + random.below(12)
    }
    stock.push(shelf)
  }
  return { network: networkOf(nodes, stock), skus }
}

function pointIn(random: Random): Point {
  return { lat: 24 + random.below(1600) / 100, lng: 104 + random.below(1600) / 100 }
}

/** A network that is looked up the slow way. */
export function networkOf(
  nodes: readonly Node[],
  stock: readonly Readonly<Record<string, number>>[],
  extras: Partial<Network> = {},
): Network {
  const nearestTo = (point: Point) =>
    nodes
      .map((node, index) => ({ index, km: roundedKm(point, node.point) }))
      .sort((a, b) => a.km - b.km || a.index - b.index)
  return {
    nodes,
    nearest: (point, count) =>
      nearestTo(point)
        .slice(0, count)
        .map(({ index }) => index),
    tariffsAt: tariffBook(nodes).at,
    holdersOf: (sku) => {
      const numbers = [...nodes.keys()].filter((index) => stock[index]?.[sku] !== undefined)
      return { numbers, unitsAt: (at) => stock[numbers[at]!]![sku]! }
    },
    unitsOf: (sku) => (index) => stock[index]?.[sku] ?? 0,
    ...extras,
  }
}

export function randomOrder(random: Random, { skus }: World, linesMax: number, unitsMax: number): SourcingRequest {
  const chosen = new Set<number>()
  const lines = 1 + random.below(linesMax)
  while (chosen.size < lines) chosen.add(Math.min(random.below(skus.length), random.below(skus.length)))
  return {
    demand: [...chosen].map(
      (sku): DemandLine => ({ ...skus[sku]!, quantity: 1 + Math.min(random.below(unitsMax), random.below(unitsMax)) }),
    ),
    point: pointIn(random),
    adcode: random.chance(0.5) ? '330110' : '310101',
    channel: 'tmall',
    excludedNodes: [],
  }
}

/** What every node of the network that may serve the order offers: nobody is left out. */
export function allOffers(request: SourcingRequest, network: Network): Offer[] {
  const { demand, point } = request
  const onlyWarehouses = demand.every((line) => line.warehouseOnly)
  return network.nodes.flatMap((node, index) => {
    if (refusalOf(node, request, onlyWarehouses) !== null) return []
    const km = roundedKm(point!, node.point)
    const available = demand.map((line) =>
      line.warehouseOnly && node.kind === 'store' ? 0 : Math.max(0, network.unitsOf(line.sku)(index)),
    )
    return [{ node: node.node, km, tariff: tariffAt(node, km), available }]
  })
}
