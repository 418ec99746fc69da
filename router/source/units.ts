/**
 * The best plan by dynamic programming over units: exact, lines split over nodes in any way included.
 *
 * A parcel's cost is a function of (node, units of each line). Sets of units are counted in digits, one per line: a digit
 * is one unit, or the whole line where the line is not to be split. Three ideas keep that exact and fast:
 *
 * 1. For every set, only the best node that holds it matters: by cost, then by what it has left, then the nearest. A node
 *    that is best for no set is in no best plan. So thousands of nodes come down to one per set.
 * 2. The best plan for a set is the best parcel with some of the set's highest line, plus the best plan for the rest. This
 *    is a relaxation: a node may be used twice in it, where one parcel would be dearer or more than the node has. Its
 *    cost is a lower bound, and where no node is used twice it is the optimum.
 * 3. A node that was used twice leaves the pool and gets a pass of its own, in which it takes one set at most. The relaxation
 *    is solved again until no node of the pool is used twice.
 *
 * Plans are compared by one number: cost, then parcels, then how little is left, in digits that cannot run into each other.
 */
import type { Assignment, Instance } from './instance.ts'
import {
  type Counting,
  countingOf,
  type Digits,
  digitsAt,
  digitsMax,
  fenUnit,
  forEachSet,
  type SetRows,
  setsMax,
  weigh,
} from './unit-sets.ts'

/** Nodes with a pass of their own. Ordinary price lists need none for whole lines and one or two for thin shelves. */
const passesMax = 12
/** All passes of all rounds together. */
const passPairsMax = 3_000_000

export interface UnitsPlan {
  /** Null: more nodes needed a pass than there may be. */
  readonly assignment: Assignment | null
  /** No plan with these digits costs less. */
  readonly boundFen: number
}

interface Scratch extends SetRows {
  readonly parcelKey: Float64Array
  readonly parcelNode: Uint16Array
  readonly bestKey: Float64Array
  readonly bestParcel: Uint16Array
  readonly passKey: Float64Array
  readonly passParcel: Uint16Array
}
let scratchMade: Scratch | undefined

function makeScratch(): Scratch {
  return {
    weight: new Float64Array(setsMax),
    parcelKey: new Float64Array(setsMax),
    parcelNode: new Uint16Array(setsMax),
    bestKey: new Float64Array(setsMax),
    bestParcel: new Uint16Array(setsMax),
    passKey: new Float64Array(setsMax),
    passParcel: new Uint16Array(setsMax * passesMax),
    top: new Int32Array(digitsMax),
    part: new Int32Array(digitsMax),
  }
}

/** The best plan that ships every line's need, in digits that are within the limits. Throws when a line cannot be shipped so. */
export function bestOverUnits(instance: Instance, digits: Digits): UnitsPlan {
  const counting = countingOf(instance, digits)
  scratchMade ??= makeScratch()
  const scratch = scratchMade
  weigh(instance, counting, scratch.weight)
  const passNodes: number[] = []
  let boundFen = 0
  for (let spent = 0; ; ) {
    offerAll(instance, counting, scratch, passNodes)
    partition(counting, scratch, passNodes.length === 0)
    for (let pass = 0; pass < passNodes.length; pass++) {
      priceSets(instance, counting, scratch, passNodes[pass]!)
      spent += passOver(instance, counting, scratch, passNodes[pass]!, pass, pass === passNodes.length - 1)
    }
    const key = scratch.bestKey[counting.full]!
    if (key === Number.POSITIVE_INFINITY) throw new Error('a line was to be shipped in a way that no nodes can')
    boundFen = Math.floor(key / fenUnit)
    const { assignment, twice } = read(instance, counting, scratch, passNodes)
    if (twice.length === 0) return { assignment, boundFen }
    if (passNodes.length + twice.length > passesMax || spent > passPairsMax) return { assignment: null, boundFen }
    passNodes.push(...twice)
  }
}

function offerAll(instance: Instance, counting: Counting, scratch: Scratch, without: readonly number[]): void {
  scratch.parcelKey.fill(Number.POSITIVE_INFINITY, 0, counting.full + 1)
  for (let node = 0; node < instance.nodeCount; node++) {
    if (without.includes(node) || !digitsAt(instance, counting, node, scratch.top)) continue
    const { parcelKey, parcelNode } = scratch
    forEachSet(instance, counting, scratch, node, (set, key) => {
      // Nodes come nearest first: of equals the first stays.
      if (key >= parcelKey[set]!) return
      parcelKey[set] = key
      parcelNode[set] = node
    })
  }
}

