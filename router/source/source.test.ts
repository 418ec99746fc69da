import { describe, expect, test } from 'vitest'
import { fc, runs } from '../testing/seed.ts'
import type { Candidate, DemandLine } from './plan.ts'
import { source } from './source.ts'
import { anyQuestion, bruteForce, lineOf, nodeOf, verifyPlan } from './testing.ts'

function at(code: string, km: number, available: number[], change = {}): Candidate {
  return { node: nodeOf(code, change), km, available, refusedBy: null }
}

/** "A:0x2,1x1 B:2x5 missing 3x1": who ships how many of which line. */
function told(demand: readonly DemandLine[], candidates: readonly Candidate[]): string {
  const plan = source(demand, candidates)
  verifyPlan({ demand, candidates }, plan)
  const units = (lines: readonly { line: number; quantity: number }[]) =>
    lines.map(({ line, quantity }) => `${line}x${quantity}`).join()
  const parcels = plan.parcels.map((parcel) => `${parcel.node}:${units(parcel.lines)}`)
  return [...parcels, ...(plan.missing.length > 0 ? [`missing ${units(plan.missing)}`] : [])].join(' ')
}

const one = [lineOf('a', 2, 100)]
const two = [lineOf('a', 1, 100), lineOf('b', 1, 100)]
const split = [lineOf('a', 5, 100)]

