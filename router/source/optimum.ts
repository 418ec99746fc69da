/**
 * The cheapest way to ship lines whole, each from one node, exactly.
 *
 * A parcel's cost is not a sum over its lines (weight steps are rounded up per parcel), so it is a function of (node,
 * set of lines), and sets are bit masks. Two ideas keep that fast:
 *
 * 1. Where the base price covers the weight that every parcel has free, two parcels of a node never cost less than
 *    one (`mergesWell`; every ordinary price list does). Among such nodes only the cheapest per set matters, and the
 *    best partition of a mask is the best parcel with the mask's lowest line plus the best partition of the rest:
 *    3^lines / 2 steps, whatever the number of nodes. It cannot use a node twice and win.
 * 2. Every other node, and every node that ships something already (`pinnedGrams`: parts of split lines, on which
 *    further lines may ride in the same begun step), gets a pass of its own over all masks: 3^lines steps each.
 *
 * Plans are compared by one number: cost, then parcels, then nearness, in digits that cannot run into each other.
 */
import { begunSteps, parcelFenMax, type Tariff, tariffFen } from '../freight.ts'
import type { Instance } from './instance.ts'
import { gramsOfLine, hasWhole, singleOwner } from './single-owner.ts'

/** 3^12 / 2 is a quarter of a million steps, under a millisecond; every line more would triple it. */
export const exactLinesMax = 12
/** Nearness has ten binary digits below: 12 parcels × 64 nodes fit. */
export const exactNodesMax = 64
/** Nodes with a pass of their own; 20 passes over 12 lines are some ten million steps. */
export const exactPassesMax = 20

const parcelUnit = 1024
/** 12 parcels of at most parcelFenMax (10^8) are below 2^31: times 2^14, exact in a double. */
const fenUnit = 16 * parcelUnit

const masks = 1 << exactLinesMax
/** Scratch, made when first needed and overwritten by every call. */
interface Scratch {
  readonly weight: Float64Array
  readonly steps: Float64Array
  readonly parcelKey: Float64Array
  readonly parcelNode: Uint8Array
  readonly bestKey: Float64Array
  readonly bestParcel: Uint16Array
  readonly passKey: Float64Array
  readonly passParcel: Uint16Array
}
let scratchMade: Scratch | undefined

function makeScratch(): Scratch {
  return {
    weight: new Float64Array(masks),
    steps: new Float64Array(masks),
    parcelKey: new Float64Array(masks),
    parcelNode: new Uint8Array(masks),
    bestKey: new Float64Array(masks),
    bestParcel: new Uint16Array(masks),
    passKey: new Float64Array(masks),
    passParcel: new Uint16Array(masks * exactPassesMax),
  }
}

/**
 * Gives each of `lines` (indexes; every one held whole by some node) to a node: `owners[i]` ships `lines[i]`. Returns
 * null when the limits above are exceeded. `pinnedGrams` per node: what it ships already, -1: nothing; null: nothing anywhere.
 */
export function cheapestOwners(
  instance: Instance,
  lines: readonly number[],
  pinnedGrams: readonly number[] | null,
): number[] | null {
  const count = lines.length
  if (count === 0) return []
  if (pinnedGrams === null) {
    // Proves itself at any size.
    const node = singleOwner(instance, lines)
    if (node >= 0) return new Array<number>(count).fill(node)
  }
  if (count > exactLinesMax || instance.nodeCount > exactNodesMax) return null

  scratchMade ??= makeScratch()
  const scratch = scratchMade
  const full = (1 << count) - 1
  weigh(instance, lines, scratch.weight)
  scratch.parcelKey.fill(Number.POSITIVE_INFINITY, 0, full + 1)
  const passNodes: number[] = []
  const passMasks: number[] = []
  let stepsOf: Tariff | null = null
  for (let node = 0; node < instance.nodeCount; node++) {
    const whole = wholeMask(instance, lines, node)
    if (whole === 0) continue
    const { tariff } = instance.offers[node]!
    if ((pinnedGrams?.[node] ?? -1) >= 0 || !mergesWell(tariff)) {
      passNodes.push(node)
      passMasks.push(whole)
      continue
    }
    // Nodes mostly share one way of counting steps: counted once, reused for all of them.
    if (stepsOf?.firstGrams !== tariff.firstGrams || stepsOf.stepGrams !== tariff.stepGrams) {
      countSteps(scratch, full, tariff)
      stepsOf = tariff
    }
    offerParcels(scratch, whole, tariff, node)
  }
  if (passNodes.length > exactPassesMax) return null

  partition(scratch, full, passNodes.length === 0)
  for (let pass = 0; pass < passNodes.length; pass++) {
    const node = passNodes[pass]!
    priceOnTop(scratch, passMasks[pass]!, instance.offers[node]!.tariff, node, pinnedGrams?.[node] ?? -1)
    passOver(scratch, full, passMasks[pass]!, pass, pass === passNodes.length - 1)
  }
  return ownersOf(scratch, count, passNodes)
}

