/**
 * Which nodes are asked: the nearest that may serve the order and have something of it; then, SKU by SKU, as much
 * farther as it takes until there is enough or nobody has more. So an order is never refused while the goods exist
 * and the rules allow.
 *
 * The spatial index and the stock availability live outside; they come in as functions. Availability may be stale: who has what is
 * settled by the reservation.
 */
import { roundedKm } from '../distance.ts'
import type { ChannelName, Node, Point } from '../types.ts'
import type { Candidate, DemandLine, SourcingRule } from './plan.ts'

/** Indexes of the nearest nodes that `accept` lets pass, nearest first, at most `count`. Outwards, so are they asked. */
export type Nearest = (point: Point, count: number, accept: (node: number) => boolean) => readonly number[]

/** The same over the nodes that may have some of at least one of these SKUs. Whoever is left out has none of any. */
export type NearestHolding = (
  point: Point,
  count: number,
  skus: readonly string[],
  accept: (node: number) => boolean,
) => readonly number[]

export interface Network {
  readonly nodes: readonly Node[]
  readonly nearest: Nearest
  /**
   * The same over warehouses only. With it, some of the candidates are the nearest warehouses: among thousands of
   * stores the one place that has everything is rarely one of the nearest twenty.
   */
  readonly nearestWarehouse?: Nearest
  /** With it, nobody walks past the thousands of stores that have nothing of what is wanted. */
  readonly nearestHolding?: NearestHolding
  /** Kilometres to a node as `roundedKm` has them, for networks that keep them. */
  readonly kmTo?: (point: Point, node: number) => number
  /**
   * Nodes with the same number are of one kind, all open or all closed, and serve the same channels and regions: the rules
   * are put to one of them.
   */
  readonly serviceOf?: (node: number) => number
  /** Units that a node may promise (on hand - safety - reserved), as hinted; may be negative. */
  readonly unitsOf: (sku: string) => (node: number) => number
  /**
   * At least the sum of units over all nodes where they are above 0. With it, a SKU that is sold out everywhere
   * costs one look instead of one per node of the network.
   */
  readonly availableAnywhere?: (sku: string) => number
}

export interface SourcingRequest {
  readonly demand: readonly DemandLine[]
  /** Where it goes. Null (address overruled): as if to the middle of the country, by nodes that serve everywhere. */
  readonly point: Point | null
  readonly adcode: string | null
  readonly channel: ChannelName
  /** Nodes that gave this order back. */
  readonly excludedNodes: readonly string[]
}

/** So many nearby nodes hold nearly every order whole, exact sourcing over them takes microseconds, and the trace stays small. */
export const candidatesMax = 16
/** Of those, nearest warehouses, where the network can name them. */
const warehousesMin = 4
/** Refused nodes that are kept for the trace: enough to see why the nodes next door were passed over. */
const refusedMax = 10
/** Refused nodes that are noted in one search: it goes outwards, so the first ones are the nearest. */
const refusedSeenMax = 16
/** The national geodetic origin, near Xi'an. */
const middleOfTheCountry: Point = { lat: 34.53, lng: 108.92 }

/** Candidates nearest first, refused ones (for the trace) behind them. */
export function candidatesFor(request: SourcingRequest, network: Network): Candidate[] {
  const point = request.point ?? middleOfTheCountry
  const { demand } = request
  const found = new Set<number>()
  const refused = new Map<number, SourcingRule>()
  // Names are looked up once a line; nodes are asked by the hundred.
  const stock = demand.map((line) => stockOf(network, line))
  const wanted = demand.map((line) => (network.availableAnywhere?.(line.sku) ?? 1) > 0)
  const anyWanted = wanted.includes(true)
  const ruleFor = rulesFor(request, network)

  const accept = (index: number): boolean => {
    if (found.has(index)) return false
    const rule = ruleFor(index)
    if (rule === null && anyWanted && hasAny(stock, index, wanted)) return true
    if (refused.size < refusedSeenMax) refused.set(index, rule ?? 'insufficient_stock')
    // With nothing to be had anywhere, the search is only for the trace: the first few nodes end it.
    return !anyWanted
  }
  if (!anyWanted) {
    network.nearest(point, refusedMax, accept)
    return refusedCandidates(refused, network, point, Number.POSITIVE_INFINITY)
  }
  const anywhere = network.nearestWarehouse === undefined ? candidatesMax : candidatesMax - warehousesMin
  // Each of these is found or refused, so behind them either enough are found, or no more refusals are noted: then it
  // does not matter who has nothing.
  const near = network.nearest(point, anywhere + refusedSeenMax, everybody)
  for (let at = 0; at < near.length && found.size < anywhere; at++) if (accept(near[at]!)) found.add(near[at]!)
  if (found.size < anywhere && near.length === anywhere + refusedSeenMax) {
    const skus = skusOf(demand, (line) => wanted[line]!)
    addAll(found, holding(network)(point, anywhere - found.size, skus, accept))
  }
  if (found.size === anywhere && network.nearestWarehouse !== undefined) {
    addAll(found, network.nearestWarehouse(point, warehousesMin, accept))
  }
  if (found.size >= anywhere) widen(request, network, stock, point, found, ruleFor)

  const candidates: Candidate[] = []
  let farthestKm = 0
  for (const index of found) {
    const node = network.nodes[index]!
    const km = kmTo(network, point, index)
    if (km > farthestKm) farthestKm = km
    candidates.push({ node, km, available: stock.map((unitsAt) => unitsAt(index)), refusedBy: null })
  }
  candidates.sort(byDistance)
  const kmMax = candidates.length === 0 ? Number.POSITIVE_INFINITY : farthestKm
  return [...candidates, ...refusedCandidates(refused, network, point, kmMax)]
}