describe('source', () => {
  test.each<[why: string, demand: DemandLine[], candidates: Candidate[], plan: string]>([
    ['nobody is there', one, [], 'missing 0x2'],
    ['nobody has it', one, [at('A', 1, [0])], 'missing 0x2'],
    ['a negative figure is no stock', one, [at('A', 1, [-3])], 'missing 0x2'],
    ['a refused node is not asked', one, [{ ...at('A', 1, []), refusedBy: 'closed' }, at('B', 2, [9])], 'B:0x2'],
    ['equal prices: the nearest', one, [at('B', 9, [9]), at('A', 10, [9])], 'B:0x2'],
    ['equal prices: where more is left', one, [at('B', 9, [3]), at('A', 10, [9])], 'A:0x2'],
    ['plenty is plenty: the nearest', one, [at('B', 9, [300]), at('A', 10, [900])], 'B:0x2'],
    ['equal prices, equal distance: by code', one, [at('B', 9, [9]), at('A', 9, [9])], 'A:0x2'],
    ['the cheaper one, though farther', one, [at('A', 9, [9]), at('B', 90, [9], { handlingFen: 100 })], 'B:0x2'],
    ['a preference against', one, [at('A', 9, [9], { preferenceFen: 200 }), at('B', 90, [9])], 'B:0x2'],
    ['a farther band costs more', one, [at('A', 101, [9], { handlingFen: 0 }), at('B', 90, [9])], 'B:0x2'],
    ['one parcel rather than two', two, [at('A', 1, [1, 0]), at('B', 2, [0, 1]), at('C', 900, [1, 1])], 'C:0x1,1x1'],
    [
      'two where one would cost more',
      two,
      [at('A', 1, [1, 0]), at('B', 2, [0, 1]), at('C', 9, [1, 1], { handlingFen: 5000 })],
      'A:0x1 B:1x1',
    ],
    ['part of an order rather than nothing', two, [at('A', 1, [1, 0])], 'A:0x1 missing 1x1'],
    ['a quantity that nobody has whole', split, [at('A', 1, [3]), at('B', 2, [2])], 'A:0x3 B:0x2'],
    ['whole rather than split', split, [at('A', 1, [3]), at('B', 2, [2]), at('C', 900, [5])], 'C:0x5'],
    [
      'split where that is cheaper',
      split,
      [at('A', 1, [3]), at('B', 2, [2]), at('C', 9, [5], { handlingFen: 5000 })],
      'A:0x3 B:0x2',
    ],
    [
      'two nodes rather than three',
      split,
      [at('A', 1, [2]), at('B', 2, [2]), at('C', 3, [2]), at('D', 4, [3])],
      'A:0x2 D:0x3',
    ],
    ['all there is, where it is too little', split, [at('A', 1, [1]), at('B', 2, [1])], 'A:0x1 B:0x1 missing 0x3'],
    [
      'whole lines ride with the pieces',
      [...split, lineOf('b', 1, 100)],
      [at('A', 1, [3, 0]), at('B', 2, [2, 1]), at('C', 0.5, [0, 1])],
      'A:0x3 B:0x2,1x1',
    ],
    [
      'a store does not ship what leaves from warehouses',
      [lineOf('a', 1, 1, true)],
      [at('A', 1, [9], { kind: 'store' }), at('B', 9, [9])],
      'B:0x1',
    ],
    [
      'and the rest still may leave from it',
      [lineOf('a', 1, 1, true), lineOf('b', 1, 1)],
      [at('A', 1, [9, 9], { kind: 'store' }), at('B', 9, [9, 0])],
      'A:1x1 B:0x1',
    ],
  ])('%s', (_why, demand, candidates, plan) => expect(told(demand, candidates)).toBe(plan))

  test.each<[why: string, demand: DemandLine[]]>([
    ['no units', [lineOf('a', 0, 1)]],
    ['fewer than none', [lineOf('a', -1, 1)]],
    ['half a unit', [lineOf('a', 0.5, 1)]],
    ['a negative weight', [lineOf('a', 1, -1)]],
  ])('%s is a bug', (_why, demand) => expect(() => source(demand, [])).toThrow(RangeError))

  test('the best of all plans, lines split in any way: cost, parcels, and what is left', () => {
    fc.assert(
      fc.property(fc.oneof(anyQuestion(5, 6, 'whole'), anyQuestion(3, 4, 'split')), (question) => {
        const plan = source(question.demand, question.candidates)
        expect(plan.method).toBe('exact')
        expect(plan.boundFen).toBe(plan.costFen)
        expect(verifyPlan(question, plan)).toEqual(bruteForce(question, 'anywhere'))
      }),
      { numRuns: runs(5000) },
    )
  })

  test('the order of candidates changes nothing', () => {
    const shuffled = anyQuestion(6, 8, 'split').chain((question) =>
      fc.tuple(
        fc.constant(question),
        fc.shuffledSubarray([...question.candidates], { minLength: question.candidates.length }),
      ),
    )
    fc.assert(
      fc.property(shuffled, ([question, candidates]) => {
        expect(source(question.demand, candidates)).toEqual(source(question.demand, question.candidates))
      }),
    )
  })

  test('whatever there is, it is shipped, and never more: any size, any mixture', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyQuestion(8, 12, 'split'), anyQuestion(40, 30, 'split'), anyQuestion(3, 90, 'split')),
        (question) => {
          verifyPlan(question, source(question.demand, question.candidates))
        },
      ),
      { numRuns: runs(300) },
    )
  })

  test('too many units for the exact way: near the best of all plans, never below the bound', () => {
    let [costFen, bestFen, proven] = [0, 0, 0]
    const heavy = anyQuestion(2, 3, 'split').map(({ demand, candidates }) => ({
      demand: demand.map((line) => ({ ...line, quantity: line.quantity + 60 })),
      candidates: candidates.map((each) => ({ ...each, available: each.available.map((units) => units * 29) })),
    }))
    fc.assert(
      fc.property(heavy, (question) => {
        const plan = source(question.demand, question.candidates)
        const rank = verifyPlan(question, plan)
        const best = bruteForce(question, 'anywhere')
        expect(rank.costFen).toBeGreaterThanOrEqual(best.costFen)
        expect(plan.boundFen).toBeLessThanOrEqual(best.costFen)
        if (plan.method === 'exact') expect(rank.costFen).toBe(best.costFen)
        if (plan.method === 'exact') proven++
        costFen += rank.costFen
        bestFen += best.costFen
      }),
      { numRuns: runs(300) },
    )
    expect(proven).toBeGreaterThan(100)
    expect(costFen / bestFen).toBeLessThan(1.02)
  })
})
