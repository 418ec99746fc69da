/** What is kept of a point answers as a search over everything would. */
import { expect, test } from 'vitest'
import { haversineKm, roundedKm } from '../../router/distance.ts'
import { tariffAt } from '../../router/freight.ts'
import type { Node } from '../../router/node.ts'
import { nodeOf } from '../../router/source/testing.ts'
import { fc, runs } from '../../router/testing/seed.ts'
import type { Point } from '../../router/types.ts'
import { nearestOf } from './nearest.ts'

const points = fc.record({
  lat: fc.double({ min: 18, max: 53, noNaN: true }),
  lng: fc.double({ min: 74, max: 134, noNaN: true }),
})

function network(count: number, atEach: number): Node[] {
  return Array.from({ length: count }, (_, i) =>
    nodeOf(`n${i}`, {
      handlingFen: 100 + (i % 3),
      // All over the country, some at each place.
      point: placeOf(Math.floor(i / atEach)),
    }),
  )
}

function placeOf(i: number): Point {
  return { lat: 18 + ((i * 7_919) % 3_500) / 100, lng: 74 + ((i * 104_729) % 6_000) / 100 }
}

test.each([
  ['no nodes', 0, 1],
  ['fewer nodes than a list', 40, 5],
  ['more than one list', 300, 5],
  ['more at one place than a list holds', 500, 100],
])('%s: the nearest, and how far they are', (_, count, atEach) => {
  const nodes = network(count, atEach)
  const { nearest, kmTo } = nearestOf(nodes)
  fc.assert(
    fc.property(points, fc.integer({ min: 1, max: 64 }), (point, wanted) => {
      const plainly = nodes
        .map((node, i) => ({ i, km: haversineKm(point, node.point) }))
        .sort((a, b) => a.km - b.km || a.i - b.i)
        .slice(0, wanted)
        .map(({ i }) => i)
      for (let again = 0; again < 2; again++) {
        expect([...Array.from(nearest(point, wanted))]).toEqual(plainly)
        for (const i of [0, 7, nodes.length - 1]) {
          if (nodes[i] !== undefined) expect(kmTo(point, i)).toBe(roundedKm(point, nodes[i].point))
        }
      }
    }),
    { numRuns: runs(60) },
  )
})

test('what every node charges is its own price list at its own distance, at the ends of bands too', () => {
  const freight = {
    bands: [
      { kmMax: 50, firstFen: 300, stepFen: 10 },
      { kmMax: 50, firstFen: 301, stepFen: 11 },
      { kmMax: 400, firstFen: 500, stepFen: 20 },
      { kmMax: 100, firstFen: 700, stepFen: 30 },
    ],
    ...{ firstGrams: 1000, stepGrams: 500 },
  }
  const nodes = network(200, 1).map((node, i) => (i % 2 === 0 ? { ...node, freight } : node))
  const { tariffsAt } = nearestOf(nodes)
  const km = fc.constantFrom(49.9, 49.95, 50, 50.04, 50.05, 50.1, 99.95, 100.05, 399.9, 400, 400.1)
  fc.assert(
    fc.property(fc.nat(nodes.length - 1), km, (index, away) => {
      const { lat, lng } = nodes[index]!.point
      // Northwards, a degree is the same everywhere.
      const point = { lat: lat + (away / 6371.0088) * (180 / Math.PI), lng }
      const { of, list } = tariffsAt(point)
      for (const [i, node] of nodes.entries()) {
        expect(list[of[i]!]).toEqual(tariffAt(node, roundedKm(point, node.point)))
      }
    }),
    { numRuns: runs(300) },
  )
})
