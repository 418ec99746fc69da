/** What sourcing asks of a network of nodes, what an order asks of sourcing, and the rules that refuse a node. */
import { roundedKm } from '../distance.ts'
import type { Node } from '../node.ts'
import type { ChannelName, Point } from '../types.ts'
import type { DemandLine, SourcingRule } from './plan.ts'
import type { PointTariffs } from './tariffs.ts'

/** Indexes of the nearest nodes, nearest first, at most `count`. */
export type Nearest = (point: Point, count: number) => ArrayLike<number>

/**
 * The spatial index and the availability figures live outside and come in as functions. Figures may be stale: only the
 * reservation decides which node has the goods.
 */
export interface Network {
  readonly nodes: readonly Node[]
  /** For the trace: which near nodes were passed over. */
  readonly nearest: Nearest
  /** By node index; see PointTariffs. */
  readonly tariffsAt: (point: Point) => PointTariffs
  /** Kilometres to a node as `roundedKm` has them, for networks that keep them. */
  readonly kmTo?: (point: Point, node: number) => number
  /**
   * Nodes with the same number are of one kind, all open or all closed, and serve the same channels and regions: the rules
   * are put to one of them.
   */
  readonly serviceOf?: (node: number) => number
  /** Good until the next question. */
  readonly holdersOf: (sku: string) => Holders
  /** Index of the node of a number; -1 or undefined: none. Absent: numbers are indexes. */
  readonly indexOf?: Int32Array
  /** Units that a node may promise (on hand - safety - reserved), as last heard; may be negative. */
  readonly unitsOf: (sku: string) => (node: number) => number
  /** At least the sum of units over all nodes where they are above 0. With it, a SKU that is sold out is not looked for. */
  readonly availableAnywhere?: (sku: string) => number
}

/** The nodes that may have some of a SKU; a node that is missing has none. */
export interface Holders {
  /** Node numbers: see `indexOf` of Network. */
  readonly numbers: readonly number[]
  /** Units of the node whose number is at this place: the same as `unitsOf` says, without a look-up. */
  readonly unitsAt: (at: number) => number
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

/** The national geodetic origin, near Xi'an. */
const middleOfTheCountry: Point = { lat: 34.53, lng: 108.92 }

export function pointOf(request: SourcingRequest): Point {
  return request.point ?? middleOfTheCountry
}

export function kmTo(network: Network, point: Point, index: number): number {
  return network.kmTo?.(point, index) ?? roundedKm(point, network.nodes[index]!.point)
}

export type RuleFor = (node: number) => SourcingRule | null

/** `refusalOf` by index; nodes that serve alike are asked once, so that most are not looked at. */
export function rulesFor(request: SourcingRequest, { nodes, serviceOf }: Network): RuleFor {
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
