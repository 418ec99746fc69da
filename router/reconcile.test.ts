import { describe, expect, test } from 'vitest'
import type { ReconcileExceptionKind, ReconcileInput } from './reconcile/types.ts'
import { agreeingWorld, billRow, createdAt, deliveredAt, paidAt, shippedAt, type WorldSeed } from './reconcile/world.ts'
import {
  cancelled,
  firstTask,
  place,
  refundedInBill,
  shippedOff,
  withBills,
  withLineRefund,
  withOrder,
  withoutRefunds,
  withRefund,
  withSnapshot,
  withTrack,
} from './reconcile/world-changes.ts'
import { reconcile } from './reconcile.ts'
import { fc, runs } from './testing/seed.ts'

const line = fc.record({
  quantity: fc.integer({ min: 1, max: 5 }),
  paidFen: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1_000_000 })),
  cancelled: fc.boolean(),
  task: fc.integer({ min: 0, max: 2 }),
})
const seeds: fc.Arbitrary<WorldSeed> = fc.record({
  lines: fc.array(line, { minLength: 1, maxLength: 6 }),
  freightFen: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 })),
})
/** At least one line goes out, at least one is refunded and cancelled, and both cost something. */
const rich = seeds.map(({ lines, freightFen }) => ({
  freightFen,
  lines: [
    { quantity: 2, paidFen: 1_000, cancelled: false, task: 0 },
    { quantity: 1, paidFen: 700, cancelled: true, task: 0 },
    ...lines,
  ],
}))

const kinds = (input: ReconcileInput) => reconcile(input).exceptions.map((exception) => exception.kind)
const simple = agreeingWorld({ lines: [{ quantity: 2, paidFen: 1_000, cancelled: false, task: 0 }], freightFen: 10 })
const half = agreeingWorld({
  lines: [
    { quantity: 2, paidFen: 1_000, cancelled: false, task: 0 },
    { quantity: 1, paidFen: 700, cancelled: true, task: 0 },
  ],
  freightFen: 0,
})

describe('orders whose flows agree', () => {
  test('close, whatever their lines, tasks and parcels', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const result = reconcile(agreeingWorld(seed))
        expect(result.exceptions).toEqual([])
        expect(result).toMatchObject({
          state: 'closed',
          order: { agrees: true },
          funds: { agrees: true },
          logistics: { agrees: true },
        })
      }),
    )
  })

  test('say what was expected and what came', () => {
    expect(reconcile(half)).toEqual({
      order: { expectedUnits: 3, shippedUnits: 2, cancelledUnits: 1, returnedUnits: 0, agrees: true },
      funds: {
        ...{ expectedFen: 1_700, receivedFen: 1_700, refundExpectedFen: 700, refundedFen: 700 },
        ...{ feeFen: 14, agrees: true },
      },
      logistics: {
        ...{ expectedUnits: 2, expectedParcels: 1, deliveredUnits: 2, deliveredParcels: 1 },
        ...{ returnedParcels: 0, agrees: true },
      },
      state: 'closed',
      exceptions: [],
    })
  })

  test('say the same whatever came first, and said again', () => {
    const shuffled = <Value>(list: readonly Value[], order: readonly number[]) =>
      list
        .map((value, i) => [order[i % order.length] ?? 0, value] as const)
        .sort((a, b) => a[0] - b[0])
        .map(([, v]) => v)
    fc.assert(
      fc.property(rich, fc.array(fc.nat(), { minLength: 1 }), fc.nat(4), (seed, order, drop) => {
        const whole = agreeingWorld(seed)
        // Something is missing in most of them: the exceptions have to be the same as well.
        const input = { ...whole, tracks: whole.tracks.slice(drop), bills: whole.bills.slice(drop >> 1) }
        const other = {
          order: withOrder(input, { refunds: shuffled(input.order.refunds, order) }).order,
          tasks: shuffled(input.tasks, order).map((task) => ({ ...task, packages: shuffled(task.packages, order) })),
          tracks: shuffled(input.tracks, order),
          bills: shuffled(input.bills, order),
        }
        expect(reconcile(other)).toEqual(reconcile(input))
      }),
    )
  })
})

