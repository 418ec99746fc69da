import { describe, expect, test } from 'vitest'
import { isChanged } from './task.ts'
import { line, receiver, refund, snapshot } from './testing/orders.ts'
import { allBut, allFromOneNode, type Told, World, wrongIn } from './testing/world.ts'
import type { OrderSnapshot, SnapshotLine } from './types.ts'

/** Line 1 is one A, line 2 two B, each for 100 fen. */
const two = [line('1'), line('2', { sku: 'B', quantity: 2 })]
/** A price difference: five times one fen. */
const virtual = line('3', { sku: 'V', quantity: 5, paidFen: 5 })
const withVirtual = [two[0]!, virtual]
/** The n-th change of an order of two lines. */
function told(n: number, change: Partial<OrderSnapshot> = {}): OrderSnapshot {
  return snapshot({ lines: two, modifiedAt: 10 * n, ...change })
}
const paid = told(1)
const human = { buyerMessage: '先别发' }
const moved = { receiver: { ...receiver, city: '宁波市', adcode: '330206' } }
const street = { receiver: { ...receiver, street: '别街2号' } }
const all = { lineId: null, refundFen: 200 }
const withRefund = (status: 'requested' | 'refunded' | 'closed' | 'refused') =>
  two.map((l, i) => (i === 0 ? { ...l, refund: status } : l))

/** What happened to the order before the events of a case. */
const given: Record<string, () => World> = {
  unknown: () => new World(),
  unpaid: () => new World().tell(told(1, { platformState: 'unpaid', paidAt: null })),
  ready: () => new World().tell(paid),
  pulled: () => acting(new World().tell(paid), (w) => w.pull('1-1')),
  accepted: () => acting(given.pulled!(), (w) => w.accept('1-1')),
  shipped: () => acting(given.pulled!(), (w) => w.ship('1-1')),
  'partly shipped': () => acting(given.pulled!(), (w) => w.ship('1-1', [{ sku: 'B', quantity: 1 }])),
  backordered: () => new World(allBut('B')).tell(paid),
  'pulled, backordered': () => acting(given.backordered!(), (w) => w.pull('1-1')),
  'A shipped, B backordered': () => acting(given['pulled, backordered']!(), (w) => w.ship('1-1')),
}

function acting(world: World, act: (world: World) => boolean): World {
  expect(act(world)).toBe(true)
  return world
}

function expectAll(world: World, state: string, where: string, holds = ''): void {
  expect({ state: world.order.state, where: world.where, holds: world.holds }).toEqual({ state, where, holds })
  expect(wrongIn(world)).toEqual([])
}

/** Tasks whose owner has to be told of another receiver. */
const changedIn = (world: World): string =>
  world.tasks
    .filter(isChanged)
    .map((t) => t.taskId)
    .join(' ')

