/**
 * The plan for an instance, and what is proven of it: see `Method`. Everything that can be shipped is, then at least cost, then
 * in the fewest parcels, then from where more is left, then from the nearest nodes. The same instance gives the same plan.
 *
 * "More is left" is counted per parcel and line, as the units that the node still has behind the parcel, up to `leftMax`: a
 * node's last units stay for a buyer near it. Sums are compared, so the rule does not depend on the order of nodes.
 */
import { tariffFen } from '../freight.ts'
import { withPieces } from './decided-before.ts'
import { goodAssignment } from './heuristic.ts'
import { improve } from './improve.ts'
import { type Assignment, type Instance, rankOf } from './instance.ts'
import { loadOf, placeCheapest } from './load.ts'
import { openSets } from './open-sets.ts'
import type { Method } from './plan.ts'
import { floorOfTariffs, floorOfTwoFen } from './tariffs.ts'
import { type Digits, isWithinLimits, littleLeft } from './unit-sets.ts'
import { bestOverUnits } from './units.ts'

export interface Solution {
  readonly assignment: Assignment
  readonly method: Method
  readonly boundFen: number
}

/**
 * The searches take milliseconds over this many nodes. Where more are needed (thousands of units from single shelves),
 * only one plan is made.
 */
const searchedNodesMax = 64

/** What plans that ship the same are judged by. */
export interface Judged {
  readonly costFen: number
  readonly parcels: number
  /** Sum over parcels and lines of how far what is left is below `leftMax`. */
  readonly little: number
  readonly nearness: number
}

export function solve(instance: Instance): Solution {
  const lines = wantedLines(instance)
  if (lines.length === 0) return { assignment: emptyAssignment(instance), method: 'exact', boundFen: 0 }
  const forced = everything(instance, lines)
  if (forced !== null) {
    return { assignment: forced, method: 'exact', boundFen: rankOf(instance, forced).costFen }
  }
  const single = bestSingle(instance, lines)
  const floorFen = floorOfTwo(instance, lines)
  if (single !== null && single.costFen <= floorFen) {
    return { assignment: single.assignment, method: 'exact', boundFen: single.costFen }
  }
  const weakFen = Math.min(single?.costFen ?? Number.POSITIVE_INFINITY, floorFen)
  let boundFen = Number.isFinite(weakFen) ? weakFen : 0
  const units = digitsWithoutLoss(instance, lines)
  if (isWithinLimits(instance, units)) {
    const best = bestOverUnits(instance, units)
    if (best.assignment !== null) return { assignment: best.assignment, method: 'exact', boundFen: best.boundFen }
    boundFen = Math.max(boundFen, best.boundFen)
  }
  const whole = digitsOfWhole(instance, units)
  const best = whole === null ? null : bestOverUnits(instance, whole).assignment
  const found = bestOf(instance, searched(instance, best))
  const { costFen } = rankOf(instance, found)
  if (costFen <= boundFen) return { assignment: found, method: 'exact', boundFen: costFen }
  return { assignment: found, method: best === null ? 'heuristic' : 'whole_lines', boundFen }
}

/** Whether the exact way applies: where it does not, the caller may choose which nodes the searches look at. */
export function isSmall(instance: Instance): boolean {
  const units = digitsWithoutLoss(instance, wantedLines(instance))
  return isWithinLimits(instance, units) || digitsOfWhole(instance, units) !== null
}

/** Plans that are worth comparing, `best` among them where there is one. */
function searched(instance: Instance, best: Assignment | null): Assignment[] {
  if (instance.nodeCount > searchedNodesMax) return [best ?? lineByLine(instance)]
  if (best !== null) return [best, improve(instance, best), goodAssignment(instance, [])]
  if (everyLineIsWholeSomewhere(instance)) return openSets(instance).map((each) => improve(instance, each))
  // Pieces of many lines leave little choice of nodes: there the searches that start from single lines do better.
  const split = withPieces(instance)
  return [goodAssignment(instance, split === null ? [] : [split])]
}

function everyLineIsWholeSomewhere(instance: Instance): boolean {
  const { lineCount, need } = instance
  for (let line = 0; line < lineCount; line++) if (need[line]! > 0 && !isHeldWhole(instance, line)) return false
  return true
}

function isHeldWhole({ lineCount, nodeCount, have, need }: Instance, line: number): boolean {
  for (let node = 0; node < nodeCount; node++) if (have[node * lineCount + line] === need[line]) return true
  return false
}

function lineByLine(instance: Instance): Assignment {
  const load = loadOf(instance)
  for (let line = 0; line < instance.lineCount; line++) placeCheapest(instance, load, line, load.left[line]!, -1)
  return load.assignment
}

