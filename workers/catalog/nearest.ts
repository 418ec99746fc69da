/**
 * The nearest nodes of a point: exact, by great circles; equally far ones in the order of their indexes.
 *
 * The first few dozen are looked up in a tree, once a point. Beyond them all that come into question are looked at: a
 * distance is a few operations on numbers that lie side by side, and a tree that has to pass most of what it finds is
 * slower than that by far.
 */
import Flatbush from 'flatbush'
import { around } from 'geoflatbush'
import { roundedKm } from '../../router/distance.ts'
import type { Nearest } from '../../router/source/candidates.ts'
import type { Node, Point } from '../../router/types.ts'
import { Closest, isBefore } from './closest.ts'

// An order's search mostly ends among so many.
const listed = 64
// Squares of chords, from cosines that are rounded at the sixteenth digit; it is six metres.
const treeError = 1e-12
// A country's districts are some 3,000.
const pointsMax = 8_192
// When fewer than one in so many come into question, a list seldom has enough of them.
const oneIn = 4
const radiansPerDegree = Math.PI / 180

export interface NearestNodes {
  readonly nearest: Nearest
  /** Of any node, whether or not it is wanted; see roundedKm. */
  readonly kmTo: (point: Point, node: number) => number
  /** The same, among those whose numbers are given; a number may come twice, or be nobody's. */
  readonly nearestAmong: (
    point: Point,
    count: number,
    among: readonly (readonly number[])[],
    accept: (node: number) => boolean,
  ) => readonly number[]
}

/** On a globe whose radius is 1. The nearer by great circle is the nearer straight through it. */
interface Position {
  readonly x: number
  readonly y: number
  readonly z: number
}

/** A point's nearest, as far as they are kept. */
interface Near {
  readonly position: Position
  readonly list: Int32Array
  /** To each of the list, once somebody asked; not a number before. */
  readonly kms: Float64Array
}

const nobody = new Int32Array(0)

/**
 * Over the nodes that are wanted, answering with their indexes among all. Receivers' points are the middles of
 * districts, so the same ones are asked for all day: each one's nearest are searched once and kept.
 */