function priceSets(instance: Instance, counting: Counting, scratch: Scratch, node: number): void {
  digitsAt(instance, counting, node, scratch.top)
  const { passKey } = scratch
  passKey[0] = 0
  forEachSet(instance, counting, scratch, node, (set, key) => {
    passKey[set] = key
  })
}

/**
 * The best plan of every set. When no pass comes after, what is asked for is the full set and what is left of it behind
 * a parcel with the highest line's units: a last line of one digit is then in the full set only.
 */
function partition(counting: Counting, scratch: Scratch, last: boolean): void {
  const { most, stride, full } = counting
  const { parcelKey, bestKey, bestParcel, top, part } = scratch
  const count = most.length
  const skipFrom = last && most[count - 1] === 1 ? stride[count - 1]! : full + 1
  const areSets = most.every((digit) => digit === 1)
  top.fill(0, 0, count)
  bestKey[0] = 0
  let highest = 0
  for (let set = 1; set <= full; set++) {
    let at = 0
    while (top[at] === most[at]) top[at++] = 0
    top[at]!++
    if (at > highest) highest = at
    if (set >= skipFrom && set !== full) continue
    const lead = stride[highest]!
    let best = Number.POSITIVE_INFINITY
    let chosen = 0
    if (areSets) {
      const rest = set ^ lead
      for (let companions = rest; ; companions = (companions - 1) & rest) {
        const key = parcelKey[lead | companions]! + bestKey[rest ^ companions]!
        if (key < best) {
          best = key
          chosen = lead | companions
        }
        if (companions === 0) break
      }
    } else {
      part.fill(0, 0, count)
      part[highest] = 1
      for (let taken = lead; ; ) {
        const key = parcelKey[taken]! + bestKey[set - taken]!
        if (key < best) {
          best = key
          chosen = taken
        }
        let next = 0
        while (next < highest && part[next] === top[next]) {
          taken -= part[next]! * stride[next]!
          part[next++] = 0
        }
        if (part[next] === top[next]) break
        part[next]!++
        taken += stride[next]!
      }
    }
    bestKey[set] = best
    bestParcel[set] = chosen
  }
}

/** Lets one node take one part of any set. Sets descend, so what is read belongs to the nodes before. Returns pairs looked at. */
function passOver(
  instance: Instance,
  counting: Counting,
  scratch: Scratch,
  node: number,
  pass: number,
  last: boolean,
): number {
  const { most, stride, full } = counting
  const { bestKey, passKey, passParcel, top, part } = scratch
  const count = most.length
  const own = new Int32Array(count)
  digitsAt(instance, counting, node, own)
  for (let at = 0; at < count; at++) top[at] = most[at]!
  let pairs = 0
  for (let set = full; set >= 0; set--) {
    let best = bestKey[set]!
    let chosen = 0
    part.fill(0, 0, count)
    for (let taken = 0; ; pairs++) {
      let next = 0
      while (next < count && part[next]! >= Math.min(top[next]!, own[next]!)) {
        taken -= part[next]! * stride[next]!
        part[next++] = 0
      }
      if (next === count) break
      part[next]!++
      taken += stride[next]!
      const key = passKey[taken]! + bestKey[set - taken]!
      if (key < best) {
        best = key
        chosen = taken
      }
    }
    bestKey[set] = best
    passParcel[pass * setsMax + set] = chosen
    if (last) break
    let at = 0
    while (at < count && top[at] === 0) top[at] = most[at++]!
    if (at < count) top[at]!--
  }
  return pairs
}

/** The plan that the tables say, and the nodes of the pool that it uses more than once. */
function read(instance: Instance, counting: Counting, scratch: Scratch, passNodes: readonly number[]) {
  const { lines, unitsPerDigit, stride, most, full } = counting
  const assignment: Assignment = new Array<number>(instance.lineCount * instance.nodeCount).fill(0)
  const give = (set: number, node: number) => {
    for (let at = 0; at < lines.length; at++) {
      const digit = Math.floor(set / stride[at]!) % (most[at]! + 1)
      assignment[node * instance.lineCount + lines[at]!]! += digit * unitsPerDigit[at]!
    }
  }
  let set = full
  for (let pass = passNodes.length - 1; pass >= 0; pass--) {
    const taken = scratch.passParcel[pass * setsMax + set]!
    give(taken, passNodes[pass]!)
    set -= taken
  }
  const used = new Set<number>()
  const twice = new Set<number>()
  while (set !== 0) {
    const parcel = scratch.bestParcel[set]!
    const node = scratch.parcelNode[parcel]!
    if (used.has(node)) twice.add(node)
    used.add(node)
    give(parcel, node)
    set -= parcel
  }
  return { assignment, twice: [...twice] }
}
