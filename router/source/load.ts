/** A plan under construction: which node ships what, what no node ships yet, and each node's weight, always current. */
import { tariffFen } from '../freight.ts'
import { type Assignment, gramsAt, type Instance, isUsed } from './instance.ts'

export interface Load {
  readonly assignment: Assignment
  /** Units per line that are in no parcel yet. */
  readonly left: number[]
  /** Per node. */
  readonly grams: number[]
  /** Per node: whether it has a parcel; its weight may be zero. */
  readonly used: boolean[]
}

/** An empty plan, or one that goes on from `assignment`, which is copied. */
export function loadOf(instance: Instance, assignment?: Assignment): Load {
  const { lineCount, nodeCount, need } = instance
  if (assignment === undefined) {
    return {
      assignment: new Array<number>(lineCount * nodeCount).fill(0),
      left: [...need],
      grams: new Array<number>(nodeCount).fill(0),
      used: new Array<boolean>(nodeCount).fill(false),
    }
  }
  const load: Load = { assignment: [...assignment], left: [...need], grams: [], used: [] }
  for (let node = 0; node < nodeCount; node++) {
    load.grams.push(gramsAt(instance, assignment, node))
    load.used.push(isUsed(instance, assignment, node))
    for (let line = 0; line < lineCount; line++) load.left[line]! -= assignment[node * lineCount + line]!
  }
  return load
}

export function copyLoad(load: Load): Load {
  return {
    assignment: load.assignment.slice(),
    left: load.left.slice(),
    grams: load.grams.slice(),
    used: load.used.slice(),
  }
}

/** Puts units of a line that are left on a node. The caller knows that it has them. */
export function put(instance: Instance, load: Load, node: number, line: number, units: number): void {
  load.assignment[node * instance.lineCount + line]! += units
  load.left[line]! -= units
  load.grams[node]! += units * instance.grams[line]!
  load.used[node] = true
}

/** Takes units of a line off a node again. */
export function takeOff(instance: Instance, load: Load, node: number, line: number, units: number): void {
  load.assignment[node * instance.lineCount + line]! -= units
  load.left[line]! += units
  load.grams[node]! -= units * instance.grams[line]!
  load.used[node] = isUsed(instance, load.assignment, node)
}

/** Lets a node ship all it has of what is left. Returns the units taken. */
export function takeAll(instance: Instance, load: Load, node: number): number {
  let taken = 0
  for (let line = 0; line < instance.lineCount; line++) {
    const units = Math.min(load.left[line]!, spare(instance, load, node, line))
    if (units <= 0) continue
    put(instance, load, node, line, units)
    taken += units
  }
  return taken
}

/** Units of a line that a node has and does not ship in this plan. */
export function spare(instance: Instance, load: Load, node: number, line: number): number {
  const at = node * instance.lineCount + line
  return instance.have[at]! - load.assignment[at]!
}

/** What `units` more of a line cost on a node; a node's first parcel costs its whole price. */
export function addedFen(instance: Instance, load: Load, node: number, line: number, units: number): number {
  const { tariff } = instance.offers[node]!
  const afterFen = tariffFen(tariff, load.grams[node]! + units * instance.grams[line]!)
  return load.used[node] ? afterFen - tariffFen(tariff, load.grams[node]!) : afterFen
}

/**
 * Places `units` of a line where they cost least: on one node when one has them all, else on the node that takes most
 * of them, and so on. `without` is a node that is not asked (-1: none). Returns the units that found no place.
 */
export function placeCheapest(instance: Instance, load: Load, line: number, units: number, without: number): number {
  let left = units
  while (left > 0) {
    let chosen = -1
    let chosenUnits = 0
    let chosenFen = Number.POSITIVE_INFINITY
    for (let node = 0; node < instance.nodeCount; node++) {
      if (node === without) continue
      const placed = Math.min(left, spare(instance, load, node, line))
      if (placed <= 0 || placed < chosenUnits) continue
      const costFen = addedFen(instance, load, node, line, placed)
      // Among equals one parcel less is better: a node that ships already.
      const better =
        placed > chosenUnits || costFen < chosenFen || (costFen === chosenFen && load.used[node] && !load.used[chosen])
      if (!better) continue
      chosen = node
      chosenUnits = placed
      chosenFen = costFen
    }
    if (chosen < 0) return left
    put(instance, load, chosen, line, chosenUnits)
    left -= chosenUnits
  }
  return 0
}
