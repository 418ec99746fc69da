/**
 * What every node of a network charges for a parcel to one point, as a row of small numbers: one per node, an index into
 * the few distinct tariffs. Sourcing walks thousands of nodes per order and reads two numbers of each: which tariff, and
 * what that tariff costs for this order. The row depends on the point only, so a caller can keep it.
 */
import { roundedKm } from '../distance.ts'
import { parcelFenMax, type Tariff, tariffAt, tariffFen } from '../freight.ts'
import type { Node } from '../node.ts'
import type { Point } from '../types.ts'

/** The tariffs of all nodes for one point. */
export interface PointTariffs {
  /** By node index: index into `list`. */
  readonly of: Uint8Array | Uint16Array | Uint32Array
  readonly list: readonly Tariff[]
  readonly floor: TwoParcelFloor
}

/** What two parcels cost at least, whatever nodes send them: see `floorOfTwoFen`. */
export interface TwoParcelFloor {
  /** The lowest price of any parcel, and of a parcel from any other node. At least 0. */
  readonly leastFen: number
  readonly secondFen: number
  /** Of a begun step; 0 where some base is below 0, which pays for steps. */
  readonly stepFenMin: number
  readonly firstGramsMax: number
  readonly stepGramsMax: number
}

export interface TariffBook {
  readonly at: (point: Point) => PointTariffs
}

const radiansPerDegree = Math.PI / 180
const earthRadiusKm = 6371.0088
/** Closer than this to a band's end the exact distance decides. Chords and haversine agree to far less than that. */
const edgeKm = 0.1

/** Nodes of one price list differ by distance only. */
interface PriceClass {
  /** End of each band as the square of a chord on the unit globe: surely inside below `inside`, surely outside above `outside`. */
  readonly inside: readonly number[]
  readonly outside: readonly number[]
  /** Index of the first band's tariff in the list. */
  readonly first: number
}

export function tariffBook(nodes: readonly Node[]): TariffBook {
  const list: Tariff[] = []
  const classes: PriceClass[] = []
  const classOf = new Uint32Array(nodes.length)
  const positions = new Float64Array(nodes.length * 3)
  const known = new Map<string, number>()
  nodes.forEach((node, index) => {
    const text = JSON.stringify([node.freight, node.handlingFen + node.preferenceFen])
    let priceClass = known.get(text)
    if (priceClass === undefined) {
      priceClass = classes.length
      known.set(text, priceClass)
      classes.push(priceClassOf(node, list))
    }
    classOf[index] = priceClass
    positions.set(positionOf(node.point), index * 3)
  })
  return { at: (point) => tariffsAt(nodes, point, { list, classes, classOf, positions }) }
}

interface Book {
  readonly list: readonly Tariff[]
  readonly classes: readonly PriceClass[]
  readonly classOf: Uint32Array
  readonly positions: Float64Array
}

function tariffsAt(nodes: readonly Node[], point: Point, { list, classes, classOf, positions }: Book): PointTariffs {
  const Row = list.length <= 0x100 ? Uint8Array : list.length <= 0x10000 ? Uint16Array : Uint32Array
  const of = new Row(nodes.length)
  const counts = new Uint32Array(list.length)
  const [x, y, z] = positionOf(point)
  for (let index = 0; index < nodes.length; index++) {
    const dx = positions[index * 3]! - x
    const dy = positions[index * 3 + 1]! - y
    const dz = positions[index * 3 + 2]! - z
    const { inside, outside, first } = classes[classOf[index]!]!
    const chord = dx * dx + dy * dy + dz * dz
    let band = 0
    while (band < inside.length && chord > outside[band]!) band++
    let tariff = first + band
    // Too close to the end of a band: the price list's own distance decides.
    if (band < inside.length && chord > inside[band]!) tariff = first + exactBand(nodes[index]!, point)
    of[index] = tariff
    counts[tariff]!++
  }
  return { of, list, floor: floorOf(list, counts) }
}

