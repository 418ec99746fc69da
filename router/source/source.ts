/**
 * Source (寻源): which nodes ship what. Everything that can be shipped is, then at least cost, then in the fewest
 * parcels, then from the nearest nodes; the same answer every time, in whatever order the candidates come.
 *
 * Exact over whole lines up to the limits of ./optimum; beyond them, and where a line has to be split because no node
 * has all of it, a good plan that still ships everything. Cost is a sum over parcels: nothing is known here of carriers'
 * contracts, capacities or promises to the buyer.
 */
import { tariffAt } from '../freight.ts'
import { goodAssignment } from './heuristic.ts'
import { improve } from './improve.ts'
import {
  type Assignment,
  compareRanks,
  type Instance,
  instanceOf,
  type Offer,
  type PlanRank,
  planOf,
  rankOf,
} from './instance.ts'
import { cheapestOwners } from './optimum.ts'
import type { Candidate, DemandLine, Plan } from './plan.ts'
import { piecesOf } from './split-lines.ts'

/** Refused candidates are passed over. Throws on demand that is not whole units, at least one, per line. */
export function source(demand: readonly DemandLine[], candidates: readonly Candidate[]): Plan {
  return sourceFrom(demand, offersOf(demand, candidates))
}

/** The same from what a trace keeps of the candidates. */
export function sourceFrom(demand: readonly DemandLine[], offers: readonly Offer[]): Plan {
  const instance = instanceOf(demand, offers)
  const whole: number[] = []
  const split: number[] = []
  for (let line = 0; line < instance.lineCount; line++) {
    if (instance.need[line] === 0) continue
    if (isHeldWhole(instance, line)) whole.push(line)
    else split.push(line)
  }
  if (split.length === 0) {
    const owners = cheapestOwners(instance, whole, null)
    if (owners !== null) return planOf(instance, demand, assignmentOf(instance, whole, owners), 'exact')
    return planOf(instance, demand, goodAssignment(instance, []), 'heuristic')
  }
  return sourceSplit(demand, instance, whole, split)
}

/** What the candidates that were not refused offer: no store's stock for lines that leave from warehouses only. */
export function offersOf(demand: readonly DemandLine[], candidates: readonly Candidate[]): Offer[] {
  const offers: Offer[] = []
  for (let index = 0; index < candidates.length; index++) {
    const { node, km, available, refusedBy } = candidates[index]!
    if (refusedBy !== null) continue
    const open =
      node.kind === 'store' && demand.some((line) => line.warehouseOnly)
        ? available.map((units, line) => (demand[line]?.warehouseOnly === true ? 0 : units))
        : available
    offers.push({ node: node.node, km, tariff: tariffAt(node, km), available: open })
  }
  return offers
}

function isHeldWhole(instance: Instance, line: number): boolean {
  for (let node = 0; node < instance.nodeCount; node++) {
    if (instance.have[node * instance.lineCount + line] === instance.need[line]) return true
  }
  return false
}

function assignmentOf(instance: Instance, lines: readonly number[], owners: readonly number[]): Assignment {
  const assignment = new Array<number>(instance.lineCount * instance.nodeCount).fill(0)
  addOwners(instance, assignment, lines, owners)
  return assignment
}

function addOwners(
  instance: Instance,
  assignment: Assignment,
  lines: readonly number[],
  owners: readonly number[],
): void {
  for (let index = 0; index < lines.length; index++) {
    assignment[owners[index]! * instance.lineCount + lines[index]!] = instance.need[lines[index]!]!
  }
}

function sourceSplit(
  demand: readonly DemandLine[],
  instance: Instance,
  whole: readonly number[],
  split: readonly number[],
): Plan {
  const pieces = piecesOf(instance, split)
  const known: Assignment[] = []
  let best: Assignment | null = null
  let bestRank: PlanRank | null = null
  for (const load of pieces.loads) {
    const pinnedGrams = load.used.map((used, node) => (used ? load.grams[node]! : -1))
    const owners = cheapestOwners(instance, whole, pinnedGrams)
    if (owners === null) continue
    const assignment = [...load.assignment]
    addOwners(instance, assignment, whole, owners)
    if (!pieces.chosen) return planOf(instance, demand, assignment, 'exact')
    const improved = improve(instance, assignment)
    const rank = rankOf(instance, improved)
    if (bestRank !== null && compareRanks(rank, bestRank) >= 0) continue
    best = improved
    bestRank = rank
  }
  if (best !== null) known.push(best)
  return planOf(instance, demand, goodAssignment(instance, known), 'heuristic')
}
