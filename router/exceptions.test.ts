import { expect, test } from 'vitest'
import { dueOf, exceptionKinds, isSameFact, severityOf } from './exceptions.ts'
import { defaultPolicy } from './policy.ts'
import { writeOffOf } from './reconcile/write-off.ts'

test('each kind stands in the list once', () => {
  expect(new Set(exceptionKinds).size).toBe(exceptionKinds.length)
})

test('what is grave is due first', () => {
  const due = ['refund_missing', 'payment_short', 'units_held'].map((kind) =>
    dueOf(kind, 1_000, defaultPolicy.exceptions),
  )
  expect(['refund_missing', 'payment_short', 'units_held'].map(severityOf)).toEqual(['high', 'normal', 'low'])
  expect([...due].sort((a, b) => a - b)).toEqual(due)
  expect(new Set([1_000, ...due]).size).toBe(4)
})

test.each<[boolean, object, object]>([
  [true, { a: 1, b: { c: [1], d: 2 } }, { b: { d: 2, c: [1] }, a: 1 }],
  [true, { why: 'x', attempts: 3 }, { why: 'x', attempts: 9 }],
  [false, { missing: 3 }, { missing: 4 }],
  [false, { missing: 3 }, {}],
])('%s: %j and %j are one fact', (same, a, b) => {
  expect(isSameFact(a as Record<string, unknown>, b as Record<string, unknown>)).toBe(same)
})

test.each<[string, Record<string, unknown>, string, number]>([
  ['payment_short', { expectedFen: 1_000, receivedFen: 999 }, 'payment', 1],
  ['payment_missing', { expectedFen: 1_000, receivedFen: 0 }, 'payment', 1_000],
  ['payment_over', { expectedFen: 1_000, receivedFen: 1_200 }, 'payment', -200],
  // Written off before, and paid after all.
  ['payment_over', { expectedFen: 1_000, receivedFen: 1_000, writtenOffFen: 1 }, 'payment', -1],
  ['refund_unexpected', { refundExpectedFen: 0, refundedFen: 5 }, 'refund', 5],
  ['refund_missing', { refundExpectedFen: 70, refundedFen: 0 }, 'refund', -70],
  ['bill_without_order', { bill: 'payment', amountFen: 100 }, 'bill', -100],
  ['bill_without_order', { bill: 'refund', amountFen: 100 }, 'bill', 100],
  ['bill_row_set_aside', { cells: {} }, 'bill', 0],
  ['parcel_problem', { waybill: 'W' }, 'goods', 0],
])('%s %j is written off as %s, %i fen', (kind, detail, side, amountFen) => {
  expect(writeOffOf(kind, detail)).toEqual({ side, amountFen })
})
