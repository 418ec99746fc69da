/**
 * The nearest nodes of a point and what every node charges to it: exact, by great circles; equally far nodes in the order of
 * their indexes. Receivers' points are the middles of districts, so the same ones are asked for all day: what was found for a
 * point is kept.
 */
import Flatbush from 'flatbush'
import { around } from 'geoflatbush'
import { haversineKm, roundedKm } from '../../router/distance.ts'
import type { Node } from '../../router/node.ts'
import type { Nearest, Network } from '../../router/source/network.ts'
import { type PointTariffs, tariffBook } from '../../router/source/tariffs.ts'
import type { Point } from '../../router/types.ts'

/** A trace shows fewer; most distances that an order asks for are among so many. */
const listed = 64
/** The tree rounds distances at the sixteenth digit: who of two that are as good as equally far is in, it does not know. */
const treeErrorKm = 0.01
/** A country's districts are some 3,000. */
const pointsMax = 8_192
/** What is kept of tariffs in one thread: a byte a node and point, so 3,200 points at 10,000 nodes. */
const tariffBytesMax = 32 * 1024 * 1024

export interface NearestNodes {
  readonly nearest: Nearest
  /** Of any node; see roundedKm. */
  readonly kmTo: (point: Point, node: number) => number
  readonly tariffsAt: Network['tariffsAt']
}

/** What is kept of a point. */
interface Kept {
  readonly list: Int32Array
  /** To each of the list, once somebody asked; not a number before. */
  readonly kms: Float64Array
  readonly tariffs: PointTariffs
}

export function nearestOf(nodes: readonly Node[]): NearestNodes {
  const listFor = listsOf(nodes)
  const book = tariffBook(nodes)
  const kept = keeping((point: Point): Kept => {
    const list = listFor(point)
    return { list, kms: new Float64Array(list.length).fill(Number.NaN), tariffs: book.at(point) }
  }, pointsWithin(nodes.length))
  return {
    nearest: (point, count) => kept(point).list.subarray(0, count),
    kmTo: (point, node) => {
      const { list, kms } = kept(point)
      const at = list.indexOf(node)
      if (at === -1) return roundedKm(point, nodes[node]!.point)
      if (Number.isNaN(kms[at]!)) kms[at] = roundedKm(point, nodes[node]!.point)
      return kms[at]!
    },
    tariffsAt: (point) => kept(point).tariffs,
  }
}

function pointsWithin(nodeCount: number): number {
  return Math.max(1, Math.min(pointsMax, Math.floor(tariffBytesMax / Math.max(1, nodeCount))))
}

/** By point; all is forgotten when it is too much. One order asks several times, so the last answer is at hand. */
function keeping<Value>(make: (point: Point) => Value, max: number): (point: Point) => Value {
  const kept = new Map<number, Map<number, Value>>()
  let count = 0
  let lastPoint: Point | null = null
  let last: Value | undefined
  return (point) => {
    if (point === lastPoint && last !== undefined) return last
    let value = kept.get(point.lat)?.get(point.lng)
    if (value === undefined) {
      value = make(point)
      if (count >= max) {
        kept.clear()
        count = 0
      }
      const alongside = kept.get(point.lat) ?? new Map<number, Value>()
      kept.set(point.lat, alongside.set(point.lng, value))
      count += 1
    }
    lastPoint = point
    last = value
    return value
  }
}

/** The nearest `listed` of any point, or all there are. */
function listsOf(nodes: readonly Node[]): (point: Point) => Int32Array {
  if (nodes.length === 0) return () => new Int32Array(0)
  const tree = new Flatbush(nodes.length)
  for (const { point } of nodes) tree.add(point.lng, point.lat, point.lng, point.lat)
  tree.finish()
  return (point) => {
    // One more than wanted tells whether the last of the list is sure to be nearer than all others.
    const found = around(tree, point.lng, point.lat, listed + 1)
    const sorted = nearestFirst(nodes, point, found)
    if (sorted.length <= listed) return sorted
    const km = (at: number) => haversineKm(point, nodes[sorted[at]!]!.point)
    if (km(listed) - km(listed - 1) > treeErrorKm) return sorted.subarray(0, listed)
    return nearestFirst(nodes, point, [...nodes.keys()]).slice(0, listed)
  }
}

function nearestFirst(nodes: readonly Node[], point: Point, some: readonly number[]): Int32Array {
  const kms = new Map(some.map((index) => [index, haversineKm(point, nodes[index]!.point)]))
  return Int32Array.from([...some].sort((a, b) => kms.get(a)! - kms.get(b)! || a - b))
}