describe('before anything is sourced', () => {
  test.each<[why: string, events: Told[], state: string, where: string, holds?: string]>([
    ['paid', [paid], 'routed', 'A×1 ready, B×2 ready'],
    ['paid, and told again', [paid, paid], 'routed', 'A×1 ready, B×2 ready'],
    ['unpaid', [told(1, { platformState: 'unpaid' })], 'unpaid', 'A×1 held, B×2 held', 'unpaid'],
    ['unpaid, then paid', [told(1, { platformState: 'unpaid' }), told(2)], 'routed', 'A×1 ready, B×2 ready'],
    [
      'paid, then late news of when it was not',
      [told(2), told(1, { platformState: 'unpaid' })],
      'routed',
      'A×1 ready, B×2 ready',
    ],
    [
      'unpaid, then closed',
      [told(1, { platformState: 'unpaid' }), told(2, { platformState: 'closed' })],
      'cancelled',
      'A×1 cancelled, B×2 cancelled',
    ],
    ['paid, then closed', [paid, told(2, { platformState: 'closed' })], 'cancelled', 'A×1 cancelled, B×2 cancelled'],
    [
      'closed, then late news of its payment',
      [told(2, { platformState: 'closed' }), paid],
      'cancelled',
      'A×1 cancelled, B×2 cancelled',
    ],
    ['closed, then open again', [told(1, { platformState: 'closed' }), told(2)], 'routed', 'A×1 ready, B×2 ready'],
    ['on hold at the platform', [told(1, { platformState: 'on_hold' })], 'held', 'A×1 held, B×2 held', 'platform_hold'],
    ['on hold, then let go', [told(1, { platformState: 'on_hold' }), told(2)], 'routed', 'A×1 ready, B×2 ready'],
    [
      'a deposit',
      [told(1, { platformState: 'unpaid', presale: { step: 'deposit_paid', depositFen: 10 } })],
      'unpaid',
      'A×1 held, B×2 held',
      'unpaid presale_balance',
    ],
    [
      'a deposit, then the balance',
      [
        told(1, { platformState: 'on_hold', presale: { step: 'deposit_paid', depositFen: 10 } }),
        told(2, { presale: { step: 'balance_paid', depositFen: 10 } }),
      ],
      'routed',
      'A×1 ready, B×2 ready',
    ],
    [
      'a deposit, forfeited',
      [told(1, { platformState: 'unpaid', presale: { step: 'forfeited', depositFen: 10 } })],
      'cancelled',
      'A×1 cancelled, B×2 cancelled',
    ],
    ['shipped by somebody', [told(1, { platformState: 'shipped' })], 'held', 'A×1 held, B×2 held', 'platform_ahead'],
    [
      'shipped by somebody, a person lets it go',
      [told(1, { platformState: 'shipped' }), { type: 'approve' }],
      'routed',
      'A×1 ready, B×2 ready',
    ],
    ['a line of what is never sent', [told(1, { lines: withVirtual })], 'routed', 'A×1 ready, V×5 virtual'],
    ['nothing but what is never sent', [told(1, { lines: [virtual] })], 'shipped', 'V×5 virtual'],
    [
      'nothing but what is never sent, and the platform says shipped',
      [told(1, { lines: [virtual] }), told(2, { lines: [virtual], platformState: 'shipped' })],
      'shipped',
      'V×5 virtual',
    ],
    [
      'nothing but what is never sent, unpaid',
      [told(1, { lines: [virtual], platformState: 'unpaid' })],
      'unpaid',
      'V×5 held',
      'unpaid',
    ],
    [
      'nothing but what is never sent, then closed',
      [told(1, { lines: [virtual] }), told(2, { lines: [virtual], platformState: 'closed' })],
      'cancelled',
      'V×5 cancelled',
    ],
    ['a note', [told(1, human)], 'held', 'A×1 held, B×2 held', 'human_wanted'],
    ['a note, a person lets it go', [told(1, human), { type: 'approve' }], 'routed', 'A×1 ready, B×2 ready'],
    [
      'a note, released, then put on hold by the platform',
      [told(1, human), { type: 'approve' }, told(2, { ...human, platformState: 'on_hold' })],
      'held',
      'A×1 held, B×2 held',
      'platform_hold',
    ],
    [
      'an unknown SKU cannot be let go',
      [told(1, { lines: [line('1', { sku: 'Z' })] }), { type: 'approve' }],
      'held',
      'Z×1 held',
      'unknown_sku',
    ],
    [
      'a note, cancelled by the operator',
      [told(1, human), { type: 'cancel' }],
      'cancelled',
      'A×1 cancelled, B×2 cancelled',
    ],
    [
      'cancelled by the operator, then news',
      [paid, { type: 'cancel' }, told(2, human)],
      'cancelled',
      'A×1 cancelled, B×2 cancelled',
    ],
    [
      'a bundle',
      [told(1, { lines: [line('1', { sku: 'SET', quantity: 3, paidFen: 101 })] })],
      'routed',
      'A×6 ready, B×3 ready',
    ],
    ['two lines of one SKU', [told(1, { lines: [line('1'), line('2', { quantity: 2 })] })], 'routed', 'A×3 ready'],
  ])('%s', (_, events, state, where, holds) => {
    const world = new World()
    for (const event of events) world.tell(event)
    expectAll(world, state, where, holds)
    // At once, they end the same.
    const atOnce = new World().tell(...events)
    if (!events.some((e) => e.type === 'approve')) expectAll(atOnce, state, where, holds)
  })
})