/** Where all there is has to go, there is one plan. */
function everything(instance: Instance, lines: readonly number[]): Assignment | null {
  const { lineCount, nodeCount, have, need } = instance
  for (const line of lines) {
    let there = 0
    for (let node = 0; node < nodeCount; node++) there += have[node * lineCount + line]!
    if (there > need[line]!) return null
  }
  return [...have]
}

function wantedLines(instance: Instance): number[] {
  const lines: number[] = []
  for (let line = 0; line < instance.lineCount; line++) if (instance.need[line]! > 0) lines.push(line)
  // The highest line is in every first parcel: cheapest when it has one digit.
  return lines.sort((a, b) => instance.need[b]! - instance.need[a]! || a - b)
}

function emptyAssignment(instance: Instance): Assignment {
  return new Array<number>(instance.lineCount * instance.nodeCount).fill(0)
}

function gramsOf(instance: Instance, lines: readonly number[]): number {
  let grams = 0
  for (const line of lines) grams += instance.need[line]! * instance.grams[line]!
  return grams
}

function bestSingle(instance: Instance, lines: readonly number[]) {
  const { lineCount, nodeCount, have, need } = instance
  const grams = gramsOf(instance, lines)
  let owner = -1
  let ownerFen = Number.POSITIVE_INFINITY
  let ownerLittle = Number.POSITIVE_INFINITY
  for (let node = 0; node < nodeCount; node++) {
    if (lines.some((line) => have[node * lineCount + line]! < need[line]!)) continue
    const costFen = tariffFen(instance.offers[node]!.tariff, grams)
    if (costFen > ownerFen) continue
    let little = 0
    for (const line of lines) little += littleLeft(instance, node, line, need[line]!)
    if (costFen === ownerFen && little >= ownerLittle) continue
    owner = node
    ownerFen = costFen
    ownerLittle = little
  }
  if (owner < 0) return null
  const assignment = emptyAssignment(instance)
  for (const line of lines) assignment[owner * lineCount + line] = need[line]!
  return { assignment, costFen: ownerFen }
}

function floorOfTwo(instance: Instance, lines: readonly number[]): number {
  const { lineCount, have, offers } = instance
  const holding = offers.filter((_, node) => lines.some((line) => have[node * lineCount + line]! > 0))
  return floorOfTwoFen(floorOfTariffs(holding.map(({ tariff }) => tariff)), gramsOf(instance, lines))
}

/**
 * Every unit a digit, but for lines that need not be split: when the whole order is within the weight that every parcel has
 * free, a plan costs what its set of nodes costs; a line of which each node has all or nothing can then be given to any one
 * of the nodes that ship it, and no set grows.
 */
function digitsWithoutLoss(instance: Instance, lines: readonly number[]): Digits {
  const { lineCount, nodeCount, have, need, offers } = instance
  const grams = gramsOf(instance, lines)
  const isWeightFree = offers.every(({ tariff }) => grams <= tariff.firstGrams)
  const unitsPerDigit = lines.map((line) => {
    if (!isWeightFree) return 1
    for (let node = 0; node < nodeCount; node++) {
      const units = have[node * lineCount + line]!
      if (units > 0 && units < need[line]!) return 1
    }
    return need[line]!
  })
  return { lines, unitsPerDigit }
}

/** Lines that some node has whole become one digit, the largest first, until the limits hold. Null: they never do. */
function digitsOfWhole(instance: Instance, { lines, unitsPerDigit }: Digits): Digits | null {
  const { need } = instance
  const digits = { lines, unitsPerDigit: [...unitsPerDigit] }
  for (let at = 0; at < lines.length; at++) {
    if (isWithinLimits(instance, digits)) return digits
    if (need[lines[at]!]! > 1 && isHeldWhole(instance, lines[at]!)) digits.unitsPerDigit[at] = need[lines[at]!]!
  }
  return isWithinLimits(instance, digits) ? digits : null
}

export function judge(instance: Instance, assignment: Assignment): Judged {
  const { costFen, parcels, nearness } = rankOf(instance, assignment)
  let little = 0
  for (let node = 0; node < instance.nodeCount; node++) {
    for (let line = 0; line < instance.lineCount; line++) {
      const units = assignment[node * instance.lineCount + line]!
      if (units > 0) little += littleLeft(instance, node, line, units)
    }
  }
  return { costFen, parcels, little, nearness }
}

/** Below zero: `a` is the better one. */
export function compareJudged(a: Judged, b: Judged): number {
  return a.costFen - b.costFen || a.parcels - b.parcels || a.little - b.little || a.nearness - b.nearness
}

function bestOf(instance: Instance, plans: readonly Assignment[]): Assignment {
  let best = plans[0]!
  let judged = judge(instance, best)
  for (const plan of plans.slice(1)) {
    const other = judge(instance, plan)
    if (compareJudged(other, judged) >= 0) continue
    best = plan
    judged = other
  }
  return best
}
