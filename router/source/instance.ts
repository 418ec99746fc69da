/**
 * A sourcing question in the form that is computed on: lines and nodes are indexes, nodes in their fixed order
 * (nearest first, then by code), stock clipped to what is wanted. Whatever order candidates come in, the instance is
 * the same, and so is the plan.
 */
import { type Tariff, tariffFen } from '../freight.ts'
import type { DemandLine, LineUnits, Plan, PlannedParcel } from './plan.ts'

/** A node that may serve, with its prices for this order: what remains of a candidate in a trace. */
export interface Offer {
  readonly node: string
  readonly km: number
  readonly tariff: Tariff
  /** Per demand line; zero where a store must not ship the line. */
  readonly available: readonly number[]
}

export interface Instance {
  readonly lineCount: number
  readonly nodeCount: number
  readonly offers: readonly Offer[]
  /** Units to ship per line: what is wanted, or all there is where that is less. */
  readonly need: readonly number[]
  /** Grams of one unit. */
  readonly grams: readonly number[]
  /** Units of `line` that `node` can ship, at most need: at [node * lineCount + line]. */
  readonly have: readonly number[]
}

/** Units of `line` shipped by `node`: at [node * lineCount + line]. */
export type Assignment = number[]

export function instanceOf(demand: readonly DemandLine[], offers: readonly Offer[]): Instance {
  const lineCount = demand.length
  const ordered = inOrder(offers) ? offers : [...offers].sort(nearestFirst)
  const nodeCount = ordered.length
  const need: number[] = []
  const grams: number[] = []
  for (let line = 0; line < lineCount; line++) {
    const wanted = demand[line]!
    if (!Number.isSafeInteger(wanted.quantity) || wanted.quantity <= 0 || !(wanted.grams >= 0)) {
      throw new RangeError('demand has to be whole units, at least one, of no negative weight')
    }
    let there = 0
    for (let node = 0; node < nodeCount; node++) there += unitsOf(ordered[node]!, line)
    need.push(Math.min(wanted.quantity, there))
    grams.push(wanted.grams)
  }
  const have: number[] = []
  for (let node = 0; node < nodeCount; node++) {
    for (let line = 0; line < lineCount; line++) have.push(Math.min(unitsOf(ordered[node]!, line), need[line]!))
  }
  return { lineCount, nodeCount, offers: ordered, need, grams, have }
}

/** Availability is not exact: a number may be missing, negative or half written. */
function unitsOf(offer: Offer, line: number): number {
  const units = offer.available[line]
  return units !== undefined && units > 0 ? Math.floor(units) : 0
}

function inOrder(offers: readonly Offer[]): boolean {
  for (let index = 1; index < offers.length; index++) {
    if (nearestFirst(offers[index - 1]!, offers[index]!) > 0) return false
  }
  return true
}

function nearestFirst(a: Offer, b: Offer): number {
  return a.km - b.km || (a.node < b.node ? -1 : a.node > b.node ? 1 : 0)
}

/** The weight of what `node` ships. */
export function gramsAt(instance: Instance, assignment: Assignment, node: number): number {
  let grams = 0
  const from = node * instance.lineCount
  for (let line = 0; line < instance.lineCount; line++) grams += assignment[from + line]! * instance.grams[line]!
  return grams
}

/** Whether `node` ships anything. */
export function isUsed(instance: Instance, assignment: Assignment, node: number): boolean {
  const from = node * instance.lineCount
  for (let line = 0; line < instance.lineCount; line++) if (assignment[from + line]! > 0) return true
  return false
}

export interface PlanRank {
  readonly costFen: number
  readonly parcels: number
  /** Sum of the used nodes' places in the order of nearness. */
  readonly nearness: number
}

/** What a plan is judged by, once everything that can be shipped is: cost, then parcels, then nearness. */
export function rankOf(instance: Instance, assignment: Assignment): PlanRank {
  let costFen = 0
  let parcels = 0
  let nearness = 0
  for (let node = 0; node < instance.nodeCount; node++) {
    if (!isUsed(instance, assignment, node)) continue
    costFen += tariffFen(instance.offers[node]!.tariff, gramsAt(instance, assignment, node))
    parcels++
    nearness += node
  }
  return { costFen, parcels, nearness }
}

/** Below zero: `a` is the better plan. Zero: neither is; the caller keeps the plan that it found first. */
export function compareRanks(a: PlanRank, b: PlanRank): number {
  return a.costFen - b.costFen || a.parcels - b.parcels || a.nearness - b.nearness
}

export function planOf(
  instance: Instance,
  demand: readonly DemandLine[],
  assignment: Assignment,
  method: Plan['method'],
  boundFen = 0,
): Plan {
  const { lineCount, nodeCount, offers, need } = instance
  const parcels: PlannedParcel[] = []
  let planFen = 0
  for (let node = 0; node < nodeCount; node++) {
    const lines: LineUnits[] = []
    for (let line = 0; line < lineCount; line++) {
      const quantity = assignment[node * lineCount + line]!
      if (quantity > 0) lines.push({ line, quantity })
    }
    if (lines.length === 0) continue
    const costFen = tariffFen(offers[node]!.tariff, gramsAt(instance, assignment, node))
    planFen += costFen
    parcels.push({ node: offers[node]!.node, lines, costFen })
  }
  const missing: LineUnits[] = []
  for (let line = 0; line < lineCount; line++) {
    const quantity = demand[line]!.quantity - need[line]!
    if (quantity > 0) missing.push({ line, quantity })
  }
  return {
    parcels,
    missing,
    costFen: planFen,
    method,
    boundFen: method === 'exact' ? planFen : Math.min(boundFen, planFen),
  }
}
