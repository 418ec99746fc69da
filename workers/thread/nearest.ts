/** The nearest nodes of a point: exact, by great circles. */
import Flatbush from 'flatbush'
import { around } from 'geoflatbush'
import type { Nearest } from '../../router/source/candidates.ts'
import type { Node, Point } from '../../router/types.ts'

// An order's search nearly always ends among so many; then four times as many, until it is a search and not a list.
const listed = 64
const listedMax = 1_024
// A country's districts are some 3,000.
const pointsMax = 8_192
const nothing = new Int32Array(0)

/**
 * Over the nodes that are wanted, answering with their indexes among all. Receivers' points are the middles of
 * districts, so the same ones are asked for all day: each one's nearest are searched once and kept.
 */
export function nearestOf(nodes: readonly Node[], wanted: (node: Node) => boolean): Nearest {
  const indexes = nodes.map((_, i) => i).filter((i) => wanted(nodes[i]!))
  if (indexes.length === 0) return () => []
  const tree = new Flatbush(indexes.length)
  for (const i of indexes) {
    const { lat, lng } = nodes[i]!.point
    tree.add(lng, lat, lng, lat)
  }
  tree.finish()
  const search = ({ lng, lat }: Point, count: number, accept?: (node: number) => boolean): number[] =>
    around(
      tree,
      lng,
      lat,
      count,
      Number.POSITIVE_INFINITY,
      accept === undefined ? undefined : (i) => accept(indexes[i]!),
    ).map((i) => indexes[i]!)
  const lists = new Map<string, Int32Array>()
  /** Nodes at one place come in any order: what was said before stays said in that order. */
  const listOf = (key: string, point: Point, length: number, before: Int32Array): Int32Array => {
    if (lists.size >= pointsMax) lists.clear()
    const known = new Set(before)
    const list = Int32Array.from([...before, ...search(point, length).filter((node) => !known.has(node))])
    lists.set(key, list)
    return list
  }
  return (point, count, accept) => {
    const key = `${point.lat} ${point.lng}`
    let list = lists.get(key) ?? listOf(key, point, listed, nothing)
    const found: number[] = []
    for (let at = 0; found.length < count; at++) {
      if (at === list.length) {
        if (list.length === indexes.length) break
        if (list.length >= listedMax) {
          const known = new Set(list)
          return [...found, ...search(point, count - found.length, (node) => !known.has(node) && accept(node))]
        }
        list = listOf(key, point, list.length * 4, list)
      }
      const node = list[at]!
      if (accept(node)) found.push(node)
    }
    return found
  }
}
