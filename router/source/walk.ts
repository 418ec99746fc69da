/** An order's question to a network, looked up once, and the first answer: the best node that has everything. */
import { tariffFen } from '../freight.ts'
import type { Point } from '../types.ts'
import { type Holders, kmTo, type Network, type RuleFor } from './network.ts'
import type { DemandLine } from './plan.ts'
import { floorOfTwoFen, type PointTariffs } from './tariffs.ts'
import { leftMax } from './unit-sets.ts'

/** Names have become numbers and functions. */
export interface Walk {
  readonly network: Network
  readonly point: Point
  readonly tariffs: PointTariffs
  readonly ruleFor: RuleFor
  readonly lines: readonly WalkLine[]
}

export interface WalkLine {
  readonly quantity: number
  readonly grams: number
  readonly warehouseOnly: boolean
  /** Units that the node can ship: at least 0, and none of a store's where only warehouses may. */
  readonly unitsAt: (node: number) => number
  /** None where the SKU is sold out everywhere. */
  readonly holders: Holders
  /** False: it is known that all nodes together have less than is wanted. */
  readonly mayBeWhole: boolean
}

export interface Single {
  readonly node: number
  readonly costFen: number
  /** Nothing else in the network is better: two parcels cost at least as much. */
  readonly isProven: boolean
}

const nobody: Holders = { numbers: [], unitsAt: () => 0 }

export function walkOf(network: Network, point: Point, ruleFor: RuleFor, demand: readonly DemandLine[]): Walk {
  const lines = demand.map((line): WalkLine => {
    const anywhere = network.availableAnywhere?.(line.sku) ?? Number.POSITIVE_INFINITY
    return {
      quantity: line.quantity,
      grams: line.grams,
      warehouseOnly: line.warehouseOnly,
      unitsAt: unitsAtOf(network, line),
      holders: anywhere > 0 ? network.holdersOf(line.sku) : nobody,
      mayBeWhole: anywhere >= line.quantity,
    }
  })
  return { network, point, tariffs: network.tariffsAt(point), ruleFor, lines }
}

function unitsAtOf(network: Network, line: DemandLine): (node: number) => number {
  const units = network.unitsOf(line.sku)
  if (!line.warehouseOnly) return (node) => Math.max(0, units(node))
  return (node) => (network.nodes[node]!.kind === 'store' ? 0 : Math.max(0, units(node)))
}

/** What the holder at a place can ship of its line; `node` is its index. */
export function unitsOfHolder({ nodes }: Network, line: WalkLine, at: number, node: number): number {
  return line.warehouseOnly && nodes[node]!.kind === 'store' ? 0 : line.holders.unitsAt(at)
}

/** -1: a number of no node. */
export function indexOfHolder({ indexOf }: Network, number: number): number {
  return indexOf === undefined ? number : (indexOf[number] ?? -1)
}

/** Lines that are not sold out everywhere. */
export function wantedOf({ lines }: Walk): WalkLine[] {
  return lines.filter(({ holders }) => holders.numbers.length > 0)
}

/**
 * The best node that has all of what is not sold out: by price, then by what is left, then the nearest, then by code. Null: no
 * node has.
 */
export function bestSingleNode(walk: Walk): Single | null {
  const { tariffs, ruleFor, network } = walk
  const lines = wantedOf(walk)
  if (lines.length === 0) return null
  let fewest = lines[0]!
  let grams = 0
  for (let at = 0; at < lines.length; at++) {
    if (!lines[at]!.mayBeWhole) return null
    grams += lines[at]!.quantity * lines[at]!.grams
    if (lines[at]!.holders.numbers.length < fewest.holders.numbers.length) fewest = lines[at]!
  }
  const { of } = tariffs
  const prices = pricesOf(tariffs, grams)
  const { numbers } = fewest.holders
  let best = -1
  let bestFen = Number.POSITIVE_INFINITY
  let bestLittle = 0
  for (let at = 0; at < numbers.length; at++) {
    const node = indexOfHolder(network, numbers[at]!)
    if (node < 0) continue
    const costFen = prices[of[node]!]!
    if (costFen > bestFen || ruleFor(node) !== null) continue
    if (unitsOfHolder(network, fewest, at, node) < fewest.quantity) continue
    const little = littleLeftAt(lines, node)
    if (little < 0) continue
    if (costFen === bestFen && (little > bestLittle || (little === bestLittle && !isNearer(walk, node, best)))) continue
    best = node
    bestFen = costFen
    bestLittle = little
  }
  if (best < 0) return null
  return { node: best, costFen: bestFen, isProven: bestFen <= floorOfTwoFen(tariffs.floor, grams) }
}

/** -1: the node has not all. */
function littleLeftAt(lines: readonly WalkLine[], node: number): number {
  let little = 0
  for (let at = 0; at < lines.length; at++) {
    const left = Math.floor(lines[at]!.unitsAt(node)) - lines[at]!.quantity
    if (left < 0) return -1
    if (left < leftMax) little += leftMax - left
  }
  return little
}

export function isNearer({ network, point }: Walk, node: number, than: number): boolean {
  if (node === than) return false
  const difference = kmTo(network, point, node) - kmTo(network, point, than)
  return difference < 0 || (difference === 0 && network.nodes[node]!.node < network.nodes[than]!.node)
}

/** By tariff: a parcel of that weight. */
export function pricesOf({ list }: PointTariffs, grams: number): Float64Array {
  const prices = new Float64Array(list.length)
  for (let tariff = 0; tariff < list.length; tariff++) prices[tariff] = tariffFen(list[tariff]!, grams)
  return prices
}
