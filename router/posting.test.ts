/** What a posting does to its rows: a line a case. */
import { expect, test } from 'vitest'
import {
  countAgeMsMax,
  countAheadMsMax,
  countTime,
  type GoodsKind,
  goodsMoved,
  onHandMax,
  type PostingKind,
  postedUnits,
  postTo,
  type RowBefore,
} from './posting.ts'
import type { SkuQuantity } from './types.ts'

const of = (...flat: [sku: string, quantity: number][]): SkuQuantity[] =>
  flat.map(([sku, quantity]) => ({ sku, quantity }))
const row = (sku: string, onHand: number, reserved: number, safety = 0, isNew = false): RowBefore => ({
  ...{ sku, onHand, reserved, safety, isNew, lastCountedAt: null, movedSince: 0 },
})

test.each<[PostingKind, SkuQuantity[], [string, number][]]>([
  [
    'add',
    of(['a', 1], ['b', 2], ['a', 3]),
    [
      ['a', 4],
      ['b', 2],
    ],
  ],
  ['add', of(['a', 5], ['a', -5]), [['a', 0]]],
  ['set', of(['a', 1], ['a', 3]), [['a', 3]]],
])('%s %j', (kind, lines, units) => {
  expect([...postedUnits(kind, lines)]).toEqual(units)
})

test.each<
  [why: string, PostingKind, SkuQuantity[], RowBefore[], moved: number[], told: number[], missing: [string, number][]]
>([
  ['goods came in', 'add', of(['a', 3]), [row('a', 5, 2)], [3], [3], []],
  ['goods were written off', 'add', of(['a', -3]), [row('a', 5, 2)], [-3], [-3], []],
  ['to the last', 'add', of(['a', -5]), [row('a', 5, 0)], [-5], [-5], []],
  ['and promised ones too', 'add', of(['a', -4]), [row('a', 5, 2)], [-4], [-4], [['a', 1]]],
  ['a count finds what is known', 'set', of(['a', 5]), [row('a', 5, 2)], [0], [0], []],
  ['more', 'set', of(['a', 9]), [row('a', 5, 2)], [4], [4], []],
  ['fewer than are promised', 'set', of(['a', 1]), [row('a', 5, 2)], [-4], [-4], [['a', 1]]],
  ['nothing', 'set', of(['a', 0]), [row('a', 5, 2)], [-5], [-5], [['a', 2]]],
  ['safety stock alone is no shortage', 'set', of(['a', 2]), [row('a', 5, 2, 4)], [-3], [-3], []],
  ['a new row keeps back its safety stock', 'add', of(['a', 5]), [row('a', 0, 0, 2, true)], [5], [3], []],
  ['even more than came', 'add', of(['a', 1]), [row('a', 0, 0, 2, true)], [1], [-1], []],
  [
    'each row for itself',
    'set',
    of(['a', 1], ['b', 9]),
    [row('a', 5, 2), row('b', 5, 2)],
    [-4, 4],
    [-4, 4],
    [['a', 1]],
  ],
])('%s', (_, kind, lines, rows, moved, told, missing) => {
  const done = postTo(kind, postedUnits(kind, lines), rows)
  if (done.outcome !== 'posted') throw new Error(done.outcome)
  expect(done.moved.map((m) => m.onHand)).toEqual(moved)
  expect(done.delta.map((d) => d.delta)).toEqual(told)
  expect(done.shortages.map((s) => [s.sku, s.missing])).toEqual(missing)
  // What a row keeps back from now on is written down with the posting that made it.
  expect(done.moved.map((m) => m.safety)).toEqual(rows.map((r) => (r.isNew ? r.safety : 0)))
})

test('writing off more than there is of one row posts none', () => {
  const units = postedUnits('add', of(['a', -1], ['b', -6], ['c', -6]))
  expect(postTo('add', units, [row('a', 5, 0), row('b', 5, 0), row('c', 5, 5)])).toEqual({
    outcome: 'below_zero',
    skus: ['b', 'c'],
  })
})

