/**
 * How orders were sourced whose traces have version 1 or 2: exact over whole lines and over the stored candidates, equal plans
 * by nearness. Those decisions are replayed by the algorithm that made them, so nothing that this file imports may change
 * its answers. ./solve decides today's orders, and shares the searches for large orders.
 */
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
import type { DemandLine, Plan } from './plan.ts'
import { piecesOf } from './split-lines.ts'

/** The plan as versions 1 and 2 made it. */
export function sourceAsBefore(demand: readonly DemandLine[], offers: readonly Offer[]): Plan {
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
    if (owners !== null) return planOf(instance, demand, assignmentOf(instance, whole, owners), 'exact_over_candidates')
    return planOf(instance, demand, goodAssignment(instance, []), 'heuristic')
  }
  return sourceSplit(demand, instance, whole, split)
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
  const { assignment, chosen } = piecesThenWhole(instance, whole, split)
  if (assignment !== null && !chosen) return planOf(instance, demand, assignment, 'exact_over_candidates')
  return planOf(instance, demand, goodAssignment(instance, assignment === null ? [] : [assignment]), 'heuristic')
}

/** The best of several ways to bring the pieces of split lines, with the whole lines placed on top. */
function piecesThenWhole(instance: Instance, whole: readonly number[], split: readonly number[]) {
  const pieces = piecesOf(instance, split)
  let best: Assignment | null = null
  let bestRank: PlanRank | null = null
  for (const load of pieces.loads) {
    const pinnedGrams = load.used.map((used, node) => (used ? load.grams[node]! : -1))
    const owners = cheapestOwners(instance, whole, pinnedGrams)
    if (owners === null) continue
    const assignment = [...load.assignment]
    addOwners(instance, assignment, whole, owners)
    if (!pieces.chosen) return { assignment, chosen: false }
    const improved = improve(instance, assignment)
    const rank = rankOf(instance, improved)
    if (bestRank !== null && compareRanks(rank, bestRank) >= 0) continue
    best = improved
    bestRank = rank
  }
  return { assignment: best, chosen: true }
}

/** That plan as the start of a further search; null where no line has to be split, or too many lines are whole. */
export function withPieces(instance: Instance): Assignment | null {
  const whole: number[] = []
  const split: number[] = []
  for (let line = 0; line < instance.lineCount; line++) {
    if (instance.need[line] === 0) continue
    if (isHeldWhole(instance, line)) whole.push(line)
    else split.push(line)
  }
  return split.length === 0 ? null : piecesThenWhole(instance, whole, split).assignment
}
