import { describe, expect, test } from 'vitest'
import { desiresOf, overrulableDesireRules } from './desire.ts'
import { desires, type LineUnits } from './line-units.ts'
import { newOrder } from './order.ts'
import type { Task } from './task.ts'
import { catalog, key, line, refund, snapshot, task } from './testing/orders.ts'
import type { Hold, Order, OrderSnapshot, RefundSnapshot, SnapshotLine } from './types.ts'

interface Case {
  snapshot?: Partial<OrderSnapshot>
  refunds?: Partial<RefundSnapshot>[]
  order?: Partial<Order>
  tasks?: Task[]
  holds?: string[]
  refusals?: string[]
}

const named = (rules: readonly string[] = []): Hold[] => rules.map((rule) => ({ rule, reason: '' }))

/** Like `ship hold cancel: refund_requested`: a word a line, then why. Two lines of 100 fen and 10 of freight unless told. */
function desired({ snapshot: change, refunds = [], order = {}, tasks = [], holds, refusals }: Case): string {
  const told = snapshot({ lines: [line('1'), line('2')], freightFen: 10, ...change })
  const known = refunds.map((r, i) => refund({ refundId: `R${i}`, ...r }))
  const result = desiresOf(
    { ...newOrder(key, '1'), snapshot: told, refunds: known, ...order },
    tasks,
    named(holds),
    named(refusals),
    catalog,
  )
  for (const { reason, rule } of result.holds) if (!holds?.includes(rule)) expect(reason).toMatch(/\w+: \w+/)
  return [result.lines.map(shown).join(' '), result.holds.map((h) => h.rule).join(' ')]
    .filter((part) => part !== '')
    .join(': ')
}

/** `ship`, or `2 ship + 1 cancel` of a line whose units part. */
function shown(units: LineUnits): string {
  const parts = desires.filter((desire) => units[desire] > 0)
  return parts.length === 1 ? parts[0]! : parts.map((desire) => `${units[desire]} ${desire}`).join(' + ')
}

const word = (status: RefundSnapshot['status']) => ({ lines: [line('1', { refund: status }), line('2')] })
const gift = { gift: true, paidFen: 0 }

describe('the order as a whole', () => {
  test.each<[why: string, given: Case, expected: string]>([
    ['paid and fine', {}, 'ship ship'],
    ['nothing known but its key', { order: { snapshot: null } }, ''],
    ['the check holds it', { holds: ['human_wanted'] }, 'hold hold: human_wanted'],
    ['the check refuses it', { refusals: ['presale_balance'] }, 'cancel cancel'],
    ['refused and held', { holds: ['human_wanted'], refusals: ['presale_balance'] }, 'cancel cancel'],
    ['the platform closed it', { snapshot: { platformState: 'closed' } }, 'cancel cancel'],
    [
      'closed, and the check has something to say',
      { snapshot: { platformState: 'closed' }, holds: ['x'] },
      'cancel cancel',
    ],
    ['the operator cancelled it', { order: { cancelledBy: 'operator' } }, 'cancel cancel'],
  ])('%s', (_, given, expected) => {
    expect(desired(given)).toBe(expected)
  })
})

describe('the platform says that it is shipped', () => {
  const shipped = { platformState: 'shipped' } as const
  const left = { lines: [{ sku: 'A', quantity: 2, shipped: 1 }] }
  const ahead = 'hold hold: platform_ahead'
  test.each<[why: string, given: Case, expected: string]>([
    ['and we have no task', { snapshot: shipped }, ahead],
    ['completed even', { snapshot: { platformState: 'completed' } }, ahead],
    ['a part of it', { snapshot: { platformState: 'partly_shipped' } }, ahead],
    ['and our task is still unpulled', { snapshot: shipped, tasks: [task()] }, ahead],
    ['and our tasks were cancelled', { snapshot: shipped, tasks: [task({ state: 'cancelled' })] }, ahead],
    ['and ours was handed back', { snapshot: shipped, tasks: [task({ state: 'rejected' })] }, ahead],
    [
      'a warehouse has it in its hands and may be about to tell',
      { snapshot: shipped, tasks: [task({ state: 'pulled' })] },
      'ship ship',
    ],
    ['so with an accepted one', { snapshot: shipped, tasks: [task({ state: 'accepted' }), task()] }, 'ship ship'],
    [
      'after our first parcel: the rest follows',
      { snapshot: shipped, tasks: [task({ state: 'shipped', ...left }), task()] },
      'ship ship',
    ],
    ['a person knows better', { snapshot: shipped, order: { overruled: ['platform_ahead'] } }, 'ship ship'],
  ])('%s', (_, given, expected) => {
    expect(desired(given)).toBe(expected)
  })
})

