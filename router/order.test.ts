import { describe, expect, test } from 'vitest'
import { newOrder, stateOf, takeRefund, takeSnapshot } from './order.ts'
import type { Task } from './task.ts'
import { key, line, noReceiver, receiver, refund, snapshot, task } from './testing/orders.ts'
import { fc, runs } from './testing/seed.ts'
import type { Allocation, Order, OrderSnapshot, OrderState, RefundSnapshot } from './types.ts'

const none = newOrder(key, '1')
const paid = snapshot()

describe('a snapshot', () => {
  test.each<[why: string, known: OrderSnapshot | null, told: OrderSnapshot, outcome: string]>([
    ['the first', null, paid, 'taken'],
    ['the same again', paid, snapshot(), 'unchanged'],
    [
      'the same with its lines shuffled',
      snapshot({ lines: [line('1'), line('2')] }),
      snapshot({ lines: [line('2'), line('1')] }),
      'unchanged',
    ],
    ['newer', paid, snapshot({ modifiedAt: 11 }), 'taken'],
    ['older', paid, snapshot({ modifiedAt: 9 }), 'stale'],
    ['older, though it is further', paid, snapshot({ modifiedAt: 9, platformState: 'closed' }), 'stale'],
    ['newer, though it goes back', snapshot({ platformState: 'closed' }), snapshot({ modifiedAt: 11 }), 'taken'],
    ['within the second, further', paid, snapshot({ platformState: 'shipped' }), 'taken'],
    ['within the second, behind', paid, snapshot({ platformState: 'unpaid' }), 'stale'],
    ['within the second, locked', paid, snapshot({ platformState: 'on_hold' }), 'taken'],
    ['within the second, let go', snapshot({ platformState: 'on_hold' }), paid, 'stale'],
    [
      'within the second, locked before it left',
      snapshot({ platformState: 'shipped' }),
      locked('balance_paid'),
      'stale',
    ],
    ['within the second, the balance is paid and it may go', locked('deposit_paid'), presale('balance_paid'), 'taken'],
    [
      'within the second, the balance is paid and it is locked',
      presale('balance_paid'),
      locked('balance_paid'),
      'taken',
    ],
    ['within the second, the balance is paid', presale('deposit_paid'), presale('balance_paid'), 'taken'],
    ['within the second, the balance was not', presale('balance_paid'), presale('deposit_paid'), 'stale'],
    [
      'within the second, asked for later, though it goes back',
      pulled(refunding('requested'), 1),
      pulled(paid, 2),
      'taken',
    ],
    ['within the second, asked for earlier', pulled(paid, 2), pulled(refunding('requested'), 1), 'stale'],
    ['within the second, asked for later, the same', pulled(paid, 1), pulled(paid, 2), 'taken'],
    ['within the second, by one pull, behind', pulled(refunding('requested'), 1), pulled(paid, 1), 'stale'],
    ['older, though it was asked for later', paid, { ...pulled(paid, 2), modifiedAt: 9 }, 'stale'],
    ['within the second, a refund is asked for', paid, refunding('requested'), 'taken'],
    ['within the second, a refund is done', refunding('requested'), refunding('refunded'), 'taken'],
    ['within the second, a refund was only asked for', refunding('refunded'), refunding('requested'), 'stale'],
    ['within the second, a refund was withdrawn', refunding('requested'), refunding('closed'), 'taken'],
  ])('%s', (_, known, told, outcome) => {
    const before = known === null ? none : takeSnapshot(none, known).order
    const taken = takeSnapshot(before, told)
    expect(taken.outcome).toBe(outcome)
    if (outcome !== 'taken') expect(taken.order).toBe(before)
    else expect(taken.order).toEqual({ ...before, snapshot: told })
  })

  const elsewhere = { ...receiver, street: '另街2号' }
  const without = (change: Partial<OrderSnapshot>) => snapshot({ ...change, receiver: noReceiver })
  test.each<[why: string, told: OrderSnapshot[], outcomes: string[], expected: object]>([
    ['the known one is kept', [paid, without({ modifiedAt: 11 })], ['taken', 'taken'], receiver],
    ['told late', [without({ modifiedAt: 11 }), paid], ['taken', 'taken'], receiver],
    [
      'told again',
      [paid, without({ modifiedAt: 11 }), without({ modifiedAt: 11 })],
      ['taken', 'taken', 'unchanged'],
      receiver,
    ],
    ['its snapshot told again', [paid, without({ modifiedAt: 11 }), paid], ['taken', 'taken', 'stale'], receiver],
    [
      'an older one than the known one',
      [paid, without({ modifiedAt: 11 }), snapshot({ modifiedAt: 9, receiver: elsewhere })],
      ['taken', 'taken', 'stale'],
      receiver,
    ],
    [
      'a newer one than the known one, told late',
      [snapshot({ modifiedAt: 9 }), without({ modifiedAt: 11 }), snapshot({ receiver: elsewhere })],
      ['taken', 'taken', 'taken'],
      elsewhere,
    ],
    [
      'twice in a row, then another one',
      [
        paid,
        without({ modifiedAt: 11 }),
        without({ modifiedAt: 12 }),
        snapshot({ modifiedAt: 13, receiver: elsewhere }),
      ],
      ['taken', 'taken', 'taken', 'taken'],
      elsewhere,
    ],
    ['never told', [without({}), without({ modifiedAt: 11 })], ['taken', 'taken'], noReceiver],
  ])('that leaves the receiver out: %s', (_, told, outcomes, expected) => {
    let order = none
    const found = told.map((each) => {
      const taken = takeSnapshot(order, each)
      order = taken.order
      return taken.outcome
    })
    expect(found).toEqual(outcomes)
    expect(order.snapshot?.receiver).toEqual(expected)
  })

  test('with a receiver of its own keeps no rank of another', () => {
    const { order } = takeSnapshot(takeSnapshot(none, paid).order, without({ modifiedAt: 11 }))
    expect(order.snapshot).toHaveProperty('receiverRank')
    expect(takeSnapshot(order, snapshot({ modifiedAt: 12 })).order.snapshot).not.toHaveProperty('receiverRank')
  })

  test('has its lines in the order of their ids', () => {
    const { order } = takeSnapshot(none, snapshot({ lines: [line('b'), line('a'), line('c')] }))
    expect(order.snapshot!.lines.map((l) => l.lineId)).toEqual(['a', 'b', 'c'])
  })

  test('is known again, however its fields were kept', () => {
    const fields = Object.entries(snapshot({ sellerMemo: 'x' })).reverse()
    const known = takeSnapshot(none, Object.fromEntries(fields) as unknown as OrderSnapshot).order
    expect(takeSnapshot(known, snapshot({ sellerMemo: 'x' })).outcome).toBe('unchanged')
    expect(takeSnapshot(known, snapshot({ sellerMemo: 'w' })).outcome).toBe('stale')
    expect(takeSnapshot(known, snapshot({ sellerMemo: 'y' })).outcome).toBe('taken')
  })

  function pulled(told: OrderSnapshot, fetchNumber: number) {
    return { ...told, fetchNumber }
  }
  function presale(step: 'deposit_paid' | 'balance_paid') {
    return snapshot({ presale: { step, depositFen: 10 } })
  }
  function locked(step: 'deposit_paid' | 'balance_paid') {
    return { ...presale(step), platformState: 'on_hold' as const }
  }
  function refunding(status: RefundSnapshot['status']) {
    return snapshot({ lines: [line('1', { refund: status })] })
  }
})