export function nearestOf(
  nodes: readonly Node[],
  wanted: (node: Node) => boolean,
  numberOf: (index: number) => number = (index) => index,
): NearestNodes {
  const indexes = Int32Array.from(nodes.keys()).filter((index) => wanted(nodes[index]!))
  const kmOf = (point: Point, node: number) => roundedKm(point, nodes[node]!.point)
  if (indexes.length === 0) return { nearest: () => [], nearestAmong: () => [], kmTo: kmOf }
  const positions = new Float64Array(nodes.length * 3)
  const indexOf: number[] = []
  const tree = new Flatbush(indexes.length)
  for (const index of indexes) {
    const { lat, lng } = nodes[index]!.point
    tree.add(lng, lat, lng, lat)
    const { x, y, z } = positionOf({ lat, lng })
    positions.set([x, y, z], index * 3)
    indexOf[numberOf(index)] = index
  }
  tree.finish()
  // By index: the look at all in which it was last seen.
  const seenIn = new Uint32Array(nodes.length)
  let searches = 0
  const kept = new Map<number, Map<number, Near>>()
  let keptCount = 0
  // One order asks several times.
  let lastPoint: Point | null = null
  let lastNear: Near | null = null

  const distanceTo = ({ x, y, z }: Position, index: number): number => {
    const dx = positions[index * 3]! - x
    const dy = positions[index * 3 + 1]! - y
    const dz = positions[index * 3 + 2]! - z
    return dx * dx + dy * dy + dz * dz
  }

  const nearTo = (point: Point): Near => {
    if (point !== lastPoint || lastNear === null) {
      lastNear = kept.get(point.lat)?.get(point.lng) ?? keep(point)
      lastPoint = point
    }
    return lastNear
  }

  const keep = (point: Point): Near => {
    const position = positionOf(point)
    const list = listFor(point, position)
    const near = { position, list, kms: new Float64Array(list.length).fill(Number.NaN) }
    if (keptCount >= pointsMax) {
      kept.clear()
      keptCount = 0
    }
    const alongside = kept.get(point.lat) ?? new Map<number, Near>()
    kept.set(point.lat, alongside.set(point.lng, near))
    keptCount += 1
    return near
  }

  /** The tree knows distances less exactly than we do: it is not asked who of two that are as good as equally far is in. */
  const listFor = ({ lat, lng }: Point, position: Position): Int32Array => {
    const found = around(tree, lng, lat, listed).map((place) => indexes[place]!)
    const distances = new Map(found.map((index) => [index, distanceTo(position, index)]))
    found.sort((a, b) => distances.get(a)! - distances.get(b)! || a - b)
    if (found.length === indexes.length) return Int32Array.from(found)
    const sureWithin = distances.get(found.at(-1)!)! - treeError
    return Int32Array.from(found.filter((index) => distances.get(index)! < sureWithin))
  }

  /** Those behind the last one, nearest first. It takes all that there are a few times over rather than ask many. */
  const beyond = (
    position: Position,
    last: number,
    count: number,
    accept: (node: number) => boolean,
    some: Int32Array,
    among: readonly (readonly number[])[],
  ): number[] => {
    const found: number[] = []
    let behind = last
    for (let ask = count * 2; ; ask *= 4) {
      const closest = closestBehind(position, behind, ask, some, among)
      for (let n = 0; n < closest.length && found.length < count; n++) {
        if (accept(closest[n]!)) found.push(closest[n]!)
      }
      if (found.length === count || closest.length < ask) return found
      behind = closest.at(-1)!
    }
  }

  const closestBehind = (
    position: Position,
    last: number,
    count: number,
    some: Int32Array,
    among: readonly (readonly number[])[],
  ): number[] => {
    const lastDistance = last === -1 ? -1 : distanceTo(position, last)
    const closest = new Closest(count)
    searches += 1
    const look = (index: number, distance: number): void => {
      if (!closest.wants(index, distance) || !isBefore(lastDistance, last, distance, index)) return
      if (seenIn[index] === searches) return
      seenIn[index] = searches
      closest.add(index, distance)
    }
    for (let n = 0; n < some.length; n++) {
      const index = some[n]!
      const distance = distanceTo(position, index)
      if (distance <= closest.farthest) look(index, distance)
    }
    for (const numbers of among) {
      for (let n = 0; n < numbers.length; n++) {
        const index = indexOf[numbers[n]!]
        if (index === undefined) continue
        const distance = distanceTo(position, index)
        if (distance <= closest.farthest) look(index, distance)
      }
    }
    return closest.inOrder()
  }

  const search = (
    point: Point,
    count: number,
    accept: (node: number) => boolean,
    some: Int32Array,
    among: readonly (readonly number[])[],
  ): readonly number[] => {
    const { position, list } = nearTo(point)
    const found: number[] = []
    for (let at = 0; at < list.length && found.length < count; at++) if (accept(list[at]!)) found.push(list[at]!)
    if (found.length === count || list.length === indexes.length) return found
    return found.concat(beyond(position, list.at(-1) ?? -1, count - found.length, accept, some, among))
  }
  return {
    kmTo: (point, node) => {
      const { list, kms } = nearTo(point)
      const at = list.indexOf(node)
      if (at === -1) return kmOf(point, node)
      if (Number.isNaN(kms[at]!)) kms[at] = kmOf(point, node)
      return kms[at]!
    },
    nearest: (point, count, accept) => search(point, count, accept, indexes, []),
    nearestAmong: (point, count, among, accept) => {
      const several = among.reduce((sum, { length }) => sum + length, 0)
      if (several * oneIn > indexes.length) return search(point, count, accept, nobody, among)
      return beyond(nearTo(point).position, -1, count, accept, nobody, among)
    },
  }
}

function positionOf({ lat, lng }: Point): Position {
  const [latitude, longitude] = [lat * radiansPerDegree, lng * radiansPerDegree]
  const x = Math.cos(latitude) * Math.cos(longitude)
  return { x, y: Math.cos(latitude) * Math.sin(longitude), z: Math.sin(latitude) }
}
