import { expect, test } from 'vitest'
import { fc, runs } from '../testing/seed.ts'
import type { Candidate } from './plan.ts'
import { source } from './source.ts'
import { anyQuestion, lineOf, nodeOf } from './testing.ts'
import { describeSourcing, readTrace, replay, type StoredTrace } from './trace.ts'

test('a stored trace decides the same again', () => {
  const sizes = fc.oneof(anyQuestion(5, 8, 'split'), anyQuestion(5, 8, 'whole'), anyQuestion(16, 24, 'split'))
  fc.assert(
    fc.property(sizes, ({ demand, candidates }) => {
      const refused: Candidate = { node: nodeOf('R'), km: 3.1, available: [], refusedBy: 'region' }
      const plan = source(demand, [...candidates, refused])
      const trace = describeSourcing(demand, [...candidates, refused], plan)
      const stored = JSON.parse(JSON.stringify(trace))
      expect(stored).toEqual(trace)
      expect(replay(stored)).toEqual(plan)
    }),
    { numRuns: runs(500) },
  )
})

test('a changed trace is noticed: replay decides from the figures, not from the plan that it holds', () => {
  const demand = [lineOf('a', 1, 100)]
  const candidates: Candidate[] = [
    { node: nodeOf('A'), km: 1, available: [1], refusedBy: null },
    { node: nodeOf('B'), km: 2, available: [1], refusedBy: null },
  ]
  const trace = describeSourcing(demand, candidates, source(demand, candidates))
  expect(replay(trace).parcels[0]!.node).toBe('A')
  const emptied = trace.offers.map((value, at) => (at === 4 ? 0 : value))
  expect(replay({ ...trace, offers: emptied }).parcels[0]!.node).toBe('B')
})

test('a trace of the first version says the same', () => {
  const first = {
    ...{ v: 1, demand: [['a', 2, 1000, 0]], steps: [[100, 1000, 250]], refused: [['X', 1.2, 'closed']] },
    offers: [
      ['A', 0.7, 1000, 0, [2]],
      ['B', 120.4, 900, 0, [5]],
    ],
    ...{ parcels: [['B', 1300, [0, 2]]], missing: [], costFen: 1300, method: 'exact' },
  } as const satisfies StoredTrace
  expect(replay(first)).toEqual({
    parcels: [{ node: 'B', costFen: 1300, lines: [{ line: 0, quantity: 2 }] }],
    ...{ missing: [], costFen: 1300, method: 'exact_over_candidates', boundFen: 0 },
  })
  expect(readTrace(first).candidates.map(({ node, km, refusedBy }) => [node, km, refusedBy])).toEqual([
    ['A', 0.7, null],
    ['B', 120.4, null],
    ['X', 1.2, 'closed'],
  ])
})

test('in words: every node that was looked at, with its price or the rule that refused it', () => {
  const demand = [lineOf('a', 2, 1000), lineOf('b', 1, 100, true)]
  const candidates: Candidate[] = [
    { node: nodeOf('S', { kind: 'store' }), km: 0.7, available: [5, 5], refusedBy: null },
    { node: nodeOf('W'), km: 120.4, available: [2, 1], refusedBy: null },
    { node: nodeOf('X'), km: 1.2, available: [], refusedBy: 'closed' },
  ]
  expect(readTrace(describeSourcing(demand, candidates, source(demand, candidates)))).toEqual({
    candidates: [
      {
        node: 'S',
        km: 0.7,
        wholeFen: null,
        available: [
          { sku: 'a', units: 5 },
          { sku: 'b', units: 0 },
        ],
        refusedBy: null,
      },
      // 200 handling + 800 first + 2 begun steps of 250.
      {
        node: 'W',
        km: 120.4,
        wholeFen: 1500,
        available: [
          { sku: 'a', units: 2 },
          { sku: 'b', units: 1 },
        ],
        refusedBy: null,
      },
      { node: 'X', km: 1.2, wholeFen: null, available: [], refusedBy: 'closed' },
    ],
    plan: {
      parcels: [
        {
          node: 'W',
          costFen: 1500,
          lines: [
            { sku: 'a', quantity: 2 },
            { sku: 'b', quantity: 1 },
          ],
        },
      ],
      missing: [],
      costFen: 1500,
      method: 'exact',
      boundFen: 1500,
    },
  })
})

test('a trace of the second version is decided by its own rules: the nearest of equals, whole lines stay whole', () => {
  const second = {
    ...{ v: 2, demand: [['a', 2, 1000, 0]], steps: [[100, 1000, 1000]], refused: ['X', 12, 'closed'] },
    // B has more left, and one unit each from A and C would be cheaper than two from one node.
    offers: [...['A', 7, 1000, 0, 2], ...['B', 8, 1000, 0, 90], ...['C', 9, 10, 0, 1], ...['D', 10, 20, 0, 1]],
    ...{ parcels: [['A', 1100, [0, 2]]], missing: [], costFen: 1100, method: 'exact' },
  } as const satisfies StoredTrace
  expect(replay(second)).toEqual({
    parcels: [{ node: 'A', costFen: 1100, lines: [{ line: 0, quantity: 2 }] }],
    ...{ missing: [], costFen: 1100, method: 'exact_over_candidates', boundFen: 0 },
  })
  const third = { ...second, v: 3, boundFen: 30 } as const satisfies StoredTrace
  expect(replay(third).parcels.map(({ node }) => node)).toEqual(['C', 'D'])
  expect(readTrace(second).plan.method).toBe('exact_over_candidates')
})