function wholeMask(instance: Instance, lines: readonly number[], node: number): number {
  let mask = 0
  for (let bit = 0; bit < lines.length; bit++) if (hasWhole(instance, node, lines[bit]!)) mask |= 1 << bit
  return mask
}

/**
 * Never more for one parcel than for two: what the second would have had free costs at most the base price saved.
 * Holds for the rounded-up steps, the floor at zero (the base is none below it) and the ceiling of a parcel's price.
 */
export function mergesWell(tariff: Tariff): boolean {
  return tariff.baseFen >= tariff.stepFen * Math.ceil(tariff.firstGrams / tariff.stepGrams)
}

/** Grams of every set of lines. */
function weigh(instance: Instance, lines: readonly number[], weight: Float64Array): void {
  weight[0] = 0
  for (let bit = 0; bit < lines.length; bit++) {
    const grams = gramsOfLine(instance, lines[bit]!)
    const top = 1 << bit
    for (let mask = 0; mask < top; mask++) weight[top | mask] = weight[mask]! + grams
  }
}

function countSteps({ weight, steps }: Scratch, full: number, { firstGrams, stepGrams }: Tariff): void {
  for (let mask = 1; mask <= full; mask++) steps[mask] = begunSteps(weight[mask]!, firstGrams, stepGrams)
}

/** The cheapest node per set of lines, nearer ones first: `node` makes its offer for every set that it holds. */
function offerParcels({ steps, parcelKey, parcelNode }: Scratch, whole: number, tariff: Tariff, node: number): void {
  const { baseFen, stepFen } = tariff
  for (let set = whole; set > 0; set = (set - 1) & whole) {
    const key = keyOf(baseFen + stepFen * steps[set]!, node)
    if (key < parcelKey[set]!) {
      parcelKey[set] = key
      parcelNode[set] = node
    }
  }
}

/** Price of a parcel (before floor and ceiling) and its node's place, in one number. */
function keyOf(costFen: number, node: number): number {
  const fen = costFen <= 0 ? 0 : Math.min(costFen, parcelFenMax)
  return fen * fenUnit + parcelUnit + node
}

/** Best partition of every mask. When nothing comes after, only the full mask and masks without line 0 are asked for. */
function partition({ parcelKey, bestKey, bestParcel }: Scratch, full: number, last: boolean): void {
  bestKey[0] = 0
  for (let mask = 1; mask <= full; mask++) {
    if (last && (mask & 1) === 1 && mask !== full) continue
    const low = mask & -mask
    const rest = mask ^ low
    let best = Number.POSITIVE_INFINITY
    let chosen = 0
    for (let companions = rest; ; companions = (companions - 1) & rest) {
      const key = parcelKey[low | companions]! + bestKey[rest ^ companions]!
      if (key < best) {
        best = key
        chosen = low | companions
      }
      if (companions === 0) break
    }
    bestKey[mask] = best
    bestParcel[mask] = chosen
  }
}

/** What each set costs on top of what the node ships already; nothing for the empty set. */
function priceOnTop({ weight, passKey }: Scratch, whole: number, tariff: Tariff, node: number, pinned: number): void {
  passKey[0] = 0
  if (pinned < 0) {
    for (let set = whole; set > 0; set = (set - 1) & whole) {
      passKey[set] = tariffFen(tariff, weight[set]!) * fenUnit + parcelUnit + node
    }
    return
  }
  const pinnedFen = tariffFen(tariff, pinned)
  for (let set = whole; set > 0; set = (set - 1) & whole) {
    passKey[set] = (tariffFen(tariff, pinned + weight[set]!) - pinnedFen) * fenUnit
  }
}

/** Lets one node take any set from any mask. Masks descend, so what is read belongs to the nodes before. */
function passOver(scratch: Scratch, full: number, whole: number, pass: number, last: boolean): void {
  const { bestKey, passKey, passParcel } = scratch
  const from = pass * masks
  for (let mask = full; mask >= 0; mask--) {
    if (last && mask !== full) break
    const within = mask & whole
    let best = bestKey[mask]!
    let chosen = 0
    for (let set = within; set > 0; set = (set - 1) & within) {
      const key = passKey[set]! + bestKey[mask ^ set]!
      if (key < best) {
        best = key
        chosen = set
      }
    }
    bestKey[mask] = best
    passParcel[from + mask] = chosen
  }
}

function ownersOf(scratch: Scratch, count: number, passNodes: readonly number[]): number[] {
  const owners = new Array<number>(count).fill(-1)
  let mask = (1 << count) - 1
  const give = (set: number, node: number) => {
    for (let bit = 0; bit < count; bit++) if (set & (1 << bit)) owners[bit] = node
    mask ^= set
  }
  for (let pass = passNodes.length - 1; pass >= 0; pass--)
    give(scratch.passParcel[pass * masks + mask]!, passNodes[pass]!)
  while (mask !== 0) {
    const parcel = scratch.bestParcel[mask]!
    if (parcel === 0) throw new Error('a line that no node has whole was to be shipped whole')
    give(parcel, scratch.parcelNode[parcel]!)
  }
  return owners
}