describe('any one thing altered opens the order, with its name', () => {
  const faults: [ReconcileExceptionKind, string, (input: ReconcileInput) => ReconcileInput][] = [
    [
      'payment_missing',
      'the payment row gone',
      (i) => withBills(i, (r) => (r.kind === 'payment' ? null : r.amountFen)),
    ],
    ['payment_short', 'a fen less paid', (i) => withBills(i, (r) => r.amountFen - (r.kind === 'payment' ? 1 : 0))],
    ['payment_over', 'a fen more paid', (i) => withBills(i, (r) => r.amountFen + (r.kind === 'payment' ? 1 : 0))],
    ['payment_over', 'paid twice', (i) => ({ ...i, bills: [...i.bills, { ...i.bills[0]!, ref: 'again' }] })],
    ['refund_missing', 'all refund rows gone', (i) => withBills(i, (r) => (r.kind === 'refund' ? null : r.amountFen))],
    ['refund_short', 'a fen less refunded', (i) => withBills(i, (r) => r.amountFen - (r.kind === 'refund' ? 1 : 0))],
    ['refund_over', 'refunded once more', (i) => ({ ...i, bills: [...i.bills, billRow('refund', 'again', 1)] })],
    ['refund_short', 'the platform says a fen more', (i) => withRefund(i, 1)],
    ['refund_over', 'the platform says a fen less', (i) => withRefund(i, -1)],
    ['refund_unexpected', 'the platform knows of no refund', withoutRefunds],
    ['cancelled_but_not_refunded', 'the platform knows of no refund', withoutRefunds],
    ['parcel_not_moving', 'a track gone', (i) => ({ ...i, tracks: i.tracks.slice(1) })],
    ['parcel_not_moving', 'only a waybill', (i) => withTrack(i, 'created')],
    ['parcel_in_transit', 'collected', (i) => withTrack(i, 'collected')],
    ['parcel_in_transit', 'on its way', (i) => withTrack(i, 'in_transit')],
    ['parcel_in_transit', 'with the courier', (i) => withTrack(i, 'out_for_delivery')],
    ['parcel_in_transit', 'forwarded', (i) => withTrack(i, 'forwarded')],
    ['parcel_problem', 'a problem', (i) => withTrack(i, 'exception')],
    ['parcel_returned', 'on its way back', (i) => withTrack(i, 'returning')],
    ['parcel_returned', 'back, and nobody knows of a return', (i) => withTrack(i, 'returned')],
    ['parcel_rejected', 'rejected', (i) => withTrack(i, 'rejected')],
    ['task_missing', 'a task gone', (i) => ({ ...i, tasks: i.tasks.slice(1) })],
    ['units_without_parcel', 'a package gone', (i) => firstTask(i, (t) => ({ ...t, packages: t.packages.slice(1) }))],
    ['parcel_over', 'a package too many', (i) => firstTask(i, (t) => ({ ...t, packages: [...t.packages, ...extra] }))],
    ['short_shipped', 'a unit fewer shipped', (i) => firstTask(i, (t) => ({ ...t, lines: shippedOff(t.lines, -1) }))],
    ['shipped_but_cancelled', 'a unit more', (i) => firstTask(i, (t) => ({ ...t, lines: shippedOff(t.lines, 1) }))],
    [
      'task_open',
      'a task still open',
      (i) => firstTask(i, (t) => ({ ...t, state: 'accepted', lines: shippedOff(t.lines, -1) })),
    ],
    ['shipped_but_refunded', 'closed by the platform', (i) => withSnapshot(i, { platformState: 'closed' })],
    ['shipped_but_refunded', 'a shipped line refunded', (i) => withLineRefund(i, 'refunded')],
    ['shipped_but_unpaid', 'unpaid after all', (i) => withSnapshot(i, { platformState: 'unpaid', paidAt: null })],
    ['order_unknown', 'no order', (i) => withOrder(i, { snapshot: null })],
  ]
  const extra = [{ carrier: 'SF', waybill: 'SF-extra', lines: [{ sku: 'sku-0', quantity: 1 }], shippedAt }]

  test.each(faults)('%s: %s', (kind, _, alter) => {
    fc.assert(
      fc.property(rich, (seed) => {
        const result = reconcile(alter(agreeingWorld(seed)))
        expect(result.state).toBe('open')
        expect(result.exceptions.map((exception) => exception.kind)).toContain(kind)
      }),
      { numRuns: runs(40) },
    )
  })
})

