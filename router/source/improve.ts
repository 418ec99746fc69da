/**
 * Local improvement of a complete plan: moves that keep it complete, each taken only when it makes the plan better
 * (cost, then parcels, then nearness), until none does. Lines that are whole stay whole, unless closing a node
 * leaves no other way.
 */
import { type Tariff, tariffFen } from '../freight.ts'
import { type Assignment, compareRanks, type Instance, type PlanRank } from './instance.ts'
import { addedFen, copyLoad, type Load, loadOf, placeCheapest, put, spare, takeOff } from './load.ts'

/** Each round looks at every move once; plans settle within five. */
const roundsMax = 12
/** Cells (node × line) that trying whole-node moves may touch: under a millisecond, whatever the order's size. */
const cellsMax = 60_000

export function improve(instance: Instance, start: Assignment): Assignment {
  let load = loadOf(instance, start)
  let rank = loadRank(instance, load)
  let cells = 0
  for (let round = 0; round < roundsMax; round++) {
    let changed = moveLines(instance, load)
    if (changed) rank = loadRank(instance, load)
    for (let from = 0; from < instance.nodeCount; from++) {
      // -1: no single node takes over, every line goes to the node where it costs least.
      for (let to = -1; to < instance.nodeCount && load.used[from]; to++) {
        if (to === from || cells > cellsMax) continue
        if (to >= 0 && !shares(instance, load, from, to)) continue
        cells += instance.lineCount * instance.nodeCount
        const trial = copyLoad(load)
        if (!handOver(instance, trial, from, to)) continue
        const trialRank = loadRank(instance, trial)
        if (compareRanks(trialRank, rank) >= 0) continue
        load = trial
        rank = trialRank
        changed = true
      }
    }
    for (let to = 0; to < instance.nodeCount && cells <= cellsMax; to++) {
      cells += instance.lineCount * instance.nodeCount
      const trial = copyLoad(load)
      if (!gather(instance, trial, to)) continue
      moveLines(instance, trial)
      const trialRank = loadRank(instance, trial)
      if (compareRanks(trialRank, rank) >= 0) continue
      load = trial
      rank = trialRank
      changed = true
    }
    if (!changed) break
  }
  return load.assignment
}

function loadRank(instance: Instance, load: Load): PlanRank {
  let costFen = 0
  let parcels = 0
  let nearness = 0
  for (let node = 0; node < instance.nodeCount; node++) {
    if (!load.used[node]) continue
    costFen += tariffFen(instance.offers[node]!.tariff, load.grams[node]!)
    parcels++
    nearness += node
  }
  return { costFen, parcels, nearness }
}

function shares(instance: Instance, load: Load, from: number, to: number): boolean {
  for (let line = 0; line < instance.lineCount; line++) {
    if (load.assignment[from * instance.lineCount + line]! > 0 && spare(instance, load, to, line) > 0) return true
  }
  return false
}

/** Closes `from`: `to` takes what it can, the rest goes where it costs least. False when something finds no place. */
function handOver(instance: Instance, load: Load, from: number, to: number): boolean {
  for (let line = 0; line < instance.lineCount; line++) {
    const units = load.assignment[from * instance.lineCount + line]!
    if (units === 0) continue
    takeOff(instance, load, from, line, units)
    const taken = to < 0 ? 0 : Math.min(units, spare(instance, load, to, line))
    if (taken > 0) put(instance, load, to, line, taken)
    if (taken < units && placeCheapest(instance, load, line, units - taken, from) > 0) return false
  }
  return true
}

/** `to` takes every line over that it has whole. False when there is none. */
function gather(instance: Instance, load: Load, to: number): boolean {
  let any = false
  for (let line = 0; line < instance.lineCount; line++) {
    const at = to * instance.lineCount + line
    const need = instance.need[line]!
    if (need === 0 || instance.have[at]! < need || load.assignment[at]! === need) continue
    for (let from = 0; from < instance.nodeCount; from++) {
      const units = load.assignment[from * instance.lineCount + line]!
      if (units > 0 && from !== to) takeOff(instance, load, from, line, units)
    }
    put(instance, load, to, line, load.left[line]!)
    any = true
  }
  return any
}

/** Moves single lines between nodes while that saves money, or a parcel at the same price. True when any moved. */
function moveLines(instance: Instance, load: Load): boolean {
  const { lineCount, nodeCount } = instance
  let moved = false
  for (let from = 0; from < nodeCount; from++) {
    if (!load.used[from]) continue
    for (let line = 0; line < lineCount; line++) {
      for (let to = 0; to < nodeCount; to++) {
        const here = load.assignment[from * lineCount + line]!
        if (here === 0) break
        if (to === from) continue
        if (moveOne(instance, load, from, to, line, here)) moved = true
      }
    }
  }
  return moved
}

function moveOne(instance: Instance, load: Load, from: number, to: number, line: number, here: number): boolean {
  const room = Math.min(here, spare(instance, load, to, line))
  if (room === 0) return false
  const whole = here === instance.need[line]
  if (
    room === here
      ? tryMove(instance, load, from, to, line, here)
      : !whole && tryMove(instance, load, from, to, line, room)
  ) {
    return true
  }
  if (whole) return false
  // Of a line that is split anyway, just as many units as bring the parcel down a step.
  const few = unitsToStepDown(instance.offers[from]!.tariff, load.grams[from]!, instance.grams[line]!)
  return few > 0 && few < room && tryMove(instance, load, from, to, line, few)
}

function tryMove(instance: Instance, load: Load, from: number, to: number, line: number, units: number): boolean {
  const { tariff } = instance.offers[from]!
  const gramsLeft = load.grams[from]! - units * instance.grams[line]!
  const empties = load.assignment[from * instance.lineCount + line] === units && isOnly(instance, load, from, line)
  const savedFen = tariffFen(tariff, load.grams[from]!) - (empties ? 0 : tariffFen(tariff, gramsLeft))
  const extraFen = addedFen(instance, load, to, line, units)
  const fewerParcels = empties && load.used[to]
  if (extraFen > savedFen || (extraFen === savedFen && !fewerParcels)) return false
  takeOff(instance, load, from, line, units)
  put(instance, load, to, line, units)
  return true
}

function isOnly(instance: Instance, load: Load, node: number, only: number): boolean {
  for (let line = 0; line < instance.lineCount; line++) {
    if (line !== only && load.assignment[node * instance.lineCount + line]! > 0) return false
  }
  return true
}

/** The fewest units whose weight, taken off, saves a begun step; 0 when there is none to save. */
function unitsToStepDown({ firstGrams, stepGrams }: Tariff, grams: number, unitGrams: number): number {
  if (grams <= firstGrams || unitGrams <= 0) return 0
  const over = (grams - firstGrams) % stepGrams || stepGrams
  return Math.ceil(over / unitGrams)
}