describe('a refund of the whole order', () => {
  const whole = { lineId: null, refundFen: 210 }
  test.each<[why: string, refunds: Partial<RefundSnapshot>[], expected: string]>([
    ['is asked for', [whole], 'hold hold: refund_requested'],
    ['was withdrawn', [{ ...whole, status: 'closed' }], 'ship ship'],
    ['was refused', [{ ...whole, status: 'refused' }], 'ship ship'],
    [
      'was refused, and is asked for again',
      [{ ...whole, status: 'refused', modifiedAt: 30 }, whole],
      'hold hold: refund_requested',
    ],
    ['is done', [{ ...whole, status: 'refunded' }], 'cancel cancel'],
    ['is done but for the freight', [{ ...whole, refundFen: 200, status: 'refunded' }], 'cancel cancel'],
    ['is a rebate', [{ ...whole, refundFen: 199, status: 'refunded' }], 'ship ship'],
    [
      'is asked for after a rebate',
      [{ ...whole, refundFen: 20, status: 'refunded' }, whole],
      'hold hold: refund_requested',
    ],
    [
      'comes in two halves',
      [
        { ...whole, refundFen: 100, status: 'refunded' },
        { ...whole, refundFen: 100, status: 'refunded' },
      ],
      'cancel cancel',
    ],
    [
      'leaves the lines the rest, which comes back too',
      [
        { ...whole, refundFen: 20, status: 'refunded' },
        { refundFen: 90, status: 'refunded' },
        { lineId: '2', refundFen: 90, status: 'refunded' },
      ],
      'cancel cancel',
    ],
    [
      'does not eat another line, even when a line gets the freight back',
      [
        { ...whole, refundFen: 95, status: 'refunded' },
        { refundFen: 110, status: 'refunded' },
      ],
      'cancel ship',
    ],
    ['is of a line that we do not know', [{ lineId: '9' }], 'hold hold: refund_requested'],
    [
      'of a line that we do not know is done: it is gone already',
      [{ lineId: '9', status: 'refunded', refundFen: 210 }],
      'ship ship',
    ],
  ])('%s', (_, refunds, expected) => {
    expect(desired({ refunds })).toBe(expected)
  })
})

describe('a refund of a line', () => {
  test.each<[why: string, given: Case, expected: string]>([
    ['is asked for', { refunds: [{}] }, 'hold ship: refund_requested'],
    ['was withdrawn', { refunds: [{ status: 'closed' }] }, 'ship ship'],
    ['was refused', { refunds: [{ status: 'refused' }] }, 'ship ship'],
    ['is done', { refunds: [{ status: 'refunded' }] }, 'cancel ship'],
    [
      'of all lines is done',
      { refunds: [{ status: 'refunded' }, { lineId: '2', status: 'refunded' }] },
      'cancel cancel',
    ],
    ['is a part: a rebate', { refunds: [{ status: 'refunded', refundFen: 99 }] }, 'ship ship'],
    [
      'comes in parts that make the whole',
      {
        refunds: [
          { status: 'refunded', refundFen: 60 },
          { status: 'refunded', refundFen: 40 },
        ],
      },
      'cancel ship',
    ],
    [
      'is asked for after a rebate',
      { refunds: [{ status: 'refunded', refundFen: 10, modifiedAt: 5 }, {}] },
      'hold ship: refund_requested',
    ],
    [
      'is asked for twice, one is withdrawn',
      { refunds: [{}, { status: 'closed', modifiedAt: 30 }] },
      'hold ship: refund_requested',
    ],
    ['is told by the order', { snapshot: word('requested') }, 'hold ship: refund_requested'],
    ['is told as done by the order', { snapshot: word('refunded') }, 'cancel ship'],
    ['is told as withdrawn by the order', { snapshot: word('closed') }, 'ship ship'],
    ['is told as refused by the order', { snapshot: word('refused') }, 'ship ship'],
    [
      'was asked for, the newer order says withdrawn',
      { snapshot: { ...word('closed'), modifiedAt: 30 }, refunds: [{}] },
      'ship ship',
    ],
    [
      'was asked for, the newer order says nothing',
      { snapshot: { modifiedAt: 30 }, refunds: [{}] },
      'hold ship: refund_requested',
    ],
    [
      'is asked for, the older order says withdrawn',
      { snapshot: word('closed'), refunds: [{}] },
      'hold ship: refund_requested',
    ],
    [
      'is asked for in the same second',
      { snapshot: { ...word('closed'), modifiedAt: 20 }, refunds: [{}] },
      'hold ship: refund_requested',
    ],
    [
      'was withdrawn, the older order says asked for',
      { snapshot: word('requested'), refunds: [{ status: 'closed' }] },
      'ship ship',
    ],
    [
      'was withdrawn, the newer order says asked for',
      { snapshot: { ...word('requested'), modifiedAt: 30 }, refunds: [{ status: 'closed' }] },
      'hold ship: refund_requested',
    ],
    [
      'is told by the order, and of two refunds only one was withdrawn since',
      { snapshot: word('requested'), refunds: [{ modifiedAt: 5 }, { status: 'closed' }] },
      'hold ship: refund_requested',
    ],
    [
      'is done, a newer order says nothing',
      { snapshot: { modifiedAt: 30 }, refunds: [{ status: 'refunded' }] },
      'cancel ship',
    ],
    [
      'is done in part, the order only says done',
      { snapshot: word('refunded'), refunds: [{ status: 'refunded', refundFen: 10 }] },
      'hold ship: refunded_in_part',
    ],
    [
      'is done in part, a person let it go',
      {
        snapshot: word('refunded'),
        refunds: [{ status: 'refunded', refundFen: 10 }],
        order: { overruled: ['refunded_in_part'] },
      },
      'ship ship',
    ],
    [
      'of another line that is held anyway',
      { refunds: [{}], holds: ['human_wanted'] },
      'hold hold: human_wanted refund_requested',
    ],
    [
      'is done, of a line that is held',
      { refunds: [{ status: 'refunded' }], holds: ['human_wanted'] },
      'cancel hold: human_wanted',
    ],
  ])('%s', (_, given, expected) => {
    expect(desired(given)).toBe(expected)
  })
})

