/**
 * A walk over every node of the network that may have some of what an order wants. It prunes only nodes that are in no best
 * plan, so what is best over the nodes that come back is best over the network.
 *
 * Two floors prune. Let L(line) be the lowest price of the whole line from one node that has it whole.
 * 1. A node that has one line only, and asks more for a single unit of it than L(line), is never needed: the node of L(line) has
 *    more of the line for less, whatever part of it a plan wants. (Where that node ships already in the plan, adding units to its
 *    parcel costs no more than a new parcel: true of tariffs that `mergesWell` holds for; others are not used as L.)
 * 2. A plan of two parcels or more with the node costs at least the node's base and the lowest base there is. Where that is
 *    above a plan that is known, the node is in no better plan. Plans of one parcel are looked at apart.
 */
import { tariffFen } from '../freight.ts'
import type { Point } from '../types.ts'
import { kmTo, type Network, type RuleFor } from './network.ts'
import { mergesWell } from './optimum.ts'
import type { DemandLine } from './plan.ts'
import { floorOfTwoFen, type PointTariffs } from './tariffs.ts'
import { leftMax } from './units.ts'

/** An order's question to the network, looked up once: names become numbers and functions. */
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
  /** Units that the node can ship: at least 0, and none of a store's where only warehouses may. */
  readonly unitsAt: (node: number) => number
  /** Numbers; see Network. None where the SKU is sold out everywhere. */
  readonly holders: readonly number[]
  /** False: it is known that all nodes together have less than is wanted. */
  readonly mayBeWhole: boolean
}

export interface Single {
  readonly node: number
  readonly costFen: number
  /** Nothing else in the network is better: two parcels cost at least as much. */
  readonly isProven: boolean
}

export function walkOf(network: Network, point: Point, ruleFor: RuleFor, demand: readonly DemandLine[]): Walk {
  const lines = demand.map((line): WalkLine => {
    const anywhere = network.availableAnywhere?.(line.sku) ?? Number.POSITIVE_INFINITY
    return {
      quantity: line.quantity,
      grams: line.grams,
      unitsAt: unitsAtOf(network, line),
      holders: anywhere > 0 ? network.holdersOf(line.sku) : [],
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

/** The best node that has everything: by price, then by what is left, then the nearest, then by code. Null: no node has. */
export function bestSingleNode(walk: Walk): Single | null {
  const { lines, tariffs, ruleFor, network } = walk
  if (lines.some((line) => !line.mayBeWhole)) return null
  let fewest = lines[0]!
  let grams = 0
  for (const line of lines) {
    if (line.holders.length < fewest.holders.length) fewest = line
    grams += line.quantity * line.grams
  }
  const { of } = tariffs
  const prices = pricesOf(tariffs, grams)
  const { indexOf } = network
  let best = -1
  let bestFen = Number.POSITIVE_INFINITY
  let bestLittle = 0
  for (const number of fewest.holders) {
    const node = indexOf === undefined ? number : (indexOf[number] ?? -1)
    if (node < 0) continue
    const costFen = prices[of[node]!]!
    if (costFen > bestFen || ruleFor(node) !== null) continue
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

function isNearer({ network, point }: Walk, node: number, than: number): boolean {
  if (node === than) return false
  const difference = kmTo(network, point, node) - kmTo(network, point, than)
  return difference < 0 || (difference === 0 && network.nodes[node]!.node < network.nodes[than]!.node)
}

/** By tariff: a parcel of that weight. */
function pricesOf({ list }: PointTariffs, grams: number): Float64Array {
  const prices = new Float64Array(list.length)
  for (let tariff = 0; tariff < list.length; tariff++) prices[tariff] = tariffFen(list[tariff]!, grams)
  return prices
}

/** Which nodes a walk has seen: the number of the walk, by node. Overwritten by every walk. */
let seen = new Uint32Array(0)
let walks = 0

/** Indexes of all nodes that may be in a best plan, in no order. Each may serve, and has some of what is wanted. */
export function nodesInPlay(walk: Walk, single: Single | null): number[] {
  const { lines, tariffs, ruleFor, network } = walk
  const { of } = tariffs
  const { indexOf } = network
  const cheapest = lines.map((line) => cheapestWhole(walk, line))
  let knownFen = 0
  for (const [at, line] of lines.entries()) if (line.holders.length > 0) knownFen += cheapest[at]!.costFen
  if (single !== null) knownFen = Math.min(knownFen, single.costFen)
  const bases = pricesOf(tariffs, 0)
  if (seen.length < network.nodes.length) seen = new Uint32Array(network.nodes.length)
  const stamp = ++walks
  const found: number[] = []
  const keep = (node: number) => {
    if (node < 0 || seen[node] === stamp) return
    seen[node] = stamp
    found.push(node)
  }
  if (single !== null) keep(single.node)
  for (const { node } of cheapest) keep(node)
  for (const [at, line] of lines.entries()) {
    const prices = pricesOf(tariffs, line.grams)
    const limitFen = cheapest[at]!.costFen
    for (const number of line.holders) {
      const node = indexOf === undefined ? number : (indexOf[number] ?? -1)
      if (node < 0 || seen[node] === stamp) continue
      const tariff = of[node]!
      if (bases[tariff]! + tariffs.floor.leastFen > knownFen) continue
      if (ruleFor(node) !== null || line.unitsAt(node) < 1) continue
      if (prices[tariff]! > limitFen && !hasAnother(lines, at, node)) continue
      keep(node)
    }
  }
  return found
}

function hasAnother(lines: readonly WalkLine[], line: number, node: number): boolean {
  for (let at = 0; at < lines.length; at++) {
    if (at !== line && lines[at]!.holders.length > 0 && lines[at]!.unitsAt(node) >= 1) return true
  }
  return false
}

/**
 * L(line), and a node that asks it. All lines from these nodes are a plan that costs at most the sum: lines of
 * one node share a parcel.
 */
function cheapestWhole({ tariffs, ruleFor, network }: Walk, line: WalkLine) {
  const prices = pricesOf(tariffs, line.quantity * line.grams)
  const { indexOf } = network
  let chosen = -1
  let costFen = Number.POSITIVE_INFINITY
  if (!line.mayBeWhole) return { node: chosen, costFen }
  for (const number of line.holders) {
    const node = indexOf === undefined ? number : (indexOf[number] ?? -1)
    if (node < 0) continue
    const tariff = tariffs.of[node]!
    if (prices[tariff]! >= costFen || !mergesWell(tariffs.list[tariff]!)) continue
    if (ruleFor(node) !== null || line.unitsAt(node) < line.quantity) continue
    chosen = node
    costFen = prices[tariff]!
  }
  return { node: chosen, costFen }
}
