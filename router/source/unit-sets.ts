/**
 * Sets of units as numbers: digits, one per line, and the price of each set from a node. ./units finds the best plan over them.
 */
import { parcelFenMax, tariffFen } from '../freight.ts'
import type { Instance } from './instance.ts'

/** Sets of units: 2^12 for twelve lines of one unit. */
export const setsMax = 4_096
/** (set, part of it) pairs that one solution looks at: 3^12 / 2, about a millisecond. */
const pairsMax = 300_000
/** Digits of all lines together, so at most 60 parcels. This bound keeps the parts of the key apart. */
export const digitsMax = 60
/** What a node has left of a line counts up to here: among well filled shelves nearness decides. */
export const leftMax = 255
// 60 digits × 255 are below 2^14, 60 parcels below 2^6; 60 × 10^8 fen × 2^20 is below 2^53.
const leftUnit = 1
const parcelUnit = 16_384 * leftUnit
export const fenUnit = 64 * parcelUnit

/** How lines are counted: the lines that are wanted at all, and of each the units of one digit. */
export interface Digits {
  readonly lines: readonly number[]
  readonly unitsPerDigit: readonly number[]
}

/** Whether that many digits are within the limits. */
export function isWithinLimits(instance: Instance, { lines, unitsPerDigit }: Digits): boolean {
  let sets = 1
  let pairs = 1
  let digits = 0
  for (let at = 0; at < lines.length; at++) {
    const most = instance.need[lines[at]!]! / unitsPerDigit[at]!
    digits += most
    sets *= most + 1
    pairs *= ((most + 1) * (most + 2)) / 2
  }
  return digits <= digitsMax && sets <= setsMax && pairs <= 2 * pairsMax
}

export interface Counting {
  readonly lines: readonly number[]
  readonly unitsPerDigit: readonly number[]
  /** Of each line: its digit when all of it is wanted, and what one of its digits adds to a set's number. */
  readonly most: number[]
  readonly stride: number[]
  readonly full: number
}

/** Rows that pricing a node's sets needs: grams by set; the node's most digits and the present ones by line. */
export interface SetRows {
  readonly weight: Float64Array
  readonly top: Int32Array
  readonly part: Int32Array
}

export function countingOf(instance: Instance, { lines, unitsPerDigit }: Digits): Counting {
  const most = lines.map((line, at) => instance.need[line]! / unitsPerDigit[at]!)
  const stride: number[] = []
  let sets = 1
  for (const digit of most) {
    stride.push(sets)
    sets *= digit + 1
  }
  return { lines, unitsPerDigit, most, stride, full: sets - 1 }
}

export function weigh(
  instance: Instance,
  { lines, unitsPerDigit, most, stride }: Counting,
  weight: Float64Array,
): void {
  weight[0] = 0
  for (let at = 0; at < lines.length; at++) {
    const grams = instance.grams[lines[at]!]! * unitsPerDigit[at]!
    const known = stride[at]!
    for (let set = known; set < known * (most[at]! + 1); set++) weight[set] = weight[set - known]! + grams
  }
}

/** The digits of each line that a node can ship, in `top`. Returns whether there are any. */
export function digitsAt(
  instance: Instance,
  { lines, unitsPerDigit }: Counting,
  node: number,
  top: Int32Array,
): boolean {
  let any = false
  for (let at = 0; at < lines.length; at++) {
    const digit = Math.floor(instance.have[node * instance.lineCount + lines[at]!]! / unitsPerDigit[at]!)
    top[at] = digit
    if (digit > 0) any = true
  }
  return any
}

/** Every set that `top` holds but the empty one, with the key of a parcel of it from the node. */
export function forEachSet(
  instance: Instance,
  { lines, unitsPerDigit, stride }: Counting,
  { weight, top, part }: SetRows,
  node: number,
  take: (set: number, key: number) => void,
): void {
  const { tariff } = instance.offers[node]!
  const count = lines.length
  part.fill(0, 0, count)
  let set = 0
  let little = 0
  for (;;) {
    let at = 0
    while (at < count && part[at] === top[at]) {
      if (part[at]! > 0) little -= littleLeft(instance, node, lines[at]!, part[at]! * unitsPerDigit[at]!)
      set -= part[at]! * stride[at]!
      part[at] = 0
      at++
    }
    if (at === count) return
    if (part[at]! > 0) little -= littleLeft(instance, node, lines[at]!, part[at]! * unitsPerDigit[at]!)
    part[at]!++
    set += stride[at]!
    little += littleLeft(instance, node, lines[at]!, part[at]! * unitsPerDigit[at]!)
    take(set, keyOf(tariffFen(tariff, weight[set]!), little))
  }
}

/** How far below `leftMax` the node's rest of a line is, once it shipped `units`: 0 where plenty is left. */
export function littleLeft(instance: Instance, node: number, line: number, units: number): number {
  const left = Math.floor(instance.offers[node]!.available[line]!) - units
  return left >= leftMax ? 0 : leftMax - left
}

function keyOf(costFen: number, little: number): number {
  return Math.min(costFen, parcelFenMax) * fenUnit + parcelUnit + little * leftUnit
}
