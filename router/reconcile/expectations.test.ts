import { describe, expect, test } from 'vitest'
import { reconcile } from '../reconcile.ts'
import { fc } from '../testing/seed.ts'
import { atTime, type ExpectationPolicy, nextDue } from './expectations.ts'
import type { ReconcileInput } from './types.ts'
import { agreeingWorld, paidAt, shippedAt } from './world.ts'
import { withSnapshot, withTrack } from './world-changes.ts'

const policy: ExpectationPolicy = {
  paymentMs: 1_000,
  refundMs: 2_000,
  movingMs: 3_000,
  deliveryMs: 9_000,
  returnMs: 9_500,
}
const line = { quantity: 2, paidFen: 1_000, cancelled: false, task: 0 }
const simple = agreeingWorld({ lines: [line], freightFen: 10 })
const closedAt = paidAt + 77
const at = (input: ReconcileInput, nowMs: number) => atTime(reconcile(input), nowMs, policy)

describe('what is to come is expected until its time, and missing from then on', () => {
  test.each<[string, ReconcileInput, number]>([
    ['payment_missing', { ...simple, bills: [] }, paidAt + 1_000],
    ['refund_missing', withSnapshot(simple, { platformState: 'closed', modifiedAt: closedAt }), closedAt + 2_000],
    ['parcel_not_moving', { ...simple, tracks: [] }, shippedAt + 3_000],
    ['parcel_not_moving', withTrack(simple, 'created'), shippedAt + 3_000],
    ['parcel_in_transit', withTrack(simple, 'out_for_delivery'), shippedAt + 9_000],
  ])('%s', (kind, input, due) => {
    const early = at(input, due - 1)
    expect(early.expected?.map((e) => [e.kind, e.due])).toEqual([[kind, due]])
    expect(early.exceptions.map((e) => e.kind)).not.toContain(kind)
    expect([early.state, nextDue(early)]).toEqual(['open', due])
    const late = at(input, due)
    expect(late.expected).toBeUndefined()
    expect(late.exceptions.filter((e) => e.kind === kind).map((e) => e.since)).toEqual([due])
    expect([late.state, nextDue(late)]).toEqual(['open', null])
  })
})

test('what is wrong is an exception at once', () => {
  const wrong = withTrack({ ...simple, bills: simple.bills.map((row) => ({ ...row, amountFen: 1 })) }, 'rejected')
  const { exceptions, expected } = at(wrong, 0)
  expect([exceptions.map((e) => e.kind), expected]).toEqual([['parcel_rejected', 'payment_short'], undefined])
})

test('an order whose flows agree says no more than before', () => {
  expect(at(simple, 0)).toEqual(reconcile(simple))
  expect(nextDue(at(simple, 0))).toBeNull()
})

test('nothing is lost and nothing is told twice, and the next time to look is always to come', () => {
  const worlds = fc.record({ billed: fc.boolean(), tracked: fc.boolean(), nowMs: fc.nat(20_000) })
  fc.assert(
    fc.property(worlds, ({ billed, tracked, nowMs }) => {
      const input = { ...simple, bills: billed ? simple.bills : [], tracks: tracked ? simple.tracks : [] }
      const match = reconcile(input)
      const timed = atTime(match, shippedAt + nowMs, policy)
      const told = [...timed.exceptions, ...(timed.expected ?? [])].map((e) => e.kind).sort()
      expect(told).toEqual(match.exceptions.map((e) => e.kind))
      expect(nextDue(timed) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(shippedAt + nowMs)
      expect(timed.state).toBe(match.state)
    }),
  )
})