describe('a refund', () => {
  test.each<[why: string, known: RefundSnapshot | null, told: RefundSnapshot, outcome: string]>([
    ['the first', null, refund(), 'taken'],
    ['the same again', refund(), refund(), 'unchanged'],
    ['newer', refund(), refund({ modifiedAt: 21, status: 'closed' }), 'taken'],
    ['older', refund(), refund({ modifiedAt: 19, status: 'refunded' }), 'stale'],
    ['within the second, further', refund(), refund({ status: 'closed' }), 'taken'],
    ['within the second, behind', refund({ status: 'refunded' }), refund({ status: 'closed' }), 'stale'],
    ['within the second, another amount', refund({ refundFen: 1 }), refund({ refundFen: 2 }), 'taken'],
    ['within the second, the first amount again', refund({ refundFen: 2 }), refund({ refundFen: 1 }), 'stale'],
    ['another one', refund({ refundId: 'R2' }), refund(), 'taken'],
  ])('%s', (_, known, told, outcome) => {
    const before = known === null ? none : takeRefund(none, known).order
    const taken = takeRefund(before, told)
    expect(taken.outcome).toBe(outcome)
    if (outcome !== 'taken') expect(taken.order).toBe(before)
    else expect(taken.order.refunds).toContain(told)
  })

  test('leaves the others as they are', () => {
    const [r1, r2, r3] = ['R1', 'R2', 'R3'].map((refundId) => refund({ refundId })) as [
      RefundSnapshot,
      RefundSnapshot,
      RefundSnapshot,
    ]
    const order = [r3, r1, r2].reduce((o: Order, r) => takeRefund(o, r).order, none)
    expect(order.refunds).toEqual([r1, r2, r3])
    const done = refund({ refundId: 'R2', status: 'refunded', modifiedAt: 30 })
    expect(takeRefund(order, done).order.refunds).toEqual([r1, done, r3])
  })
})

