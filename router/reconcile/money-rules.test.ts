/** When an order closes though its money or its goods went another way than planned. */
import { describe, expect, test } from 'vitest'
import { reconcile } from '../reconcile.ts'
import { fc } from '../testing/seed.ts'
import type { SnapshotLine } from '../types.ts'
import type { ReconcileInput } from './types.ts'
import { agreeingWorld, billRow, deliveredAt, paidAt, shippedAt } from './world.ts'
import {
  cancelled,
  refundedInBill,
  withBills,
  withLineRefund,
  withOrder,
  withSnapshot,
  withTrack,
} from './world-changes.ts'

const line = { quantity: 2, paidFen: 1_000, cancelled: false, task: 0 }
const simple = agreeingWorld({ lines: [line], freightFen: 10 })
const kinds = (input: ReconcileInput) => reconcile(input).exceptions.map(({ kind }) => kind)

/** All of it is refunded by the platform's word of this time, and the bill says so. */
const refundedAt = (modifiedAt: number, input: ReconcileInput = simple) =>
  refundedInBill(withSnapshot(input, { platformState: 'closed', modifiedAt }), 1_010)

describe('a refund without goods', () => {
  test.each<[string, ReconcileInput, string[]]>([
    ['after the delivery', refundedAt(deliveredAt + 1), []],
    ['before the delivery: he should not have got them', refundedAt(deliveredAt - 1), ['shipped_but_refunded']],
    [
      'while the parcel is on its way',
      refundedAt(shippedAt + 1, withTrack(simple, 'in_transit')),
      ['parcel_in_transit', 'shipped_but_refunded'],
    ],
    [
      'of one line, by its own word',
      refundedInBill(withLineRefund(withSnapshot(simple, { modifiedAt: deliveredAt + 1 }), 'refunded'), 1_000),
      [],
    ],
    [
      'after the delivery, and the money did not come',
      withSnapshot(simple, { platformState: 'closed', modifiedAt: deliveredAt + 1 }),
      ['refund_missing'],
    ],
  ])('%s', (_, input, expected) => {
    expect(kinds(input)).toEqual(expected)
  })
})

describe('a deposit whose balance never came', () => {
  const deposit = (change: object = {}) =>
    withSnapshot(withLineRefund({ ...cancelled(simple), bills: [billRow('payment', 'p', 200)] }, 'refunded'), {
      platformState: 'closed',
      presale: { step: 'deposit_paid', depositFen: 200 },
      ...change,
    })
  const ownRefund = { type: 'refund', channel: 'wechat', shop: 'shop', orderId: 'order', refundId: 'r' } as const

  test('stays with the shop', () => {
    expect(reconcile(deposit())).toMatchObject({ state: 'closed', funds: { expectedFen: 200, refundExpectedFen: 0 } })
  })

  test('goes back where a refund of its own says so', () => {
    const told = withOrder(deposit(), {
      refunds: [{ ...ownRefund, lineId: null, status: 'refunded', refundFen: 200, modifiedAt: 9 }],
    })
    expect(kinds(told)).toEqual(['refund_missing'])
    expect(kinds(refundedInBill(told, 200))).toEqual([])
  })

  test('is owed while the platform has not closed the order', () => {
    expect(kinds(withLineRefund(deposit({ platformState: 'on_hold' }), 'none'))).toEqual(['cancelled_but_not_refunded'])
  })

  test('is expected in a bill', () => {
    expect(kinds(withBills(deposit(), () => null))).toEqual(['payment_missing'])
  })
})

describe('some units of a line are refunded', () => {
  const withUnits = (input: ReconcileInput, units: number): ReconcileInput => {
    const lines = input.order.snapshot!.lines.map((told, i) =>
      i === 0 ? ({ ...told, refundUnits: { requested: 0, refunded: units } } as SnapshotLine) : told,
    )
    return withSnapshot(input, { lines })
  }
  const three = agreeingWorld({ lines: [{ ...line, quantity: 3, paidFen: 3_000 }], freightFen: 0 })

  test.each<[string, ReconcileInput, string[]]>([
    ['and their price came', refundedInBill(withUnits(three, 1), 1_000), []],
    ['and nothing came', withUnits(three, 1), ['refund_missing']],
    ['and a fen less came', refundedInBill(withUnits(three, 1), 999), ['refund_short']],
    ['and two were paid', refundedInBill(withUnits(three, 1), 2_000), ['refund_over']],
    ['and their price came in two parts', refundedInBill(refundedInBill(withUnits(three, 2), 1_500), 500), []],
  ])('%s', (_, input, expected) => {
    expect(kinds(input)).toEqual(expected)
  })

  test('the fen that do not divide may go with any of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.nat(5_000), fc.nat(), (quantity, paidFen, some) => {
        const units = 1 + (some % (quantity - 1))
        const world = agreeingWorld({ lines: [{ ...line, quantity, paidFen: paidFen + 1 }], freightFen: 0 })
        const exactFen = ((paidFen + 1) * units) / quantity
        for (const fen of [Math.floor(exactFen), Math.ceil(exactFen)])
          if (fen > 0) expect(kinds(refundedInBill(withUnits(world, units), fen))).toEqual([])
        expect(kinds(refundedInBill(withUnits(world, units), Math.ceil(exactFen) + 1))).toEqual(['refund_over'])
      }),
    )
  })
})

describe('what comes in parts', () => {
  const ownRefund = { type: 'refund', channel: 'wechat', shop: 'shop', orderId: 'order', status: 'refunded' } as const
  const refunds = [300, 200].map((refundFen, i) => ({
    ...{ ...ownRefund, refundId: `r${i}`, lineId: 'line-0', refundFen, modifiedAt: deliveredAt + i },
  }))
  const twice = withOrder(simple, { refunds })

  test.each<[string, ReconcileInput, [string, number][]]>([
    ['nothing has come', twice, [['refund_missing', deliveredAt]]],
    ['one of two refunds has come', refundedInBill(twice, 300), [['refund_missing', deliveredAt + 1]]],
    ['both have come', refundedInBill(refundedInBill(twice, 300), 200), []],
    ['both have come, a fen short', refundedInBill(refundedInBill(twice, 300), 199), [['refund_short', paidAt]]],
    [
      'the deposit has come, and the balance not yet',
      withSnapshot(
        withBills(simple, () => 100),
        { presale: { step: 'balance_paid', depositFen: 100 } },
      ),
      [['payment_missing', paidAt]],
    ],
    [
      'the deposit has come a fen short',
      withSnapshot(
        withBills(simple, () => 99),
        { presale: { step: 'balance_paid', depositFen: 100 } },
      ),
      [['payment_short', paidAt]],
    ],
  ])('%s', (_, input, expected) => {
    expect(reconcile(input).exceptions.map(({ kind, since }) => [kind, since])).toEqual(expected)
  })
})

describe('a refund in a bill', () => {
  const told = refundedAt(deliveredAt + 1)
  const word = (progress: 'pending' | 'failed' | 'done') => ({
    ...told,
    bills: told.bills.map((row) => (row.kind === 'refund' ? { ...row, progress } : row)),
  })

  test.each<['pending' | 'failed' | 'done', string[], number]>([
    ['done', [], 1_010],
    ['pending', ['refund_missing'], 0],
    ['failed', ['refund_missing'], 0],
  ])('that is %s', (progress, expected, refundedFen) => {
    expect(kinds(word(progress))).toEqual(expected)
    expect(reconcile(word(progress)).funds).toMatchObject({ refundedFen })
  })
})