describe('some units of a line', () => {
  const three = (change: Partial<SnapshotLine> = {}) => ({
    lines: [line('1', { quantity: 3, paidFen: 1_000, ...change }), line('2')],
  })
  const refundUnits = (requested: number, refunded: number) => ({ refundUnits: { requested, refunded } })
  const back = (refundFen: number, change: Partial<RefundSnapshot> = {}) => ({
    snapshot: three(),
    refunds: [{ status: 'refunded' as const, refundFen, ...change }],
  })
  const word = (ship: number, hold: number, cancel: number) => ({ lineWords: [{ lineId: '1', ship, hold, cancel }] })
  const inPart = 'hold ship: refunded_in_part'
  test.each<[why: string, given: Case, expected: string]>([
    [
      'are asked back: the others wait with them',
      { snapshot: three({ refund: 'requested', ...refundUnits(1, 0) }) },
      'hold ship: refund_requested',
    ],
    ["are given back, by the platform's count", { snapshot: three(refundUnits(0, 1)) }, '2 ship + 1 cancel ship'],
    [
      'are given back and others are asked for',
      { snapshot: three({ refund: 'requested', ...refundUnits(1, 1) }) },
      '2 hold + 1 cancel ship: refund_requested',
    ],
    [
      'are given back, and the order waits for a person',
      { snapshot: three(refundUnits(0, 1)), holds: ['human_wanted'] },
      '2 hold + 1 cancel hold: human_wanted',
    ],
    ['one, by its price rounded down', back(333), '2 ship + 1 cancel ship'],
    ['one, by its price rounded up', back(334), '2 ship + 1 cancel ship'],
    ['two, by their price', back(667), '1 ship + 2 cancel ship'],
    ['of no certain number: a fen less than one costs', back(332), inPart],
    ['of no certain number: between one and two', back(500), inPart],
    ['of no certain number: a little', back(10), inPart],
    [
      'of no certain number, a person approved: a rebate',
      { ...back(500), order: { overruled: ['refunded_in_part'] } },
      'ship ship',
    ],
    ['of no certain number, a person said which', { ...back(500), order: word(1, 0, 2) }, '1 ship + 2 cancel ship'],
    [
      'by two refunds',
      { snapshot: three(), refunds: [333, 333].map((refundFen) => ({ status: 'refunded' as const, refundFen })) },
      '1 ship + 2 cancel ship',
    ],
    ["go by a person's word", { snapshot: three(), order: word(2, 0, 1) }, '2 ship + 1 cancel ship'],
    ["wait by a person's word", { snapshot: three(), order: word(2, 1, 0) }, '2 ship + 1 hold ship: held_by_person'],
    [
      "go by a person's word and by the platform's: the same unit",
      { ...back(333), order: word(2, 0, 1) },
      '2 ship + 1 cancel ship',
    ],
    ["all, by a person's word", { snapshot: three(), order: word(0, 0, 3) }, 'cancel ship'],
    [
      "a person's word of a line that is gone",
      { order: { lineWords: [{ lineId: '9', ship: 0, hold: 0, cancel: 1 }] } },
      'ship ship',
    ],
    ['a person said more units than the line has now', { order: word(0, 0, 3) }, 'cancel ship'],
    [
      'a gift goes while some of its main line go',
      { snapshot: { lines: [line('1', { quantity: 3, ...refundUnits(0, 2) }), line('2', { ...gift, giftOf: '1' })] } },
      '1 ship + 2 cancel ship',
    ],
  ])('%s', (_, given, expected) => {
    expect(desired(given)).toBe(expected)
  })
})