test('what is known in the end does not depend on the sequence, not even within one second', () => {
  const status = fc.constantFrom('none', 'requested', 'refunded', 'refused', 'closed') as fc.Arbitrary<
    RefundSnapshot['status']
  >
  const at = fc.integer({ min: 1, max: 3 })
  const anyEvent = fc.oneof(
    fc
      .record({
        modifiedAt: at,
        fetchNumber: fc.constantFrom(0, 1, 2),
        platformState: fc.constantFrom('unpaid', 'on_hold', 'ready', 'closed') as fc.Arbitrary<
          OrderSnapshot['platformState']
        >,
        presale: fc.constantFrom(null, { step: 'deposit_paid' as const, depositFen: 10 }),
        refund: status,
        sellerMemo: fc.constantFrom('', 'x'),
        receiver: fc.constantFrom(noReceiver, noReceiver, receiver, {
          ...receiver,
          street: '另街2号',
          adcode: '330206',
        }),
      })
      .map(({ refund: word, ...rest }) => snapshot({ ...rest, lines: [line('1', { refund: word })] })),
    fc
      .record({
        refundId: fc.constantFrom('R1', 'R2'),
        status,
        modifiedAt: at,
        refundFen: fc.integer({ min: 1, max: 2 }),
      })
      .map(refund),
  )
  const takeAll = (events: readonly (OrderSnapshot | RefundSnapshot)[]) =>
    events.reduce((o: Order, e) => (e.type === 'order' ? takeSnapshot(o, e) : takeRefund(o, e)).order, none)
  fc.assert(
    fc.property(
      fc
        .array(anyEvent, { minLength: 1, maxLength: 8 })
        .chain((events) =>
          fc.tuple(fc.constant(events), fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 })),
        ),
      ([events, shuffled]) => {
        const { snapshot: known } = takeAll(events)
        expect(takeAll(shuffled)).toEqual(takeAll(events))
        const told = events.filter((e) => e.type === 'order')
        if (told.some((e) => e.receiver.name !== '')) expect(known?.receiver.name).toBe(receiver.name)
        // Where the times tell which was the last receiver, it is that one.
        const last = told.filter((e) => e.receiver.name !== '').sort((a, b) => b.modifiedAt - a.modifiedAt)
        if (last.length > 0 && (last.length === 1 || last[0]!.modifiedAt > last[1]!.modifiedAt))
          expect(known?.receiver).toEqual(last[0]!.receiver)
      },
    ),
  )
})

/**
 * An order that changes and changes back, within one tick as well, at a platform that sends a notification at each
 * change. Two processes fetch for the notifications, at any time and for some of them twice. A fetch gets its number
 * before it asks, from the sequence of the notifications. Answers arrive in any sequence.
 */
