/** The kept lists answer as a search over everything would. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { haversineKm } from '../../router/distance.ts'
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
  ['more than are looked at at once', 2_500],
])('%s', (_, count) => {
  const nodes = network(count)
  const { nearest, nearestAmong } = nearestOf(
    nodes,
    (node) => node.kind === 'store',
    (index) => index + 7,
  )
  const step = fc.constantFrom(1, 2, 50, 997)
  fc.assert(
    fc.property(points, fc.integer({ min: 1, max: 60 }), step, step, (point, wanted, every, named) => {
      const accept = (i: number) => i % every === 0
      const plainly = (may: (i: number) => boolean) =>
        nodes
          .map((node, i) => ({ i, km: haversineKm(point, node.point) }))
          .filter(({ i }) => nodes[i]!.kind === 'store' && may(i) && accept(i))
          .sort((a, b) => a.km - b.km || a.i - b.i)
          .slice(0, wanted)
          .map(({ i }) => i)
      // Some twice, some of nobody, some that are not wanted.
      const numbers = nodes.map((_, i) => i + 7).filter((number) => number % named === 0)
      const among = [numbers, [...numbers, 1, nodes.length + 7], []]
      for (let again = 0; again < 2; again++) {
        const asked: number[] = []
        const noting = (i: number) => {
          asked.push(i)
          return accept(i)
        }
        expect(nearest(point, wanted, noting)).toEqual(plainly(() => true))
        // Whoever counts what was refused counts it once, and outwards.
        expect(new Set(asked).size).toBe(asked.length)
        const kms = asked.map((i) => haversineKm(point, nodes[i]!.point))
        expect(kms.every((km, at) => at === 0 || km >= kms[at - 1]! - 1e-6)).toBe(true)
        const isNamed = (i: number) => (i + 7) % named === 0
        expect(nearestAmong(point, wanted, among, (i) => isNamed(i) && accept(i))).toEqual(plainly(isNamed))
      }
    }),
    { numRuns: 60 },
  )
})

test('no node that is wanted', () => {
  expect(nearestOf(network(5), () => false).nearest({ lat: 30, lng: 120 }, 3, () => true)).toEqual([])
})