describe('refunds before anything is pulled', () => {
  test.each<[why: string, events: Told[], state: string, where: string, holds?: string]>([
    ['of a line, before the order is known', [refund()], 'announced', ''],
    ['of a line, then the order', [refund(), paid], 'held', 'A×1 held, B×2 ready', 'refund_requested'],
    [
      'of all, done, then the order',
      [refund({ ...all, status: 'refunded' }), paid],
      'cancelled',
      'A×1 cancelled, B×2 cancelled',
    ],
    ['of a line', [paid, refund()], 'held', 'A×1 held, B×2 ready', 'refund_requested'],
    [
      'of a line, withdrawn',
      [paid, refund(), refund({ status: 'closed', modifiedAt: 30 })],
      'routed',
      'A×1 ready, B×2 ready',
    ],
    [
      'of a line, refused',
      [paid, refund(), refund({ status: 'refused', modifiedAt: 30 })],
      'routed',
      'A×1 ready, B×2 ready',
    ],
    [
      'of a line, done',
      [paid, refund(), refund({ status: 'refunded', modifiedAt: 30 })],
      'routed',
      'A×1 cancelled, B×2 ready',
    ],
    [
      'of a line, done, then late news of its request',
      [paid, refund({ status: 'refunded', modifiedAt: 30 }), refund()],
      'routed',
      'A×1 cancelled, B×2 ready',
    ],
    [
      'of a line, done, then late news of the order',
      [told(5), refund({ status: 'refunded' }), paid],
      'routed',
      'A×1 cancelled, B×2 ready',
    ],
    [
      'of a line, then a newer order that says nothing of it',
      [paid, refund(), told(5)],
      'held',
      'A×1 held, B×2 ready',
      'refund_requested',
    ],
    ['of a line, in part', [paid, refund({ status: 'refunded', refundFen: 30 })], 'routed', 'A×1 ready, B×2 ready'],
    ['of all', [paid, refund(all)], 'held', 'A×1 held, B×2 held', 'refund_requested'],
    [
      'of all, withdrawn',
      [paid, refund(all), refund({ ...all, status: 'closed', modifiedAt: 30 })],
      'routed',
      'A×1 ready, B×2 ready',
    ],
    ['of all, done', [paid, refund({ ...all, status: 'refunded' })], 'cancelled', 'A×1 cancelled, B×2 cancelled'],
    [
      'of all, a rebate',
      [paid, refund({ ...all, refundFen: 50, status: 'refunded' })],
      'routed',
      'A×1 ready, B×2 ready',
    ],
    [
      'of each line, one after the other',
      [paid, refund({ status: 'refunded' }), refund({ refundId: 'R2', lineId: '2', status: 'refunded' })],
      'cancelled',
      'A×1 cancelled, B×2 cancelled',
    ],
    [
      'told by the order alone',
      [paid, told(2, { lines: withRefund('requested') })],
      'held',
      'A×1 held, B×2 ready',
      'refund_requested',
    ],
    [
      'told and withdrawn by the order alone',
      [paid, told(2, { lines: withRefund('requested') }), told(3, { lines: withRefund('closed') })],
      'routed',
      'A×1 ready, B×2 ready',
    ],
  ])('%s', (_, events, state, where, holds) => {
    const world = new World()
    for (const event of events) world.tell(event)
    expectAll(world, state, where, holds)
    expectAll(new World().tell(...events), state, where, holds)
  })
})