test.each<[why: string, PostingKind, quantity: number, onHand: number, outcome: string]>([
  ['to the most that a row holds', 'add', 1, onHandMax - 1, 'posted'],
  ['past it', 'add', 2, onHandMax - 1, 'above_max'],
  ['a count of as many', 'set', onHandMax, 0, 'posted'],
  ['a count of more', 'set', onHandMax + 1, 0, 'above_max'],
  ['a write-off of what was more before', 'add', -1, onHandMax + 9, 'posted'],
  ['a count of fewer than there were', 'set', onHandMax + 1, onHandMax + 9, 'posted'],
])('%s', (_, kind, quantity, onHand, outcome) => {
  const units = postedUnits(kind, of(['a', quantity], ['b', 1]))
  const done = postTo(kind, units, [row('a', onHand, 0), row('b', 0, 0)])
  expect(done.outcome).toBe(outcome)
  if ('skus' in done) expect(done.skus).toEqual(['a'])
})

const nowMs = Date.UTC(2026, 10, 11)

test.each<[why: string, counted: number, movedSince: number, onHand: number, after: number]>([
  ['a unit that left since then has left', 2, -1, 1, 1],
  ['goods that came since then are there', 2, 5, 7, 7],
  ['a count that found more keeps what moved', 9, -1, 1, 8],
  ['nothing is left where more left than was counted', 0, -1, 0, 0],
])('a count of earlier: %s', (_, counted, movedSince, onHand, after) => {
  const before = { ...row('a', onHand, 0), movedSince }
  const done = postTo('set', new Map([['a', counted]]), [before], { countedAt: nowMs - 60_000, nowMs })
  expect(done).toMatchObject({ outcome: 'posted', moved: [{ sku: 'a', onHand: after - onHand }] })
})

test.each<[why: string, countedAt: number | null, lastCountedAt: number | null, outcome: string]>([
  ['without a time', null, nowMs, 'posted'],
  ['without a time, after one that was ahead', null, nowMs + 1, 'posted'],
  ['of a row that was never counted', nowMs - 1, null, 'posted'],
  ['after the last one', nowMs - 1, nowMs - 2, 'posted'],
  ['of the same instant: the first was mistyped', nowMs - 2, nowMs - 2, 'posted'],
  ['before the last one', nowMs - 3, nowMs - 2, 'stale_count'],
  ['of a week ago', nowMs - countAgeMsMax, null, 'posted'],
  ['of longer ago', nowMs - countAgeMsMax - 1, null, 'stale_count'],
  ['of a clock that is a little ahead', nowMs + countAheadMsMax, nowMs, 'posted'],
  ['of the future', nowMs + countAheadMsMax + 1, null, 'count_in_the_future'],
])('a count %s', (_, countedAt, lastCountedAt, outcome) => {
  const rows = [
    { ...row('a', 5, 0), lastCountedAt },
    { ...row('b', 5, 0), lastCountedAt: null },
  ]
  const done = postTo('set', postedUnits('set', of(['a', 1], ['b', 1])), rows, { countedAt, nowMs })
  expect(done.outcome).toBe(outcome)
  if (done.outcome === 'stale_count') expect(done.skus).toContain('a')
})

test('a row keeps when it was counted, never a time to come', () => {
  expect([null, nowMs - 7, nowMs + 7].map((countedAt) => countTime({ countedAt, nowMs }))).toEqual([
    ...[nowMs, nowMs - 7, nowMs],
  ])
})

test.each<[GoodsKind, onHand: number, reserved: number, moved: number]>([
  ['add', 4, 0, 4],
  ['correct', -3, -2, -3],
  ['ship', -2, -2, -2],
  // The books had one: the parcel took two.
  ['ship', -1, -2, -2],
])('goods that %s moved', (kind, onHand, reserved, moved) => {
  expect(goodsMoved(kind, { onHand, reserved })).toBe(moved)
})
