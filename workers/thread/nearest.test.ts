/** The kept lists answer as a search over everything would. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { roundedKm } from '../../router/distance.ts'
import { nodeOf } from '../../router/source/testing.ts'
import type { Node, Point } from '../../router/types.ts'
import { nearestOf } from './nearest.ts'

const points = fc.record({
  lat: fc.double({ min: 18, max: 53, noNaN: true }),
  lng: fc.double({ min: 74, max: 134, noNaN: true }),
})

function network(count: number): Node[] {
  return Array.from({ length: count }, (_, i) => ({
    ...nodeOf(`n${i}`),
    kind: i % 7 === 0 ? ('warehouse' as const) : ('store' as const),
    // All over the country, five at each place.
    point: placeOf(Math.floor(i / 5)),
  }))
}

function placeOf(i: number): Point {
  return { lat: 18 + ((i * 7_919) % 3_500) / 100, lng: 74 + ((i * 104_729) % 6_000) / 100 }
}

test.each([
  ['fewer nodes than a list', 40],
  ['more than one list', 300],
  ['more than are ever kept', 2_500],
])('%s', (_, count) => {
  const nodes = network(count)
  const nearest = nearestOf(nodes, (node) => node.kind === 'store')
  fc.assert(
    fc.property(points, fc.integer({ min: 1, max: 60 }), fc.constantFrom(1, 2, 50, 997), (point, wanted, every) => {
      const accept = (i: number) => i % every === 0
      const asked: number[] = []
      const expected = nodes
        .map((node, i) => ({ i, km: roundedKm(point, node.point) }))
        .filter(({ i }) => nodes[i]!.kind === 'store' && accept(i))
        .sort((a, b) => a.km - b.km)
        .slice(0, wanted)
        .map(({ km }) => km)
      for (let again = 0; again < 2; again++) {
        asked.length = 0
        const found = nearest(point, wanted, (i) => {
          asked.push(i)
          return accept(i)
        })
        expect(found.map((i) => roundedKm(point, nodes[i]!.point))).toEqual(expected)
        expect(found.every(accept)).toBe(true)
        // Whoever counts what was refused counts it once.
        expect(new Set(asked).size).toBe(asked.length)
      }
    }),
    { numRuns: 60 },
  )
})

test('no node that is wanted', () => {
  expect(nearestOf(network(5), () => false)({ lat: 30, lng: 120 }, 3, () => true)).toEqual([])
})