describe('what was under way when it came', () => {
  const rest = [refund({ status: 'refunded' }), refund({ refundId: 'R2', lineId: '2', status: 'refunded' })]
  test.each<
    [before: string, what: string, events: Told[], state: string, where: string, holds?: string, changed?: string]
  >([
    ['ready', 'closed', [told(5, { platformState: 'closed' })], 'cancelled', 'A×1 cancelled, B×2 cancelled'],
    ['pulled', 'closed', [told(5, { platformState: 'closed' })], 'routed', 'A×1 pulled!, B×2 pulled!'],
    ['accepted', 'closed', [told(5, { platformState: 'closed' })], 'routed', 'A×1 accepted!, B×2 accepted!'],
    ['shipped', 'closed', [told(5, { platformState: 'closed' })], 'shipped', 'A×1 shipped, B×2 shipped'],
    [
      'partly shipped',
      'closed',
      [told(5, { platformState: 'closed' })],
      'partly_shipped',
      'A×1 accepted!, B×2 accepted!',
    ],
    ['backordered', 'closed', [told(5, { platformState: 'closed' })], 'cancelled', 'A×1 cancelled, B×2 cancelled'],
    [
      'A shipped, B backordered',
      'closed',
      [told(5, { platformState: 'closed' })],
      'shipped',
      'A×1 shipped, B×2 cancelled',
    ],
    ['ready', 'cancelled by the operator', [{ type: 'cancel' }], 'cancelled', 'A×1 cancelled, B×2 cancelled'],
    ['pulled', 'cancelled by the operator', [{ type: 'cancel' }], 'routed', 'A×1 pulled!, B×2 pulled!'],
    ['shipped', 'cancelled by the operator', [{ type: 'cancel' }], 'shipped', 'A×1 shipped, B×2 shipped'],
    ['ready', 'a line is asked back', [refund()], 'held', 'A×1 held, B×2 ready', 'refund_requested'],
    ['pulled', 'a line is asked back', [refund()], 'routed', 'A×1 pulled!, B×2 pulled!', 'refund_requested'],
    [
      'pulled',
      'a line is asked back, then not',
      [refund(), refund({ status: 'closed', modifiedAt: 30 })],
      'routed',
      'A×1 pulled, B×2 pulled',
    ],
    ['pulled', 'a line is refunded', [refund({ status: 'refunded' })], 'routed', 'A×1 pulled!, B×2 pulled!'],
    [
      'pulled',
      'a part of a line is refunded',
      [refund({ status: 'refunded', refundFen: 1 })],
      'routed',
      'A×1 pulled, B×2 pulled',
    ],
    ['shipped', 'a line is asked back', [refund()], 'shipped', 'A×1 shipped, B×2 shipped'],
    ['shipped', 'all is refunded', [refund({ ...all, status: 'refunded' })], 'shipped', 'A×1 shipped, B×2 shipped'],
    [
      'A shipped, B backordered',
      'the rest is asked back',
      [refund({ lineId: '2' })],
      'partly_shipped',
      'A×1 shipped, B×2 held',
      'refund_requested',
    ],
    [
      'A shipped, B backordered',
      'the rest is refunded',
      [refund({ lineId: '2', status: 'refunded' })],
      'shipped',
      'A×1 shipped, B×2 cancelled',
    ],
    ['A shipped, B backordered', 'every line is refunded', rest, 'shipped', 'A×1 shipped, B×2 cancelled'],
    [
      'pulled, backordered',
      'the backordered line is refunded',
      [refund({ lineId: '2', status: 'refunded' })],
      'routed',
      'A×1 pulled, B×2 cancelled',
    ],
    ['ready', 'a note', [told(5, human)], 'held', 'A×1 held, B×2 held', 'human_wanted'],
    ['pulled', 'a note', [told(5, human)], 'routed', 'A×1 pulled!, B×2 pulled!', 'human_wanted'],
    ['pulled', 'a note, taken back', [told(5, human), told(6)], 'routed', 'A×1 pulled, B×2 pulled'],
    [
      'pulled',
      'a note, a person lets it go',
      [told(5, human), { type: 'approve' }],
      'routed',
      'A×1 pulled, B×2 pulled',
    ],
    ['shipped', 'a note', [told(5, human)], 'shipped', 'A×1 shipped, B×2 shipped'],
    ['A shipped, B backordered', 'a note', [told(5, human)], 'partly_shipped', 'A×1 shipped, B×2 held', 'human_wanted'],
    [
      'ready',
      'put on hold by the platform',
      [told(5, { platformState: 'on_hold' })],
      'held',
      'A×1 held, B×2 held',
      'platform_hold',
    ],
    [
      'pulled',
      'on hold, then let go',
      [told(5, { platformState: 'on_hold' }), told(6)],
      'routed',
      'A×1 pulled, B×2 pulled',
    ],
    [
      'ready',
      'the platform says shipped',
      [told(5, { platformState: 'shipped' })],
      'held',
      'A×1 held, B×2 held',
      'platform_ahead',
    ],
    [
      'pulled',
      'the platform says shipped',
      [told(5, { platformState: 'shipped' })],
      'routed',
      'A×1 pulled, B×2 pulled',
    ],
    [
      'shipped',
      'the platform says shipped',
      [told(5, { platformState: 'shipped' })],
      'shipped',
      'A×1 shipped, B×2 shipped',
    ],
    [
      'backordered',
      'the platform says shipped',
      [told(5, { platformState: 'shipped' })],
      'held',
      'A×1 held, B×2 held',
      'platform_ahead',
    ],
    [
      'A shipped, B backordered',
      'the platform says shipped',
      [told(5, { platformState: 'shipped' })],
      'partly_shipped',
      'A×1 shipped, B×2 backordered',
    ],
    ['ready', 'another district', [told(5, moved)], 'routed', 'A×1 ready, B×2 ready'],
    ['pulled', 'another district', [told(5, moved)], 'routed', 'A×1 pulled, B×2 pulled', '', '1-1'],
    ['pulled', 'another street', [told(5, street)], 'routed', 'A×1 pulled, B×2 pulled', '', '1-1'],
    [
      'pulled',
      'the same words, found elsewhere',
      [told(5, { receiver: { ...receiver, adcode: '330206' } })],
      'routed',
      'A×1 pulled, B×2 pulled',
    ],
    ['shipped', 'another district', [told(5, moved)], 'shipped', 'A×1 shipped, B×2 shipped'],
    [
      'ready',
      'more of a line',
      [told(5, { lines: [line('1', { quantity: 3 }), two[1]!] })],
      'routed',
      'A×3 ready, B×2 ready',
    ],
    [
      'ready',
      'another SKU',
      [told(5, { lines: [line('1', { sku: 'C', platformSku: 'c' }), two[1]!] })],
      'routed',
      'B×2 ready, C×1 ready',
    ],
    ['ready', 'a line less', [told(5, { lines: [two[1]!] })], 'routed', 'B×2 ready'],
    [
      'ready',
      'a line more',
      [told(5, { lines: [...two, line('3', { sku: 'C' })] })],
      'routed',
      'A×1 ready, B×2 ready, C×1 ready',
    ],
    [
      'pulled',
      'more of a line',
      [told(5, { lines: [line('1', { quantity: 3 }), two[1]!] })],
      'routed',
      'A×1 pulled, A×2 ready, B×2 pulled',
    ],
    [
      'pulled',
      'less of a line',
      [told(5, { lines: [two[0]!, line('2', { sku: 'B', quantity: 1 })] })],
      'routed',
      'A×1 pulled!, B×2 pulled!',
    ],
    [
      'pulled',
      'less of a line, and as much again',
      [told(5, { lines: [two[0]!, line('2', { sku: 'B', quantity: 1 })] }), told(6)],
      'routed',
      'A×1 pulled, B×2 pulled',
    ],
    ['pulled', 'a line less', [told(5, { lines: [two[1]!] })], 'routed', 'A×1 pulled!, B×2 pulled!'],
    [
      'pulled',
      'other goods under the id of a line',
      [told(5, { lines: [line('1', { sku: 'C', platformSku: 'c' }), two[1]!] })],
      'routed',
      'A×1 pulled!, B×2 pulled!, C×1 ready',
    ],
    [
      'pulled',
      'the map knows another SKU for it now',
      [told(5, { lines: [line('1', { sku: 'C' }), two[1]!] })],
      'routed',
      'A×1 pulled, B×2 pulled',
    ],
    [
      'ready',
      'the map knows another SKU for it now',
      [told(5, { lines: [line('1', { sku: 'C' }), two[1]!] })],
      'routed',
      'A×1 ready, B×2 ready',
    ],
    [
      'shipped',
      'a line more',
      [told(5, { lines: [...two, line('3', { sku: 'C' })] })],
      'partly_shipped',
      'A×1 shipped, B×2 shipped, C×1 ready',
    ],
    ['shipped', 'a line less', [told(5, { lines: [two[1]!] })], 'shipped', 'A×1 shipped, B×2 shipped'],
    [
      'partly shipped',
      'less of what left, and less of what did not',
      [told(5, { lines: [line('2', { sku: 'B', quantity: 1 })] })],
      'partly_shipped',
      'A×1 accepted!, B×2 accepted!',
    ],
    [
      'pulled, backordered',
      'a line more',
      [told(5, { lines: [...two, line('3', { sku: 'C' })] })],
      'backordered',
      'A×1 pulled, B×2 backordered, C×1 ready',
    ],
    [
      'pulled',
      'a line less and the other refunded',
      [told(5, { lines: [{ ...two[1]!, refund: 'refunded' }] })],
      'routed',
      'A×1 pulled!, B×2 pulled!',
    ],
    ['backordered', 'stock came', [{ type: 'restock' }], 'routed', 'A×1 ready, B×2 ready'],
    ['pulled, backordered', 'stock came', [{ type: 'restock' }], 'routed', 'A×1 pulled, B×2 ready'],
    ['A shipped, B backordered', 'stock came', [{ type: 'restock' }], 'partly_shipped', 'A×1 shipped, B×2 ready'],
    [
      'ready',
      'its goods are not there',
      [{ type: 'take_back', taskId: '1-1', why: 'shortage' }],
      'routed',
      'A×1 ready, B×2 ready',
    ],
    [
      'pulled',
      'a count says that its goods are not there',
      [{ type: 'take_back', taskId: '1-1', why: 'shortage' }],
      'routed',
      'A×1 pulled, B×2 pulled',
    ],
    [
      'pulled',
      'it is said to be intercepted, and is not',
      [{ type: 'take_back', taskId: '1-1', why: 'intercepted' }],
      'routed',
      'A×1 pulled, B×2 pulled',
    ],
  ])('%s: %s', (before, _, events, state, where, holds, changed) => {
    const world = given[before]!()
    if (events.some((e) => e.type === 'restock')) world.source = allFromOneNode
    let seen = ''
    for (const event of events) {
      world.tell(event)
      seen ||= changedIn(world)
    }
    expectAll(world, state, where, holds)
    expect(seen).toBe(changed ?? '')
  })

  test.each<[why: string, lines: SnapshotLine[], where: string, toldAgain?: string]>([
    ['less of a line', [two[0]!, line('2', { sku: 'B', quantity: 1 })], 'A×1 ready, B×1 ready'],
    ['a line less', [two[1]!], 'B×2 ready'],
    [
      'other goods under the id of a line',
      [line('1', { sku: 'C', platformSku: 'c' }), two[1]!],
      'A×1 cancelled, B×2 ready, C×1 ready',
      'B×2 ready, C×1 ready',
    ],
  ])('%s after a pull: what is handed back goes out as it is wanted now', (_, lines, where, toldAgain = where) => {
    const world = given.pulled!().tell(told(5, { lines }))
    expect(world.intercept('1-1')).toBe(true)
    world.decideHandedBack()
    expectAll(world, 'routed', where)
    // The platform says the same again: nothing moves.
    expectAll(world.tell(told(6, { lines })), 'routed', toldAgain)
    expect(world.decision!.cancelled).toEqual([])
  })

  test('tasks that are sourced again are other tasks, and the old ones are given back', () => {
    const world = given.ready!().tell(told(5, moved))
    expect(world.decision!.cancelled.map((t) => t.taskId)).toEqual(['1-1'])
    expect(world.tasks.map((t) => `${t.taskId} ${t.state}`)).toEqual(['1-1 cancelled', '1-2 ready'])
  })

  test('an unpulled task whose goods are not there is made anew', () => {
    const world = given.ready!().tell({ type: 'take_back', taskId: '1-1', why: 'shortage' })
    expect(world.tasks.map((t) => `${t.taskId} ${t.state}`)).toEqual(['1-1 cancelled', '1-2 ready'])
  })

  test('a flag is told once, and its withdrawal too', () => {
    const world = given.pulled!().tell(refund())
    expect(world.decision).toMatchObject({ interceptRequested: ['1-1'], interceptWithdrawn: [] })
    world.tell(told(5, { sellerMemo: 'x' }))
    expect(world.decision).toMatchObject({ interceptRequested: [], interceptWithdrawn: [] })
    world.tell(refund({ status: 'refused', modifiedAt: 60 }))
    expect(world.decision).toMatchObject({ interceptRequested: [], interceptWithdrawn: ['1-1'] })
  })
})

