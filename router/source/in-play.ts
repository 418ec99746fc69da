/**
 * Which nodes of the network may be in a best plan: a walk over every node that has something of what an order wants. It
 * leaves out only nodes that are in no best plan, so what is best over the nodes that stay is best over the network.
 *
 * Let L(line) be the lowest price of the whole line from one node that has it whole and whose tariff `mergesWell`: adding units
 * to a parcel of such a node costs no more than a parcel of their own.
 * 1. A node that has one line only and asks more for a single unit of it than L(line) is never needed: the node of L(line)
 *    takes over whatever part a plan wants, for less.
 * 2. A plan of two parcels or more with the node costs at least the node's base and the lowest base there is. Where that
 *    is above a plan that is known (all from one node, or each line from the node of its L), the node is in no better plan.
 * 3. Of nodes that have one line only and share a tariff that `mergesWell`, those with the most units matter, as many as units
 *    are wanted: a plan that uses another one leaves one of these without a unit of the line, which takes over for the same
 *    price and has more left.
 */

import { withoutDominated } from './dominance.ts'
import type { RuleFor } from './network.ts'
import { mergesWell } from './optimum.ts'
import { floorOfTariffs, floorOfTwoFen } from './tariffs.ts'
import {
  indexOfHolder,
  isNearer,
  pricesOf,
  type Single,
  unitsOfHolder,
  type Walk,
  type WalkLine,
  wantedOf,
} from './walk.ts'

export interface InPlay {
  /** Indexes, in no order. Each node may serve, and has some of what is wanted. */
  readonly nodes: readonly number[]
  /** The node that has everything is the optimum: see `floorOfTwoFen`. */
  readonly isSingleProven: boolean
}

/** So few nodes are solved over sooner than they are compared. */
const fewNodes = 24

/** Which walk has seen a node last: the number of the walk, by node. Overwritten by every walk. */
let seen = new Uint32Array(0)
let walks = 0

export function nodesInPlay(walk: Walk, single: Single | null): InPlay {
  const { tariffs, network } = walk
  // A node with several lines is met in the shortest of its chains, and asked there for the longer ones.
  const lines = wantedOf(walk).sort((a, b) => a.holders.numbers.length - b.holders.numbers.length)
  const cheapestFen = lines.map((line) => cheapestWholeFen(walk, line))
  let knownFen = 0
  for (const costFen of cheapestFen) knownFen += costFen
  if (single !== null) knownFen = Math.min(knownFen, single.costFen)
  if (seen.length < network.nodes.length) seen = new Uint32Array(network.nodes.length)
  const stamp = ++walks
  const found: number[] = []
  const keep = (node: number) => {
    if (node < 0 || seen[node] === stamp) return
    seen[node] = stamp
    found.push(node)
  }
  if (single !== null) keep(single.node)
  const bases = pricesOf(tariffs, 0)
  const limit = knownFen - tariffs.floor.leastFen
  for (let line = 0; line < lines.length; line++) {
    const few = new FewPerTariff(walk, lines[line]!)
    walkLine(walk, lines, line, { bases, limit, cheapestFen: cheapestFen[line]!, stamp, keep, few })
    few.forEach(keep)
  }
  return withinFloor(walk, lines, found, single, knownFen, bases)
}

interface Bounds {
  readonly bases: Float64Array
  /** Nodes with a higher base are left out. */
  readonly limit: number
  readonly cheapestFen: number
  readonly stamp: number
  readonly keep: (node: number) => void
  readonly few: FewPerTariff
}

function walkLine(walk: Walk, lines: readonly WalkLine[], at: number, bounds: Bounds): void {
  const { tariffs, network, ruleFor } = walk
  const { bases, limit, cheapestFen, stamp, keep, few } = bounds
  const line = lines[at]!
  const isLast = at === lines.length - 1
  const { of } = tariffs
  const { numbers } = line.holders
  const prices = pricesOf(tariffs, line.grams)
  for (let n = 0; n < numbers.length; n++) {
    const node = indexOfHolder(network, numbers[n]!)
    if (node < 0) continue
    const tariff = of[node]!
    const isDearAlone = prices[tariff]! > cheapestFen
    if ((isDearAlone && isLast) || bases[tariff]! > limit || seen[node] === stamp) continue
    if (isRefused(ruleFor, node)) continue
    const units = unitsOfHolder(network, line, n, node)
    if (units < 1) continue
    if (!isLast && hasAnother(lines, at, node)) keep(node)
    else if (!isDearAlone) few.add(tariff, node, units)
  }
}

