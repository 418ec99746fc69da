import { describe, expect, test } from 'vitest'
import { addFen, shareByLargestRemainder } from './money.ts'
import { fc, runs } from './testing/seed.ts'

const max = Number.MAX_SAFE_INTEGER

describe('shareByLargestRemainder', () => {
  test.each<[why: string, totalFen: number, weights: number[], shares: number[]]>([
    ['nothing to share, nobody there', 0, [], []],
    ['one takes all, even with weight zero', 7, [0], [7]],
    ['divides evenly', 90, [1, 1, 1], [30, 30, 30]],
    ['a tie goes to the earlier index', 100, [1, 1, 1], [34, 33, 33]],
    ['the largest remainder wins, wherever it stands', 10, [1, 2, 5], [1, 3, 6]],
    ['two fen left go to the two largest remainders', 5, [3, 3, 1], [2, 2, 1]],
    ['zero weights share equally', 5, [0, 0, 0], [2, 2, 1]],
    ['a zero weight among others gets nothing', 5, [0, 1, 1], [0, 3, 2]],
    ['fewer fen than heads', 1, [1, 1, 1], [1, 0, 0]],
    ['products beyond 2^53 stay exact', max, [1, 1], [(max + 1) / 2, (max - 1) / 2]],
    ['sums of weights beyond 2^53 stay exact', 3, [max, max, max], [1, 1, 1]],
  ])('%s', (_why, totalFen, weights, shares) => {
    expect(shareByLargestRemainder(totalFen, weights)).toEqual(shares)
  })

  test.each<[why: string, totalFen: number, weights: number[]]>([
    ['a negative total', -1, [1]],
    ['a fraction of a fen', 1.5, [1]],
    ['a total that is no number', Number.NaN, [1, 1]],
    ['a total beyond 2^53', max + 1, [1]],
    ['a negative weight', 1, [2, -1]],
    ['a fractional weight', 1, [0.5, 0.5]],
    ['nobody to share to', 1, []],
  ])('%s is refused', (_why, totalFen, weights) => {
    expect(() => shareByLargestRemainder(totalFen, weights)).toThrow(RangeError)
  })

  const anyTotal = fc.oneof(fc.integer({ min: 0, max: 100_000 }), fc.maxSafeNat())
  const anyWeights = fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.maxSafeNat()), {
    minLength: 1,
    maxLength: 20,
  })

  test('sums exactly, and each is its exact share rounded down or up', () => {
    fc.assert(
      fc.property(anyTotal, anyWeights, (totalFen, weights) => {
        const shares = shareByLargestRemainder(totalFen, weights)
        expect(shares.reduce((sum, share) => sum + BigInt(share), 0n)).toBe(BigInt(totalFen))
        const used = weights.every((weight) => weight === 0) ? weights.map(() => 1) : weights
        const sum = used.reduce((soFar, weight) => soFar + BigInt(weight), 0n)
        for (const [index, share] of shares.entries()) {
          const exact = BigInt(totalFen) * BigInt(used[index]!)
          expect(BigInt(share) >= exact / sum && BigInt(share) <= (exact + sum - 1n) / sum).toBe(true)
        }
      }),
      { numRuns: runs(1000) },
    )
  })

  test('the order of the weights changes nothing but who of two equals gets the odd fen', () => {
    fc.assert(
      fc.property(anyTotal, anyWeights, fc.infiniteStream(fc.nat()), (totalFen, weights, keys) => {
        const permutation = weights.map((_, index) => [keys.next().value, index] as const).sort((a, b) => a[0] - b[0])
        const shuffled = permutation.map(([, index]) => weights[index]!)
        const pairs = (ws: readonly number[]) =>
          shareByLargestRemainder(totalFen, ws)
            .map((share, index) => [ws[index]!, share] as const)
            .sort((a, b) => a[0] - b[0] || a[1] - b[1])
        // Weights with equal remainders may be different weights: then totals per weight may differ by the odd fen.
        const before = pairs(weights)
        const after = pairs(shuffled)
        for (const [index, [weight, share]] of before.entries()) {
          expect(after[index]![0]).toBe(weight)
          expect(Math.abs(after[index]![1] - share)).toBeLessThanOrEqual(1)
        }
      }),
    )
  })
})

describe('addFen', () => {
  test.each<[amounts: number[], sum: number]>([
    [[], 0],
    [[1, 2, 3], 6],
    [[5, -7], -2],
  ])('%j is %i', (amounts, sum) => expect(addFen(...amounts)).toBe(sum))

  test.each<[why: string, amounts: number[]]>([
    ['a fraction', [0.1, 0.2]],
    ['an overflow', [max, 1]],
    ['an overflow below', [-max, -1]],
    ['an infinity', [Number.POSITIVE_INFINITY]],
  ])('%s is refused', (_why, amounts) => expect(() => addFen(...amounts)).toThrow(RangeError))
})