describe('what a warehouse hands back', () => {
  test('a rejection counts, though a shortage of the same task came too late before it', () => {
    const world = acting(given.pulled!(), (w) => w.reject('1-1', 'damaged'))
    world.tell({ type: 'take_back', taskId: '1-1', why: 'shortage' }, ...world.handedBack.splice(0))
    expectAll(world, 'routed', 'A×1 ready, B×2 ready')
    expect(world.tasks.map((t) => t.state)).toEqual(['cancelled', 'ready'])
  })

  test.each(['out_of_stock', 'damaged', 'closed', 'overloaded'] as const)('%s: is sourced again', (why) => {
    const world = acting(given.accepted!(), (w) => w.reject('1-1', why)).decideHandedBack()
    expectAll(world, 'routed', 'A×1 ready, B×2 ready')
    expect(world.tasks.map((t) => t.state)).toEqual(['cancelled', 'ready'])
  })

  test('intercepted: the refunded line is gone, the other is sourced again', () => {
    const world = acting(given.pulled!().tell(refund({ status: 'refunded' })), (w) =>
      w.intercept('1-1'),
    ).decideHandedBack()
    expectAll(world, 'routed', 'A×1 cancelled, B×2 ready')
  })

  test('intercepted, and wanted again before it is decided', () => {
    const world = acting(given.pulled!().tell(refund()), (w) => w.intercept('1-1'))
    expectAll(world.tell(refund({ status: 'closed', modifiedAt: 30 })), 'routed', 'A×1 intercepted!, B×2 intercepted!')
    expectAll(world.decideHandedBack(), 'routed', 'A×1 ready, B×2 ready')
  })

  test('rejected and closed by the platform', () => {
    const world = acting(given.pulled!(), (w) => w.reject('1-1', 'damaged')).tell(told(5, { platformState: 'closed' }))
    expectAll(world.decideHandedBack(), 'cancelled', 'A×1 cancelled, B×2 cancelled')
  })

  test('rejected after a part was shipped: that part stays shipped', () => {
    const world = acting(given['partly shipped']!(), (w) => w.reject('1-1', 'damaged')).decideHandedBack()
    expectAll(world, 'partly_shipped', 'A×1 ready, B×1 ready, B×1 shipped')
    expect(world.tasks[0]!.lines).toEqual([{ sku: 'B', quantity: 1, shipped: 1 }])
  })

  test('intercepted after a part was shipped, of an order that was closed', () => {
    const world = given['partly shipped']!().tell(told(5, { platformState: 'closed' }))
    acting(world, (w) => w.intercept('1-1')).decideHandedBack()
    expectAll(world, 'shipped', 'A×1 cancelled, B×1 cancelled, B×1 shipped')
  })

  // The unit that was shipped is the one that is still wanted: the buyer must not get a second one.
  test('intercepted after one of two lines of one SKU was shipped, the other refunded', () => {
    const world = new World().tell(snapshot({ lines: [line('1'), line('2')] }))
    acting(world, (w) => w.pull('1-1') && w.ship('1-1', [{ sku: 'A', quantity: 1 }])).tell(
      refund({ status: 'refunded' }),
    )
    acting(world, (w) => w.intercept('1-1')).decideHandedBack()
    expectAll(world, 'shipped', 'A×1 cancelled, A×1 shipped')
    expect(world.order.allocations).toContainEqual({ item: 0, quantity: 1, place: 'cancelled', taskId: null })
  })
})