type RuleFor = (node: number) => SourcingRule | null

/** `refusalOf` by index; nodes that serve alike are asked once, so that most are not looked at. */
function rulesFor(request: SourcingRequest, { nodes, serviceOf }: Network): RuleFor {
  const onlyWarehouses = request.demand.every((line) => line.warehouseOnly)
  // Nodes that gave the order back are refused by their names.
  if (serviceOf === undefined || request.excludedNodes.length > 0) {
    return (index) => refusalOf(nodes[index]!, request, onlyWarehouses)
  }
  const known: (SourcingRule | null)[] = []
  return (index) => {
    const service = serviceOf(index)
    const told = known[service]
    if (told !== undefined) return told
    const rule = refusalOf(nodes[index]!, request, onlyWarehouses)
    known[service] = rule
    return rule
  }
}

function kmTo(network: Network, point: Point, index: number): number {
  return network.kmTo?.(point, index) ?? roundedKm(point, network.nodes[index]!.point)
}

/** The first rule, in the order of `sourcingRules`, that forbids the node; null: it may serve, if it has stock. */
export function refusalOf(node: Node, request: SourcingRequest, onlyWarehouses: boolean): SourcingRule | null {
  if (!node.open) return 'closed'
  if (request.excludedNodes.length > 0 && request.excludedNodes.includes(node.node)) return 'excluded'
  if (node.channels !== null && !node.channels.includes(request.channel)) return 'channel'
  if (node.regions !== null && !servesRegion(node.regions, request.adcode)) return 'region'
  if (onlyWarehouses && node.kind === 'store') return 'kind'
  return null
}

function servesRegion(regions: readonly string[], adcode: string | null): boolean {
  if (adcode === null) return false
  for (let index = 0; index < regions.length; index++) if (adcode.startsWith(regions[index]!)) return true
  return false
}

function everybody(): boolean {
  return true
}

function addAll(found: Set<number>, indexes: readonly number[]): void {
  for (let at = 0; at < indexes.length; at++) found.add(indexes[at]!)
}

/** Without an index everybody is asked. */
function holding({ nearest, nearestHolding }: Network): NearestHolding {
  return nearestHolding ?? ((point, count, _skus, accept) => nearest(point, count, accept))
}

function skusOf(demand: readonly DemandLine[], which: (line: number) => boolean): string[] {
  return demand.filter((_, line) => which(line)).map(({ sku }) => sku)
}

/** Units of a line that a node can ship: at least 0, and none of a store's where only warehouses may. */
type UnitsAt = (node: number) => number

function stockOf(network: Network, line: DemandLine): UnitsAt {
  const units = network.unitsOf(line.sku)
  if (!line.warehouseOnly) return (node) => Math.max(0, units(node))
  return (node) => (network.nodes[node]!.kind === 'store' ? 0 : Math.max(0, units(node)))
}

function hasAny(stock: readonly UnitsAt[], index: number, wanted: readonly boolean[]): boolean {
  for (let line = 0; line < stock.length; line++) if (wanted[line]! && stock[line]!(index) > 0) return true
  return false
}

/** Adds nodes farther away for the lines that those found cannot cover together. Called when there may be farther ones. */
function widen(
  request: SourcingRequest,
  network: Network,
  stock: readonly UnitsAt[],
  point: Point,
  found: Set<number>,
  ruleFor: RuleFor,
) {
  const { demand } = request
  const lacking = demand.map((line) => line.quantity)
  const count = (index: number) => {
    for (let line = 0; line < demand.length; line++) lacking[line]! -= stock[line]!(index)
  }
  for (const index of found) count(index)
  const isNeeded = (line: number) => {
    if (lacking[line]! <= 0) return false
    const anywhere = network.availableAnywhere?.(demand[line]!.sku)
    return anywhere === undefined || anywhere > demand[line]!.quantity - lacking[line]!
  }
  const helps = (index: number) => {
    for (let line = 0; line < demand.length; line++) {
      if (isNeeded(line) && stock[line]!(index) > 0) return true
    }
    return false
  }
  const accept = (index: number) => !found.has(index) && ruleFor(index) === null && helps(index)
  // A few nodes mostly do; each round asks for more, until a round brings fewer than it asked for.
  for (let ask = 4; demand.some((_, line) => isNeeded(line)); ask *= 4) {
    const farther = holding(network)(point, ask, skusOf(demand, isNeeded), accept)
    for (let at = 0; at < farther.length; at++) {
      if (!helps(farther[at]!)) continue
      found.add(farther[at]!)
      count(farther[at]!)
    }
    if (farther.length < ask) break
  }
}

/** The nearest of the refused, no farther than the farthest that was found: why those were not taken instead. */
function refusedCandidates(
  refused: ReadonlyMap<number, SourcingRule>,
  network: Network,
  point: Point,
  kmMax: number,
): Candidate[] {
  const candidates: Candidate[] = []
  for (const [index, refusedBy] of refused) {
    const node = network.nodes[index]!
    const km = kmTo(network, point, index)
    if (km <= kmMax) candidates.push({ node, km, available: [], refusedBy })
  }
  return candidates.sort(byDistance).slice(0, refusedMax)
}

function byDistance(a: Candidate, b: Candidate): number {
  return a.km - b.km || (a.node.node < b.node.node ? -1 : a.node.node > b.node.node ? 1 : 0)
}