describe('named differences and nothing else', () => {
  test.each<[string, ReconcileInput, string[]]>([
    ['the bill is still to come', { ...simple, bills: [] }, ['payment_missing']],
    ['the parcel moves', withTrack(simple, 'in_transit'), ['parcel_in_transit']],
    [
      'a refund nobody knows of',
      { ...simple, bills: [...simple.bills, billRow('refund', 'r', 5)] },
      ['refund_unexpected'],
    ],
    ['a refund that was only asked for', withLineRefund(simple, 'requested'), []],
    ['the platform knows of the shipping', withSnapshot(simple, { platformState: 'completed' }), []],
    ['units are held', place(simple, 'held'), ['units_held']],
    ['units wait for stock', place(simple, 'backordered'), ['units_backordered']],
    [
      'the platform says shipped, we did not',
      withSnapshot(place(simple, 'held'), { platformState: 'shipped' }),
      ['platform_ahead', 'units_held'],
    ],
    [
      'the platform says partly shipped, we did nothing',
      withSnapshot(place(simple, 'held'), { platformState: 'partly_shipped' }),
      ['platform_ahead', 'units_held'],
    ],
    [
      'we cancelled, the platform says completed',
      withSnapshot(cancelled(simple), { platformState: 'completed' }),
      ['cancelled_but_not_refunded', 'platform_ahead'],
    ],
    ['we cancelled, the buyer has no money back', cancelled(simple), ['cancelled_but_not_refunded']],
    [
      'closed after payment, the refund is to come',
      withSnapshot(cancelled(simple), { platformState: 'closed' }),
      ['refund_missing'],
    ],
    [
      'closed after payment, refunded',
      refundedInBill(withSnapshot(cancelled(simple), { platformState: 'closed' }), 1_010),
      [],
    ],
    [
      'closed after payment, freight kept',
      refundedInBill(withSnapshot(cancelled(simple), { platformState: 'closed' }), 1_000),
      ['refund_short'],
    ],
    [
      'never paid, closed',
      withSnapshot({ ...cancelled(simple), bills: [] }, { platformState: 'closed', paidAt: null }),
      [],
    ],
    [
      'never paid, closed, but a payment came',
      withSnapshot(cancelled(simple), { platformState: 'closed', paidAt: null }),
      ['payment_over'],
    ],
    [
      'a deposit is forfeited',
      withSnapshot(
        { ...cancelled(simple), bills: [billRow('payment', 'p', 100)] },
        { platformState: 'closed', presale: { step: 'forfeited', depositFen: 100 } },
      ),
      [],
    ],
    ['came back, and was returned', withTrack(place(simple, 'returned'), 'returned'), []],
    ['a carrier by another name', { ...simple, tracks: simple.tracks.map((t) => ({ ...t, carrier: 'shunfeng' })) }, []],
    [
      'a carrier that nobody knows',
      { ...simple, tracks: simple.tracks.map((t) => ({ ...t, carrier: 'mystery' })) },
      [],
    ],
    [
      'the same number at another carrier',
      { ...simple, tracks: simple.tracks.map((t) => ({ ...t, carrier: 'yuantong' })) },
      ['parcel_not_moving'],
    ],
    [
      "somebody else's track",
      { ...simple, tracks: [...simple.tracks, { ...simple.tracks[0]!, waybill: 'X', state: 'exception' }] },
      [],
    ],
  ])('%s', (_, input, expected) => {
    expect(kinds(input)).toEqual(expected)
    expect(reconcile(input).state).toBe(expected.length === 0 ? 'closed' : 'open')
  })

  test.each<[string, ReconcileInput, number]>([
    ['a missing payment', { ...simple, bills: [] }, paidAt],
    ['a missing payment without its time', withSnapshot({ ...simple, bills: [] }, { paidAt: null }), createdAt],
    ['a parcel on its way', withTrack(simple, 'in_transit'), shippedAt],
    ['a parcel with a problem', withTrack(simple, 'exception'), deliveredAt],
  ])('%s has its age from the data', (_, input, since) => {
    expect(reconcile(input).exceptions).toMatchObject([{ since }])
  })

  test('one exception a parcel, named by its waybill', () => {
    const two = agreeingWorld({
      lines: [0, 1].map((task) => ({ quantity: 1, paidFen: 5, cancelled: false, task })),
      freightFen: 0,
    })
    expect(reconcile({ ...two, tracks: [] }).exceptions.map(({ kind, of }) => [kind, of])).toEqual([
      ['parcel_not_moving', 'SF00'],
      ['parcel_not_moving', 'SF10'],
    ])
  })
})
