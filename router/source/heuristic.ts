/**
 * A good plan where the exact way would take too long (many lines, many nodes) or does not apply (quantities that no
 * node has whole). Ships everything that is there, always: it starts from complete plans and only ever moves units.
 *
 * Deterministic: no clock, no chance; what bounds it is a count of steps.
 */
import { tariffFen } from '../freight.ts'
import { improve } from './improve.ts'
import { type Assignment, compareRanks, type Instance, type PlanRank, rankOf } from './instance.ts'
import { type Load, loadOf, placeCheapest, takeAll } from './load.ts'

/** Starts that are improved; more of them found nothing better often enough to pay for itself. */
const startsMax = 2
/** Nodes that a start is built around: the nearest ones. All the usual candidates, and a bound for odd networks. */
const seedsMax = 20

/** The best of several improved starts, and of `known` plans, which are improved as well. */
export function goodAssignment(instance: Instance, known: readonly Assignment[]): Assignment {
  const starts = startsOf(instance)
  let best: Assignment | null = null
  let bestRank: PlanRank | null = null
  for (const start of [...known, ...starts]) {
    const improved = improve(instance, start)
    const rank = rankOf(instance, improved)
    if (bestRank === null || compareRanks(rank, bestRank) < 0) {
      best = improved
      bestRank = rank
    }
  }
  if (best === null) throw new Error('there is always a start')
  return best
}

/**
 * Complete plans, best first. One gives each line to the node where it is cheapest. The others choose again and again
 * the node that ships most for its price: one from the start, the rest after one near node ships all it has.
 */
function startsOf(instance: Instance): Assignment[] {
  const starts: { assignment: Assignment; rank: PlanRank }[] = []
  const add = (load: Load) => starts.push({ assignment: load.assignment, rank: rankOf(instance, load.assignment) })
  const byScarcity = linesByScarcity(instance)
  const bare = loadOf(instance)
  fillLineByLine(instance, bare, byScarcity)
  add(bare)
  const covered = loadOf(instance)
  fillByCoverage(instance, covered)
  add(covered)
  for (let node = 0; node < Math.min(instance.nodeCount, seedsMax); node++) {
    const seeded = loadOf(instance)
    if (takeAll(instance, seeded, node) === 0) continue
    fillByCoverage(instance, seeded)
    add(seeded)
  }
  starts.sort((a, b) => compareRanks(a.rank, b.rank))
  return distinct(starts.map((start) => start.assignment)).slice(0, startsMax)
}

function distinct(assignments: Assignment[]): Assignment[] {
  const seen = new Set<string>()
  return assignments.filter((assignment) => {
    const key = assignment.join()
    return !seen.has(key) && seen.add(key)
  })
}

/** Lines that few nodes hold first: they leave no choice, and what they open the others can use. */
function linesByScarcity(instance: Instance): number[] {
  const { lineCount, nodeCount, have, need, grams } = instance
  const holders: number[] = []
  for (let line = 0; line < lineCount; line++) {
    let count = 0
    for (let node = 0; node < nodeCount; node++) if (have[node * lineCount + line]! > 0) count++
    holders.push(count)
  }
  const weight = (line: number) => need[line]! * grams[line]!
  return holders.map((_, line) => line).sort((a, b) => holders[a]! - holders[b]! || weight(b) - weight(a) || a - b)
}

function fillLineByLine(instance: Instance, load: Load, order: readonly number[]): void {
  for (const line of order) placeCheapest(instance, load, line, load.left[line]!, -1)
}

/** Again and again the node with the lowest price per covered share of the lines that are left. */
function fillByCoverage(instance: Instance, load: Load): void {
  const { lineCount, nodeCount, have, need, grams } = instance
  for (;;) {
    let chosen = -1
    let chosenPrice = Number.POSITIVE_INFINITY
    for (let node = 0; node < nodeCount; node++) {
      let share = 0
      let added = 0
      for (let line = 0; line < lineCount; line++) {
        const at = node * lineCount + line
        const units = Math.min(load.left[line]!, have[at]! - load.assignment[at]!)
        if (units <= 0) continue
        share += units / need[line]!
        added += units * grams[line]!
      }
      if (share === 0) continue
      const { tariff } = instance.offers[node]!
      const beforeFen = load.used[node] ? tariffFen(tariff, load.grams[node]!) : 0
      const price = (tariffFen(tariff, load.grams[node]! + added) - beforeFen + 1) / share
      if (price < chosenPrice) {
        chosen = node
        chosenPrice = price
      }
    }
    if (chosen < 0) return
    takeAll(instance, load, chosen)
  }
}
