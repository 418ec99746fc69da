import { expect, test } from 'vitest'
import { parcelFen, parcelFenMax, parcelGramsMax, tariffAt, tariffFen } from './freight.ts'
import type { Freight, Node } from './node.ts'
import { fc } from './testing/seed.ts'

const freight: Freight = {
  bands: [
    { kmMax: 100, firstFen: 500, stepFen: 100 },
    { kmMax: 1000, firstFen: 800, stepFen: 200 },
    { kmMax: 3000, firstFen: 1500, stepFen: 900 },
  ],
  firstGrams: 1000,
  stepGrams: 500,
}
const node: Node = {
  node: 'W1',
  name: 'W1',
  kind: 'warehouse',
  adcode: null,
  point: { lat: 0, lng: 0 },
  open: true,
  channels: null,
  regions: null,
  preferenceFen: 0,
  handlingFen: 300,
  freight,
  safetyStock: 0,
}

test.each<[why: string, km: number, grams: number, fen: number]>([
  ['nothing weighs nothing', 0, 0, 500],
  ['up to the first grams', 10, 1000, 500],
  ['one gram more begins a step', 10, 1001, 600],
  ['a full step', 10, 1500, 600],
  ['the next one', 10, 1501, 700],
  ['a band holds up to its last kilometre', 100, 1, 500],
  ['and not beyond', 100.1, 1, 800],
  ['the last band holds for everything farther', 9999, 1501, 1500 + 2 * 900],
  [
    'beyond the heaviest parcel the price stands still',
    10,
    parcelGramsMax * 4,
    500 + 100 * ((parcelGramsMax - 1000) / 500),
  ],
])('%s', (_why, km, grams, fen) => expect(parcelFen(freight, km, grams)).toBe(fen))

test.each<[why: string, change: Partial<Node>, grams: number, fen: number]>([
  ['handling comes on top', {}, 100, 800],
  ['a preference against', { preferenceFen: 50 }, 100, 850],
  ['a preference for', { preferenceFen: -200 }, 1001, 700],
  ['a parcel is never paid for', { preferenceFen: -5000 }, 100, 0],
  ['nor dearer than the limit', { handlingFen: 1e12 }, 100, parcelFenMax],
])('%s', (_why, change, grams, fen) => expect(tariffFen(tariffAt({ ...node, ...change }, 10), grams)).toBe(fen))

test.each<[why: string, bad: Freight]>([
  ['no bands', { ...freight, bands: [] }],
  ['a negative price', { ...freight, bands: [{ kmMax: 1, firstFen: -1, stepFen: 0 }] }],
  ['a negative step', { ...freight, bands: [{ kmMax: 1, firstFen: 1, stepFen: -1 }] }],
  ['steps of no weight', { ...freight, stepGrams: 0 }],
])('%s is refused', (_why, bad) => expect(() => tariffAt({ ...node, freight: bad }, 10)).toThrow(RangeError))

test('heavier and farther is never cheaper, and always whole fen', () => {
  const nat = fc.integer({ min: 0, max: 100_000 })
  fc.assert(
    fc.property(nat, nat, nat, (km, grams, more) => {
      const fen = parcelFen(freight, km, grams)
      expect(Number.isSafeInteger(fen)).toBe(true)
      expect(parcelFen(freight, km, grams + more)).toBeGreaterThanOrEqual(fen)
      expect(parcelFen(freight, km + more, grams)).toBeGreaterThanOrEqual(fen)
    }),
  )
})
