import { describe, expect, test } from 'vitest'
import {
  asCorrected,
  type ParcelName,
  type ParcelWord,
  type PutRightOutcome,
  putRight,
  type ToldTask,
  together,
} from './parcels.ts'
import type { Package, Task } from './task.ts'
import type { Track } from './track.ts'

const shippedAt = Date.UTC(2026, 10, 11)
const named = (waybill: string, carrier = 'SF'): ParcelName => ({ carrier, waybill })
const box = (waybill: string, quantity = 1): Package => ({
  ...named(waybill),
  lines: [{ sku: 'a', quantity }],
  shippedAt,
})
const task: Task = {
  ...{ taskId: '1-1', node: 'east', state: 'shipped', fence: 3, interceptRequested: false, notBefore: null },
  ...{ change: 0, changeTaken: 0, lines: [{ sku: 'a', quantity: 3, shipped: 3 }] },
}
const told: ToldTask = { task, packages: [box('W1'), box('W1'), box('W2')], putRight: [] }
const correct = (from: ParcelName, to: ParcelName): ParcelWord => ({ kind: 'correct', from, to })
const known = { tracks: [], orderState: 'shipped', isBeingReturned: false } as const
const track = (change: Partial<Track>): Track => ({
  ...named('W1', 'shunfeng'),
  state: 'in_transit',
  occurredAt: shippedAt,
  ...change,
})
const doneOf = (done: PutRightOutcome): ToldTask => (done as Extract<PutRightOutcome, { outcome: 'put_right' }>).after

describe('a correction', () => {
  test('takes all that was told under the number, by any name of the carrier, and is kept', () => {
    const done = doneOf(putRight(told, correct(named('W1', '顺丰'), named('W9', 'YTO')), known))
    expect(done.packages.map(({ carrier, waybill }) => [carrier, waybill])).toEqual([
      ['YTO', 'W9'],
      ['YTO', 'W9'],
      ['SF', 'W2'],
    ])
    expect(done.task).toBe(task)
    expect(putRight(done, correct(named('W1'), named('W9', 'YTO')), known).outcome).toBe('already_put_right')
    expect(putRight(done, correct(named('W1'), named('W8')), known).outcome).toBe('unknown_parcel')
    expect(asCorrected(box('W1'), done.putRight)).toEqual({ ...box('W9'), carrier: 'YTO' })
    expect(asCorrected(box('W2'), done.putRight)).toEqual(box('W2'))
  })

  test('may be taken back, and said again', () => {
    const there = doneOf(putRight(told, correct(named('W2'), named('W9')), known))
    const back = doneOf(putRight(there, correct(named('W9'), named('W2')), known))
    expect(back.packages).toEqual(told.packages)
    expect(putRight(back, correct(named('W2'), named('W9')), known).outcome).toBe('put_right')
  })
})

describe('a void', () => {
  const word = { kind: 'void', parcel: named('W1') } as const

  test('of goods that come back is none', () => {
    expect(putRight(told, word, { ...known, isBeingReturned: true }).outcome).toBe('being_returned')
  })

  test('gives its units back to the task, whose next owner has a higher fence', () => {
    const done = putRight(told, word, known)
    expect(done).toMatchObject({ outcome: 'put_right', back: new Map([['a', 2]]), told: [box('W1'), box('W1')] })
    expect(doneOf(done).task).toEqual({
      ...task,
      state: 'accepted',
      fence: 4,
      lines: [{ sku: 'a', quantity: 3, shipped: 1 }],
    })
    expect(doneOf(done).packages).toEqual([box('W2')])
    expect(putRight(doneOf(done), word, known).outcome).toBe('already_put_right')
  })

  test.each<[string, Partial<ToldTask>, readonly Track[], 'shipped' | 'closed', PutRightOutcome['outcome']]>([
    ['it moves', {}, [track({})], 'shipped', 'parcel_moved'],
    ['only its number was printed', {}, [track({ state: 'created' })], 'shipped', 'put_right'],
    [
      'an older parcel of this number moved',
      {},
      [track({ occurredAt: shippedAt - 9 * 86_400_000 })],
      'shipped',
      'put_right',
    ],
    ['another parcel moves', {}, [track({ waybill: 'W2' })], 'shipped', 'put_right'],
    ['its order is closed', {}, [], 'closed', 'order_closed'],
    ['its task was handed back', { task: { ...task, state: 'rejected' } }, [], 'shipped', 'being_decided'],
    ['there is no such parcel', { packages: [box('W2')] }, [], 'shipped', 'unknown_parcel'],
  ])('%s', (_, change, tracks, orderState, outcome) => {
    expect(putRight({ ...told, ...change }, word, { ...known, tracks, orderState }).outcome).toBe(outcome)
  })
})

test('of several tasks a refusal counts before what is done, and that before what was said before', () => {
  const done = putRight(told, { kind: 'void', parcel: named('W1') }, known)
  const [already, unknown, closed] = (['already_put_right', 'unknown_parcel', 'order_closed'] as const).map(
    (outcome) => ({ outcome }),
  )
  expect(together([already!, done, closed!])).toEqual(closed)
  expect(together([already!, done])).toBe(null)
  expect(together([unknown!, already!])).toEqual(already)
  expect(together([])).toEqual({ outcome: 'unknown_parcel' })
})
