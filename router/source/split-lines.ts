/**
 * Lines that no node has whole: which nodes bring how many units. Looks at small covers (sets of nodes that have enough
 * together, and none to spare of itself) for one line after the other, keeps the few cheapest combinations, and lets
 * the whole lines be placed exactly on top of each. That is a search, not a proof: plans made here are `heuristic`, but
 * for lines of which every unit there is must be shipped, where there is nothing to choose.
 */
import { tariffFen } from '../freight.ts'
import { compareRanks, type Instance } from './instance.ts'
import { addedFen, copyLoad, type Load, loadOf, put } from './load.ts'

/** Combinations that are carried from line to line; each costs one exact placement of the whole lines in the end. */
const combinationsMax = 6
/** Covers looked at per line and combination: all pairs of 20 nodes and the first few hundred triples. */
const coversMax = 500

export interface Pieces {
  /** Partial plans that ship all split lines, best first. */
  readonly loads: readonly Load[]
  /** False: every unit of the split lines has to be shipped, so there was only one way. */
  readonly chosen: boolean
}

export function piecesOf(instance: Instance, splitLines: readonly number[]): Pieces {
  let loads = [loadOf(instance)]
  let chosen = false
  // What leaves no choice first: the nodes it opens are where the others look.
  const tight = splitLines.filter((line) => totalOf(instance, line) === instance.need[line])
  for (const line of tight) takeEverything(instance, loads[0]!, line)
  for (const line of splitLines) {
    if (tight.includes(line)) continue
    chosen = true
    loads = extend(instance, loads, line)
  }
  return { loads, chosen }
}

function totalOf(instance: Instance, line: number): number {
  let total = 0
  for (let node = 0; node < instance.nodeCount; node++) total += instance.have[node * instance.lineCount + line]!
  return total
}

function takeEverything(instance: Instance, load: Load, line: number): void {
  for (let node = 0; node < instance.nodeCount; node++) {
    const units = instance.have[node * instance.lineCount + line]!
    if (units > 0) put(instance, load, node, line, units)
  }
}

interface Option {
  readonly load: Load
  readonly cover: readonly number[]
  /** Which of the cover's nodes gives up what is too much. */
  readonly slackAt: number
  readonly costFen: number
  readonly parcels: number
  readonly nearness: number
}

function extend(instance: Instance, loads: readonly Load[], line: number): Load[] {
  const covers = coversOf(instance, line)
  const options: Option[] = []
  for (const load of loads) {
    let beforeFen = 0
    for (const node of load.used.keys())
      if (load.used[node]) beforeFen += tariffFen(instance.offers[node]!.tariff, load.grams[node]!)
    for (const cover of covers) {
      for (let slackAt = 0; slackAt < cover.length; slackAt++) {
        let costFen = beforeFen
        let parcels = 0
        let nearness = 0
        for (const { node, units } of unitsOfCover(instance, line, cover, slackAt)) {
          costFen += addedFen(instance, load, node, line, units)
          if (load.used[node]) continue
          parcels++
          nearness += node
        }
        options.push({ load, cover, slackAt, costFen, parcels, nearness })
      }
    }
  }
  options.sort(compareRanks)
  return options.slice(0, combinationsMax).map(({ load, cover, slackAt }) => {
    const extended = copyLoad(load)
    for (const { node, units } of unitsOfCover(instance, line, cover, slackAt))
      put(instance, extended, node, line, units)
    return extended
  })
}

/** Every node of the cover gives all its units, except the one at `slackAt`, which keeps what would be too much. */
function unitsOfCover(instance: Instance, line: number, cover: readonly number[], slackAt: number) {
  let slack = -instance.need[line]!
  for (const node of cover) slack += instance.have[node * instance.lineCount + line]!
  return cover.map((node, index) => ({
    node,
    units: instance.have[node * instance.lineCount + line]! - (index === slackAt ? slack : 0),
  }))
}

/** Covers of which no node can be left out, small ones first; always at least one. */
function coversOf(instance: Instance, line: number): number[][] {
  const { lineCount, nodeCount, have } = instance
  const need = instance.need[line]!
  const unitsAt = (node: number) => have[node * lineCount + line]!
  const holders: number[] = []
  for (let node = 0; node < nodeCount; node++) if (unitsAt(node) > 0) holders.push(node)
  const biggestFirst = [...holders].sort((a, b) => unitsAt(b) - unitsAt(a) || a - b)
  // Nearest first and biggest first: found whatever the size.
  const covers = [minimal(holders, unitsAt, need), minimal(biggestFirst, unitsAt, need)]
  const smallest = covers[1]!.length
  let left = coversMax
  const search = (from: number, cover: number[], units: number, size: number) => {
    for (let index = from; index < holders.length && left > 0; index++) {
      const node = holders[index]!
      const sum = units + unitsAt(node)
      cover.push(node)
      if (sum >= need) {
        left--
        if (cover.every((each) => sum - unitsAt(each) < need)) covers.push([...cover])
      } else if (cover.length < size) {
        left--
        search(index + 1, cover, sum, size)
      }
      cover.pop()
    }
  }
  if (smallest <= 4) search(0, [], 0, smallest + 1)
  return covers
}

/** Takes holders in the given order until there is enough, then drops those that are not needed after all. */
function minimal(order: readonly number[], unitsAt: (node: number) => number, need: number): number[] {
  const cover: number[] = []
  let sum = 0
  for (const node of order) {
    if (sum >= need) break
    cover.push(node)
    sum += unitsAt(node)
  }
  const kept: number[] = []
  for (const node of cover) {
    if (sum - unitsAt(node) >= need) sum -= unitsAt(node)
    else kept.push(node)
  }
  return kept
}