function isRefused(ruleFor: RuleFor, node: number): boolean {
  return ruleFor(node) !== null
}

/** Of the lines behind: those before have met the node already. */
function hasAnother(lines: readonly WalkLine[], line: number, node: number): boolean {
  for (let at = line + 1; at < lines.length; at++) if (lines[at]!.unitsAt(node) >= 1) return true
  return false
}

/** The lowest base among the nodes found is higher than that of all nodes: it leaves out more, or all but one. */
function withinFloor(
  walk: Walk,
  lines: readonly WalkLine[],
  found: number[],
  single: Single | null,
  knownFen: number,
  bases: Float64Array,
): InPlay {
  const { tariffs } = walk
  const grams = lines.reduce((sum, line) => sum + line.quantity * line.grams, 0)
  const floor = floorOfTariffs(found.map((node) => tariffs.list[tariffs.of[node]!]!))
  if (single !== null && single.costFen <= floorOfTwoFen(floor, grams)) return { nodes: found, isSingleProven: true }
  const limit = knownFen - floor.leastFen
  const nodes = found.filter((node) => node === single?.node || bases[tariffs.of[node]!]! <= limit)
  return { nodes: nodes.length > fewNodes ? withoutDominated(walk, lines, nodes) : nodes, isSingleProven: false }
}

/**
 * L(line). All lines from such nodes are a plan that costs at most the sum: lines of one node share a parcel. These nodes stay,
 * or others that are as good: their bases are within the sum, or one of them has everything.
 */
function cheapestWholeFen({ tariffs, ruleFor, network }: Walk, line: WalkLine): number {
  const prices = pricesOf(tariffs, line.quantity * line.grams)
  const { numbers } = line.holders
  let costFen = Number.POSITIVE_INFINITY
  if (!line.mayBeWhole) return costFen
  for (let at = 0; at < numbers.length; at++) {
    const node = indexOfHolder(network, numbers[at]!)
    if (node < 0) continue
    const tariff = tariffs.of[node]!
    if (prices[tariff]! >= costFen || !mergesWell(tariffs.list[tariff]!)) continue
    if (ruleFor(node) !== null || unitsOfHolder(network, line, at, node) < line.quantity) continue
    costFen = prices[tariff]!
  }
  return costFen
}

interface Held {
  readonly node: number
  readonly units: number
}

/** Of the nodes that have one line only: per tariff, those that have most, as many as units are wanted. */
class FewPerTariff {
  readonly #walk: Walk
  readonly #line: WalkLine
  readonly #held = new Map<number, Held[]>()

  constructor(walk: Walk, line: WalkLine) {
    this.#walk = walk
    this.#line = line
  }

  add(tariff: number, node: number, units: number): void {
    const held = this.#held.get(tariff)
    if (held === undefined) {
      this.#held.set(tariff, [{ node, units }])
      return
    }
    const isFull = held.length >= this.#line.quantity && mergesWell(this.#walk.tariffs.list[tariff]!)
    if (isFull && !this.#isBetter(node, units, held.at(-1)!)) return
    let at = held.length
    while (at > 0 && this.#isBetter(node, units, held[at - 1]!)) at--
    if (isFull) held.pop()
    held.splice(at, 0, { node, units })
  }

  forEach(take: (node: number) => void): void {
    for (const held of this.#held.values()) for (const { node } of held) take(node)
  }

  #isBetter(node: number, units: number, than: Held): boolean {
    return units > than.units || (units === than.units && isNearer(this.#walk, node, than.node))
  }
}