describe('a gift goes with its main line', () => {
  const lines = [line('1'), line('2'), line('3', { ...gift, giftOf: '1' })]
  const unnamed = [line('1'), line('2'), line('3', gift)]
  test.each<[why: string, given: Case, expected: string]>([
    ['ships', { snapshot: { lines } }, 'ship ship ship'],
    ['which is held', { snapshot: { lines }, refunds: [{}] }, 'hold ship hold: refund_requested'],
    ['which is refunded', { snapshot: { lines }, refunds: [{ status: 'refunded' }] }, 'cancel ship cancel'],
    [
      'another is refunded',
      { snapshot: { lines }, refunds: [{ lineId: '2', status: 'refunded' }] },
      'ship cancel ship',
    ],
    [
      'is asked back itself',
      { snapshot: { lines }, refunds: [{ lineId: '3', refundFen: 0 }] },
      'ship ship hold: refund_requested',
    ],
    [
      'is refunded itself',
      { snapshot: { lines }, refunds: [{ lineId: '3', refundFen: 0, status: 'refunded' }] },
      'ship ship cancel',
    ],
    ['of nobody', { snapshot: { lines: unnamed } }, 'ship ship ship'],
    [
      'of nobody, one line is held',
      { snapshot: { lines: unnamed }, refunds: [{}] },
      'hold ship ship: refund_requested',
    ],
    [
      'of nobody, all lines are held',
      { snapshot: { lines: unnamed }, refunds: [{}, { lineId: '2' }] },
      'hold hold hold: refund_requested',
    ],
    [
      'of nobody, held and refunded',
      { snapshot: { lines: unnamed }, refunds: [{}, { lineId: '2', status: 'refunded' }] },
      'hold cancel hold: refund_requested',
    ],
    [
      'of nobody, all are refunded',
      { snapshot: { lines: unnamed }, refunds: [{ status: 'refunded' }, { lineId: '2', status: 'refunded' }] },
      'cancel cancel cancel',
    ],
    [
      'of a line that is not there',
      { snapshot: { lines: [line('1'), line('3', { ...gift, giftOf: '9' })] }, refunds: [{}] },
      'hold hold: refund_requested',
    ],
    ['and there is nothing else', { snapshot: { lines: [line('3', gift)] } }, 'ship'],
  ])('%s', (_, given, expected) => {
    expect(desired(given)).toBe(expected)
  })
})

test('a person may overrule what no platform settles', () => {
  expect(overrulableDesireRules).toEqual(['platform_ahead', 'refunded_in_part'])
})

describe('a refund of goods that the buyer has', () => {
  const after = { lineId: '1', refundFen: 100, status: 'refunded', afterReceipt: true } as const
  const item = { line: 0, sku: line('1').sku, quantity: 1, paidFen: 100 }
  const order = {
    items: [item],
    allocations: [{ item: 0, quantity: 1, place: 'task', taskId: task().taskId } as const],
  }
  const left = task({ state: 'shipped', lines: [{ sku: item.sku, quantity: 1, shipped: 1 }] })
  test.each<[string, Case, string]>([
    ['says nothing of units that did not leave', { refunds: [after], order, tasks: [left] }, 'ship ship'],
    [
      'holds nothing while it is asked for',
      { refunds: [{ ...after, status: 'requested' }], order, tasks: [left] },
      'ship ship',
    ],
    [
      'is what the order says of the line',
      { snapshot: { lines: [line('1', { refund: 'refunded' }), line('2')] }, refunds: [after], order, tasks: [left] },
      'ship ship',
    ],
    ['counts like any other where nothing left', { refunds: [after], order, tasks: [task()] }, 'cancel ship'],
    ['is of its line alone', { refunds: [{ ...after, lineId: '2' }], order, tasks: [left] }, 'ship cancel'],
  ])('%s', (_, given, expected) => {
    expect(desired(given)).toBe(expected)
  })
})
