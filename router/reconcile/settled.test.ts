/** What a person settled and wrote off, in the match. */
import { expect, test } from 'vitest'
import { reconcile } from '../reconcile.ts'
import { fc } from '../testing/seed.ts'
import type { ReconcileInput } from './types.ts'
import { agreeingWorld } from './world.ts'
import { refundedInBill, withBills, withOrder, withTrack } from './world-changes.ts'
import { writeOffOf } from './write-off.ts'

const line = { quantity: 2, paidFen: 1_000, cancelled: false, task: 0 }
const simple = agreeingWorld({ lines: [line], freightFen: 10 })
const short = withBills(simple, (row) => row.amountFen - 1)

/** Each open difference is written off, as the store does it. */
function withWriteOffs(input: ReconcileInput): ReconcileInput {
  const { exceptions } = reconcile(input)
  return {
    ...input,
    writeOffs: [...(input.writeOffs ?? []), ...exceptions.map(({ kind, detail }) => writeOffOf(kind, detail))],
    accepted: [...(input.accepted ?? []), ...exceptions],
  }
}

test('a difference of money that is written off closes the order, whichever way and however large', () => {
  const amounts = fc.record({
    paidFen: fc.nat(2_000),
    backFen: fc.nat(500),
    again: fc.integer({ min: -900, max: 900 }),
  })
  fc.assert(
    fc.property(amounts, ({ paidFen, backFen, again }) => {
      const billed = refundedInBill(
        withBills(simple, () => paidFen),
        backFen,
      )
      const written = withWriteOffs(billed)
      expect(reconcile(written)).toMatchObject({ state: 'closed', exceptions: [] })
      // More comes later: that is another difference, and it can be written off as well.
      const more = refundedInBill({ ...written, bills: billed.bills }, Math.abs(again))
      expect(reconcile(more).state).toBe(again === 0 ? 'closed' : 'open')
      expect(reconcile(withWriteOffs(more)).state).toBe('closed')
    }),
  )
})

test('what was written off is shown, and the payment that comes after all is too much by it', () => {
  const written = withWriteOffs(short)
  expect(reconcile(written).funds).toMatchObject({
    expectedFen: 1_010,
    receivedFen: 1_009,
    writtenOffFen: 1,
    agrees: true,
  })
  expect(reconcile({ ...written, bills: simple.bills }).exceptions).toMatchObject([
    { kind: 'payment_over', detail: { expectedFen: 1_010, receivedFen: 1_010, writtenOffFen: 1 } },
  ])
})

test('a difference of goods that a person settled keeps nothing open while it is what it was', () => {
  const returning = withTrack(simple, 'returned')
  const [found] = reconcile(returning).exceptions
  const settled = { ...returning, accepted: [found!] }
  expect(reconcile(settled)).toMatchObject({
    ...{ state: 'closed', logistics: { agrees: true }, exceptions: [], accepted: [{ kind: 'parcel_returned' }] },
  })
  // The parcel is elsewhere now: another fact.
  const rejected = withTrack(settled, 'rejected')
  expect(reconcile(rejected)).toMatchObject({ state: 'open', exceptions: [{ kind: 'parcel_rejected' }] })
  const back = withTrack(
    { ...settled, accepted: [{ ...found!, detail: { ...found!.detail, waybill: 'other' } }] },
    'returned',
  )
  expect(reconcile(back)).toMatchObject({ state: 'open', exceptions: [{ kind: 'parcel_returned' }] })
})

test('what is settled hides nothing else of the order', () => {
  const both = withTrack(short, 'returned')
  const accepted = reconcile(both).exceptions.filter(({ kind }) => kind === 'parcel_returned')
  expect(reconcile({ ...both, accepted })).toMatchObject({
    ...{ state: 'open', funds: { agrees: false }, logistics: { agrees: true } },
    exceptions: [{ kind: 'payment_short' }],
  })
})

test('an order that is not known stays open', () => {
  const unknown = withOrder(simple, { snapshot: null })
  expect(reconcile({ ...unknown, accepted: reconcile(unknown).exceptions }).state).toBe('open')
})