describe('money', () => {
  const prices = [line('1', { sku: 'SET', quantity: 2, paidFen: 100 }), line('2', { paidFen: 50 })]
  const cheaper = [line('1', { sku: 'SET', quantity: 2, paidFen: 70 }), line('2', { paidFen: 50 })]
  test.each(['ready', 'pulled', 'shipped'])(
    'a line that gets cheaper while its task is %s carries the new price',
    (state) => {
      const world = new World().tell(snapshot({ lines: prices }))
      if (state !== 'ready') acting(world, (w) => w.pull('1-1'))
      if (state === 'shipped') acting(world, (w) => w.ship('1-1'))
      const items = world.order.items
      world.tell(snapshot({ lines: cheaper, modifiedAt: 20 }))
      expect(wrongIn(world)).toEqual([])
      expect(world.order.items.map((i) => i.paidFen)).toEqual([47, 23, 50])
      expect(world.order.items.map((i) => ({ ...i, paidFen: 0 }))).toEqual(items.map((i) => ({ ...i, paidFen: 0 })))
      expect(world.tasks).toHaveLength(1)
    },
  )

  // What was paid is what the platform says now, so that the next decision does not find an amount that does not add up.
  test('a line that is gone after the pull carries no money', () => {
    const world = given.pulled!().tell(told(5, { lines: [two[1]!] }))
    const gone = { sku: 'A', quantity: 1, wanted: 0, paidFen: 0 }
    expect(world.order.snapshot).toMatchObject({ modifiedAt: 50, lines: [gone, two[1]!], paidFen: 100 })
    expectAll(world.tell({ type: 'restock' }), 'routed', 'A×1 pulled!, B×2 pulled!')
  })
})
