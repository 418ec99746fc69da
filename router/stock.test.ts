/** Stock arithmetic. */
import { expect, test } from 'vitest'
import {
  availableOf,
  changesOf,
  goneFrom,
  type RowChange,
  releaseMovements,
  shortageOf,
  takenByParcel,
} from './stock.ts'
import { fc, runs } from './testing/seed.ts'

const change = (some: Partial<RowChange>): RowChange => ({
  ...{ node: 'n', sku: 'a', reserve: 0, release: 0, missing: 0, nothingLeft: false, gone: 0 },
  ...some,
})

test.each<[why: string, onHand: number, reserved: number, Partial<RowChange>, gone: number]>([
  ['damaged', 5, 3, { missing: 2, release: 2 }, 2],
  ['more damaged than there is', 1, 1, { missing: 3 }, 1],
  ['not found: what others are promised stays', 5, 3, { missing: 2, nothingLeft: true, release: 2 }, 4],
  ['not found, and less is there than others are promised', 1, 4, { missing: 1, nothingLeft: true, release: 1 }, 1],
  ['nothing was there anyway', 0, 0, { nothingLeft: true }, 0],
])('a correction: %s', (_, onHand, reserved, some, gone) => {
  expect(goneFrom({ onHand, reserved }, change(some))).toBe(gone)
})

test('a correction never leaves less than nothing, and a row that is not looked for is never short of others', () => {
  const figures = fc.record({ onHand: fc.nat(9), reserved: fc.nat(9), missing: fc.nat(9), nothingLeft: fc.boolean() })
  fc.assert(
    fc.property(figures, ({ onHand, reserved, missing, nothingLeft }) => {
      const gone = goneFrom({ onHand, reserved }, change({ missing, nothingLeft }))
      expect(gone).toBeLessThanOrEqual(onHand)
      expect(onHand - gone).toBeGreaterThanOrEqual(0)
      if (!nothingLeft) expect(gone).toBe(Math.min(onHand, missing))
    }),
    { numRuns: runs(500) },
  )
})

test('a parcel that leaves against the count is believed', () => {
  expect(takenByParcel(3, 5)).toEqual({ taken: 3, isNews: false })
  expect(takenByParcel(3, 1)).toEqual({ taken: 1, isNews: true })
})

test('available and short', () => {
  expect(availableOf({ onHand: 5, reserved: 3, safety: 1 })).toBe(1)
  expect(availableOf({ onHand: 1, reserved: 3, safety: 1 })).toBe(-3)
  expect([shortageOf({ onHand: 1, reserved: 3 }), shortageOf({ onHand: 3, reserved: 3 })]).toEqual([2, 0])
})

test('what is gone is written with the first release that says so', () => {
  const corrections = [{ sku: 'a', missing: 1, believeNothingLeft: false }]
  const release = { node: 'n', lines: [{ sku: 'a', quantity: 1 }], corrections }
  const releases = [
    { ...release, taskId: '1' },
    { ...release, taskId: '2' },
  ]
  const changes = changesOf([], releases)
  for (const row of changes.values()) row.gone = goneFrom({ onHand: 5, reserved: 2 }, row)
  expect(releaseMovements(releases, changes)).toEqual([
    { kind: 'correct', lines: [{ sku: 'a', onHand: -2, reserved: -1 }] },
    { kind: 'correct', lines: [{ sku: 'a', onHand: 0, reserved: -1 }] },
  ])
})