test('what is pulled ends in what the platform shows in the end, whoever asks, and however the answers arrive', () => {
  const words = fc.constantFrom('none', 'requested') as fc.Arbitrary<RefundSnapshot['status']>
  const step = fc.oneof(
    fc.record({ what: fc.constant('changes' as const), word: words, underReview: fc.boolean(), ticks: fc.nat(1) }),
    fc.record({ what: fc.constant('begins' as const), notification: fc.nat(9) }),
    fc.record({ what: fc.constant('asks' as const), pull: fc.nat(9) }),
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), fc.infiniteStream(fc.nat(99)), (steps, chance) => {
      let now = snapshot()
      let number = 1
      const notifications = [number]
      const asked = new Set<number>()
      let underWay: { readonly notification: number; readonly pull: number }[] = []
      const answers: OrderSnapshot[] = []
      const begin = (notification: number) => {
        underWay.push({ notification, pull: asked.has(notification) ? ++number : notification })
        asked.add(notification)
      }
      const ask = (i: number) => {
        const { pull } = underWay[i]!
        underWay = underWay.filter((_, at) => at !== i)
        answers.push({ ...now, fetchNumber: pull })
      }
      for (const one of steps) {
        if (one.what === 'changes') {
          const { modifiedAt } = now
          const change = { modifiedAt: modifiedAt + one.ticks, addressUnderReview: one.underReview }
          now = snapshot({ ...change, lines: [line('1', { refund: one.word })] })
          notifications.push(++number)
        } else if (one.what === 'begins') begin(notifications[one.notification % notifications.length]!)
        else if (underWay.length > 0) ask(one.pull % underWay.length)
      }
      for (const notification of notifications) if (!asked.has(notification)) begin(notification)
      while (underWay.length > 0) ask(chance.next().value! % underWay.length)
      const shuffled = answers.map((told) => ({ told, at: chance.next().value! })).sort((a, b) => a.at - b.at)
      const { snapshot: known } = shuffled.reduce((o: Order, { told }) => takeSnapshot(o, told).order, none)
      expect({ ...known, fetchNumber: 0 }).toEqual(now)
    }),
    { numRuns: runs(1_000) },
  )
})

describe('the state', () => {
  const at = (place: Allocation['place'], quantity = 1): Allocation => ({
    item: 0,
    quantity,
    place,
    taskId: place === 'task' ? '1-1' : null,
  })
  const shippedOf = (shipped: number, quantity = shipped): Task => task({ lines: [{ sku: 'A', quantity, shipped }] })
  test.each<[state: OrderState, allocations: Allocation[], tasks: Task[], change?: Partial<Order>]>([
    ['announced', [], [], { snapshot: null }],
    ['unpaid', [at('held')], [], { snapshot: snapshot({ platformState: 'unpaid' }) }],
    ['held', [at('held')], []],
    ['held', [at('held'), at('backordered'), at('task')], [shippedOf(0, 1)]],
    ['backordered', [at('backordered'), at('task')], [shippedOf(0, 1)]],
    ['backordered', [at('backordered'), at('cancelled')], []],
    ['routed', [at('task')], [shippedOf(0, 1)]],
    ['routed', [at('task'), at('cancelled')], [shippedOf(0, 1)]],
    ['partly_shipped', [at('task', 2)], [shippedOf(1, 2)]],
    ['partly_shipped', [at('task'), at('held')], [shippedOf(1)]],
    ['partly_shipped', [at('task'), at('backordered')], [shippedOf(1)]],
    ['shipped', [at('task')], [shippedOf(1)]],
    ['shipped', [at('task'), at('cancelled')], [shippedOf(1)]],
    ['closed', [at('task')], [shippedOf(1)], { state: 'closed' }],
    ['routed', [at('task')], [shippedOf(0, 1)], { state: 'closed' }],
    ['cancelled', [at('cancelled')], []],
    ['cancelled', [at('cancelled')], [task({ state: 'cancelled' })]],
    ['cancelled', [at('cancelled')], [], { snapshot: snapshot({ platformState: 'unpaid' }) }],
  ])('is %s', (state, allocations, tasks, change) => {
    expect(stateOf({ ...none, snapshot: paid, allocations, ...change }, tasks)).toBe(state)
  })
})