function exactBand(node: Node, point: Point): number {
  const km = roundedKm(point, node.point)
  const { bands } = node.freight
  for (let band = 0; band < bands.length; band++) if (km <= bands[band]!.kmMax) return band
  return bands.length - 1
}

/** The last band has no end: what is farther than all bands pays its price. */
function priceClassOf(node: Node, list: Tariff[]): PriceClass {
  const { bands } = node.freight
  const first = list.length
  let before = 0
  const inside: number[] = []
  const outside: number[] = []
  for (const [at, band] of bands.entries()) {
    list.push(tariffAt({ ...node, freight: { ...node.freight, bands: [band] } }, 0))
    // A band that ends before the one in front of it is never reached, but for the last.
    before = Math.max(before, band.kmMax)
    if (at === bands.length - 1) break
    inside.push(chordSquared(before - edgeKm))
    outside.push(chordSquared(before + edgeKm))
  }
  // A price list without bands prices nothing: tariffAt says so.
  if (bands.length === 0) tariffAt(node, 0)
  return { inside, outside, first }
}

function chordSquared(km: number): number {
  const half = Math.sin(Math.min(Math.max(km, 0) / earthRadiusKm, Math.PI) / 2)
  return 4 * half * half
}

function floorOf(list: readonly Tariff[], counts: Uint32Array): TwoParcelFloor {
  let leastFen = Number.POSITIVE_INFINITY
  let secondFen = Number.POSITIVE_INFINITY
  let stepFenMin = Number.POSITIVE_INFINITY
  let firstGramsMax = 0
  let stepGramsMax = 0
  for (let tariff = 0; tariff < list.length; tariff++) {
    if (counts[tariff] === 0) continue
    const { baseFen, stepFen, firstGrams, stepGrams } = list[tariff]!
    const fen = tariffFen(list[tariff]!, 0)
    if (fen < leastFen) {
      secondFen = counts[tariff]! > 1 ? fen : leastFen
      leastFen = fen
    } else if (fen < secondFen) secondFen = fen
    stepFenMin = Math.min(stepFenMin, baseFen < 0 ? 0 : stepFen)
    firstGramsMax = Math.max(firstGramsMax, firstGrams)
    stepGramsMax = Math.max(stepGramsMax, stepGrams)
  }
  return { leastFen, secondFen, stepFenMin, firstGramsMax, stepGramsMax }
}

/** The floor over tariffs that are given one by one, one per node. */
export function floorOfTariffs(tariffs: readonly Tariff[]): TwoParcelFloor {
  return floorOf(tariffs, new Uint32Array(tariffs.length).fill(1))
}

/**
 * No plan of two or more parcels that together weigh `grams` costs less. Each parcel costs at least its base, no two come
 * from one node, and all begun steps together are at least those of the weight that is above what two parcels carry free.
 * A third parcel carries more free, but costs at least the lowest base: that is no gain where the lowest base is worth the
 * steps it saves. Elsewhere only the bases count.
 */
export function floorOfTwoFen(floor: TwoParcelFloor, grams: number): number {
  const { leastFen, secondFen, stepFenMin, firstGramsMax, stepGramsMax } = floor
  if (secondFen === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  const basesFen = leastFen + secondFen
  const over = Math.min(grams, 1e9) - 2 * firstGramsMax
  if (over <= 0 || leastFen < stepFenMin * Math.ceil(firstGramsMax / stepGramsMax)) return basesFen
  // A parcel's price has a ceiling, whatever its steps.
  return Math.min(basesFen + stepFenMin * Math.ceil(over / stepGramsMax), Math.max(basesFen, parcelFenMax))
}

function positionOf({ lat, lng }: Point): readonly [x: number, y: number, z: number] {
  const [latitude, longitude] = [lat * radiansPerDegree, lng * radiansPerDegree]
  const x = Math.cos(latitude) * Math.cos(longitude)
  return [x, Math.cos(latitude) * Math.sin(longitude), Math.sin(latitude)]
}
