import { describe, expect, test } from 'vitest'
import { newOrder } from './order.ts'
import { type BookedOutside, bookOutside, type OutsideParcel } from './outside.ts'
import type { Package, Task, TaskState } from './task.ts'
import type { Allocation, Order, OrderSnapshot, SkuQuantity } from './types.ts'

const told: OutsideParcel = { node: 'n', carrier: 'SF', waybill: 'W1', lines: null, shippedAt: 7 }
const at = (place: Allocation['place'], quantity: number, taskId: string | null = null, item = 0): Allocation => ({
  ...{ item, quantity, place, taskId },
})
const task = (n: number, state: TaskState, lines: readonly SkuQuantity[]): Task => ({
  ...{ taskId: `1-${n}`, node: 'm', state, fence: 1, interceptRequested: false, notBefore: null, change: 0 },
  ...{ changeTaken: 0, lines: lines.map((l) => ({ ...l, shipped: state === 'shipped' ? l.quantity : 0 })) },
})
const a = (quantity: number): SkuQuantity => ({ sku: 'a', quantity })

function order(allocations: readonly Allocation[]): Order {
  const items = ['a', 'b'].map((sku, line) => ({ line, sku, quantity: 9, paidFen: 0 }))
  const snapshot = { platformState: 'ready' } as OrderSnapshot
  return { ...newOrder({ channel: 'jd', shop: 's', orderId: 'o' }, '1'), taskCount: 4, snapshot, items, allocations }
}

const places = (done: BookedOutside) =>
  done.outcome === 'booked'
    ? done.order.allocations.map((x) => `${x.quantity} ${x.place} ${x.taskId ?? ''}`.trim()).sort()
    : done.outcome

describe('a parcel that left outside of any task', () => {
  test.each<
    [string, readonly Allocation[], readonly Task[], readonly SkuQuantity[] | null, readonly string[] | string]
  >([
    ['takes all that is still to leave', [at('held', 2), at('backordered', 1)], [], null, ['1 task 1-5', '2 task 1-5']],
    [
      'leaves cancelled units where others are open',
      [at('held', 1), at('cancelled', 1)],
      [],
      null,
      ['1 cancelled', '1 task 1-5'],
    ],
    ['takes cancelled units where nothing else is open', [at('cancelled', 2)], [], null, ['2 task 1-5']],
    [
      'takes cancelled units that are named',
      [at('held', 1), at('cancelled', 2)],
      [],
      [a(2)],
      ['1 cancelled', '1 task 1-5', '1 task 1-5'],
    ],
    [
      'calls an unpulled task back whole, and holds what is left of it',
      [at('task', 3, '1-1'), at('task', 1, '1-1', 1)],
      [task(1, 'ready', [a(3), { sku: 'b', quantity: 1 }])],
      [a(2)],
      ['1 held', '1 held', '2 task 1-5'],
    ],
    ['does not take what a warehouse has', [at('task', 2, '1-1')], [task(1, 'pulled', [a(2)])], null, 'units_in_hand'],
    [
      'nor what it has handed back and is not decided',
      [at('task', 2, '1-1')],
      [task(1, 'rejected', [a(2)])],
      [a(1)],
      'units_in_hand',
    ],
    [
      'takes the rest beside it',
      [at('task', 2, '1-1'), at('held', 1)],
      [task(1, 'pulled', [a(2)])],
      null,
      ['1 task 1-5', '2 task 1-1'],
    ],
    ['does not take more than there is', [at('held', 1)], [], [a(2)], 'lines_do_not_match'],
    ['nor what has left', [at('task', 2, '1-1')], [task(1, 'shipped', [a(2)])], null, 'nothing_open'],
  ])('%s', (_, allocations, tasks, lines, expected) => {
    expect(places(bookOutside(order(allocations), { tasks, packages: [] }, { ...told, lines }))).toEqual(expected)
  })

  test('becomes a task that is shipped', () => {
    const done = bookOutside(order([at('held', 2)]), { tasks: [], packages: [] }, told)
    expect(done).toMatchObject({
      order: { state: 'shipped', taskCount: 5 },
      task: { taskId: '1-5', node: 'n', state: 'shipped', lines: [{ sku: 'a', quantity: 2, shipped: 2 }] },
      parcel: { carrier: 'SF', waybill: 'W1', lines: [a(2)], shippedAt: 7 },
      cancelled: [],
    })
  })

  test('is booked once; another node may have a number of its own', () => {
    const parcel: Package = { carrier: '顺丰', waybill: 'W1', lines: [a(1)], shippedAt: 1 }
    const book = (node: string) =>
      bookOutside(order([at('held', 2)]), { tasks: [], packages: [{ node, parcel }] }, told).outcome
    expect([book('n'), book('m')]).toEqual(['already_booked', 'booked'])
  })

  test('of a warehouse holds no more than its task asked for', () => {
    const book = (units: number) => {
      const known = { tasks: [], packages: [], of: task(1, 'cancelled', [a(1)]) }
      return bookOutside(order([at('cancelled', 2)]), known, { ...told, lines: [a(units)], alreadyGone: true })
    }
    expect(book(2).outcome).toBe('lines_do_not_match')
    expect(book(1)).toMatchObject({ outcome: 'booked', parcel: { alreadyGone: true } })
  })
})
