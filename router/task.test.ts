/** The life of a task: a line a case, each outcome at least once. */
import { describe, expect, test } from 'vitest'
import {
  accept,
  changed,
  extend,
  flagged,
  type GivenBackAs,
  giveBack,
  isChanged,
  isInterceptLapsed,
  isToldOfNews,
  mayBePulled,
  ownedStates,
  type Package,
  pulled,
  refusedClaim,
  type ShipWords,
  ship,
  type Task,
  type TaskState,
  takenBack,
  taskStates,
} from './task.ts'

function taskIn(state: TaskState, change: Partial<Task> = {}): Task {
  const lines = [
    { sku: 'A', quantity: 3, shipped: 0 },
    { sku: 'B', quantity: 1, shipped: 0 },
  ]
  return {
    taskId: 'T',
    node: 'N',
    state,
    fence: 4,
    interceptRequested: false,
    notBefore: null,
    change: 0,
    changeTaken: 0,
    lines,
    ...change,
  }
}

const flag = { interceptRequested: true }
const partly = { lines: [{ sku: 'A', quantity: 3, shipped: 2 }] }
const parcel = (waybill: string, ...lines: [sku: string, quantity: number][]): Package => ({
  ...{ carrier: 'sf', waybill, shippedAt: 0 },
  lines: lines.map(([sku, quantity]) => ({ sku, quantity })),
})
const whole = parcel('1', ['A', 3], ['B', 1])

test.each<[why: string, fence: number | null, told: number, outcome: string | null]>([
  ['the owner', 4, 4, null],
  ['an owner whose lease went to another', 4, 3, 'stale_fence'],
  ['a fence that was never given', 4, 5, 'stale_fence'],
  ['another node, or a task that does not exist', null, 4, 'unknown_task'],
])('a claim: %s', (_, fence, told, outcome) => {
  expect(refusedClaim(fence === null ? undefined : { fence }, told)?.outcome ?? null).toBe(outcome)
})

describe('who may pull, who is told of an intercept, whose intercept is over', () => {
  test.each<[TaskState, boolean, boolean, pull: boolean, told: boolean, over: boolean]>([
    ['ready', false, false, true, false, false],
    ['ready', true, false, false, false, false],
    ['pulled', false, true, false, false, false],
    ['pulled', false, false, true, false, false],
    ['accepted', false, false, true, false, false],
    ['accepted', false, true, false, false, false],
    ['pulled', true, true, false, true, false],
    ['pulled', true, false, false, false, true],
    ['accepted', true, true, false, true, false],
    ['accepted', true, false, false, false, true],
    ['shipped', false, false, false, false, false],
    ['rejected', false, false, false, false, false],
    ['intercepted', true, false, false, false, false],
    ['cancelled', false, false, false, false, false],
  ])('%s, flagged %s, leased %s', (state, interceptRequested, isLeased, pull, told, over) => {
    const task = taskIn(state, { interceptRequested })
    expect([mayBePulled(task, isLeased, 0), isToldOfNews(task, isLeased), isInterceptLapsed(task, isLeased)]).toEqual([
      pull,
      told,
      over,
    ])
  })

  test.each([
    [null, true],
    [7, true],
    [8, false],
  ])('not before %s, at 7: %s', (notBefore, pull) => {
    expect(mayBePulled(taskIn('ready', { notBefore }), false, 7)).toBe(pull)
    // Whoever had it once may have it again.
    expect(mayBePulled(taskIn('pulled', { notBefore }), false, 7)).toBe(true)
  })

  test('a pull gives a higher fence', () => {
    expect(pulled(taskIn('accepted'))).toEqual(taskIn('pulled', { fence: 5 }))
  })
})

test.each<[TaskState, Partial<Task>, boolean, outcome: string]>([
  ['pulled', {}, true, 'accepted'],
  ['accepted', {}, true, 'already_accepted'],
  ['accepted', {}, false, 'already_accepted'],
  ['pulled', {}, false, 'lease_lapsed'],
  ['pulled', flag, true, 'intercepted'],
  ['pulled', flag, false, 'lease_lapsed'],
  ['ready', {}, false, 'wrong_state'],
  ['shipped', {}, true, 'wrong_state'],
  ['rejected', {}, true, 'wrong_state'],
  ['intercepted', {}, true, 'wrong_state'],
  ['cancelled', {}, false, 'wrong_state'],
])('accept %s %j, leased %s: %s', (state, change, isLeased, outcome) => {
  const done = accept(taskIn(state, change), isLeased)
  expect(done.outcome).toBe(outcome)
  if (done.outcome === 'accepted') expect(done.task).toEqual(taskIn('accepted', change))
})

test.each<[TaskState, Partial<Task>, boolean, outcome: string]>([
  ['pulled', {}, true, 'extended'],
  ['accepted', flag, true, 'extended'],
  ['pulled', {}, false, 'lease_lapsed'],
  ['ready', {}, true, 'wrong_state'],
  ['shipped', {}, true, 'wrong_state'],
])('extend %s %j, leased %s: %s', (state, change, isLeased, outcome) => {
  expect(extend(taskIn(state, change), isLeased).outcome).toBe(outcome)
})

const news = { change: 2, changeTaken: 1 }

test.each<[why: string, TaskState, Partial<Task>, change: number | undefined, outcome: string]>([
  ['not told of it', 'pulled', news, undefined, 'changed'],
  ['taking an older one', 'pulled', news, 1, 'changed'],
  ['taking it', 'pulled', news, 2, 'accepted'],
  ['taking it, accepted before', 'accepted', news, 2, 'accepted'],
  ['accepted before', 'accepted', news, undefined, 'changed'],
  ['taken before', 'accepted', { change: 2, changeTaken: 2 }, 2, 'already_accepted'],
  ['nothing changed', 'pulled', {}, 1, 'accepted'],
  ['to be stopped as well', 'pulled', { ...news, ...flag }, 2, 'intercepted'],
])('accept after a change, %s: %s', (_, state, standing, change, outcome) => {
  const done = accept(taskIn(state, standing), true, change)
  expect(done.outcome).toBe(outcome)
  if (done.outcome === 'accepted')
    expect(done.task).toEqual(taskIn('accepted', { ...standing, changeTaken: standing.change ?? 0 }))
})

test('a change counts for an owner alone, and a pull takes it', () => {
  expect(changed(taskIn('ready'))).toEqual(taskIn('ready'))
  const known = changed(changed(taskIn('pulled')))
  expect(known).toMatchObject({ change: 2, changeTaken: 0 })
  expect(isChanged(known)).toBe(true)
  expect(isChanged(pulled(known))).toBe(false)
})

describe('ship', () => {
  const gone = { alreadyGone: true }
  test.each<[why: string, Task, known: Package[], told: Package[], outcome: string, words?: ShipWords]>([
    ['all of it', taskIn('pulled'), [], [whole], 'shipped'],
    ['in two parcels at once', taskIn('accepted'), [], [parcel('1', ['A', 3]), parcel('2', ['B', 1])], 'shipped'],
    ['a part', taskIn('pulled'), [], [parcel('1', ['A', 1])], 'partly_shipped'],
    ['the rest', taskIn('accepted', partly), [parcel('1', ['A', 2])], [parcel('2', ['A', 1])], 'shipped'],
    ['told again', taskIn('shipped'), [whole], [whole], 'already_shipped'],
    [
      'told again, lines in other pieces',
      taskIn('shipped'),
      [whole],
      [parcel('1', ['B', 1], ['A', 2], ['A', 1])],
      'already_shipped',
    ],
    ['some of it told again', taskIn('shipped'), [whole], [parcel('1', ['A', 2])], 'already_shipped'],
    ['more of one waybill', taskIn('accepted', partly), [parcel('1', ['A', 2])], [parcel('1', ['A', 3])], 'shipped'],
    [
      'other goods of one waybill',
      taskIn('accepted'),
      [parcel('1', ['A', 1])],
      [parcel('1', ['B', 1])],
      'partly_shipped',
    ],
    [
      'all of one waybill again',
      taskIn('accepted'),
      [parcel('1', ['A', 3]), parcel('1', ['B', 1])],
      [whole],
      'already_shipped',
    ],
    [
      'neither a repeat nor an addition',
      taskIn('accepted'),
      [parcel('1', ['A', 2])],
      [parcel('1', ['A', 1], ['B', 1])],
      'waybill_used_for_other_lines',
    ],
    ['after a flag', taskIn('accepted', flag), [], [whole], 'intercepted'],
    ['gone before the flag', taskIn('accepted', flag), [], [whole], 'shipped', gone],
    ['a part gone before the flag', taskIn('accepted', flag), [], [parcel('1', ['A', 1])], 'partly_shipped', gone],
    ['gone, and handed back', taskIn('intercepted', flag), [], [whole], 'wrong_state', gone],
    ['after a change', taskIn('accepted', news), [], [whole], 'changed'],
    ['after a change that is taken', taskIn('pulled', news), [], [whole], 'shipped', { change: 2 }],
    ['gone before the change', taskIn('pulled', news), [], [whole], 'shipped', gone],
    ['never pulled', taskIn('ready'), [], [whole], 'wrong_state'],
    ['never pulled, and gone', taskIn('ready'), [], [whole], 'wrong_state', gone],
    ['given back', taskIn('rejected'), [], [whole], 'wrong_state'],
    ['too many', taskIn('pulled'), [], [parcel('1', ['A', 4])], 'lines_do_not_match'],
    [
      'too many, in two parcels',
      taskIn('pulled'),
      [],
      [parcel('1', ['A', 2]), parcel('2', ['A', 2])],
      'lines_do_not_match',
    ],
    ['more than is left', taskIn('accepted', partly), [], [parcel('2', ['A', 2])], 'lines_do_not_match'],
    ['another SKU', taskIn('pulled'), [], [parcel('1', ['C', 1])], 'lines_do_not_match'],
  ])('%s', (_, task, known, told, outcome, words = {}) => {
    const done = ship(task, known, told, words)
    expect(done.outcome).toBe(outcome)
    if (!('task' in done)) return
    const left = done.task.lines.reduce((sum, l) => sum + l.quantity - l.shipped, 0)
    expect([done.task.state, left === 0]).toEqual(done.outcome === 'shipped' ? ['shipped', true] : ['accepted', false])
    expect(done.task.interceptRequested).toBe(task.interceptRequested && left > 0)
  })

  test('each unit leaves once, whatever is told again beside it', () => {
    const known = [parcel('1', ['A', 1])]
    const done = ship(taskIn('accepted', partly), known, [...known, parcel('2', ['A', 1])])
    expect(done).toMatchObject({ fresh: [{ waybill: '2' }], leaving: new Map([['A', 1]]) })
  })

  test('of a waybill that grows only what is added leaves', () => {
    const done = ship(taskIn('accepted'), [parcel('1', ['A', 1])], [parcel('1', ['A', 3], ['B', 1])])
    expect(done).toMatchObject({ fresh: [parcel('1', ['A', 2], ['B', 1])] })
  })
})

describe('give back', () => {
  const rejected: GivenBackAs = { state: 'rejected', reason: 'damaged', lines: [{ sku: 'A', quantity: 1 }] }
  const tooMany: GivenBackAs = {
    state: 'rejected',
    reason: 'damaged',
    lines: [
      { sku: 'A', quantity: 2 },
      { sku: 'A', quantity: 2 },
    ],
  }
  const confirmed: GivenBackAs = { state: 'intercepted' }
  const forSilent: GivenBackAs = { state: 'intercepted', lapsed: true }
  test.each<[why: string, Task, boolean, reason: string | null, GivenBackAs, outcome: string]>([
    ['rejected', taskIn('pulled'), true, null, rejected, 'given_back'],
    ['rejected although it is to be stopped', taskIn('accepted', flag), true, null, rejected, 'given_back'],
    ['an intercept confirmed', taskIn('accepted', flag), true, null, confirmed, 'given_back'],
    ['for a silent owner', taskIn('pulled', flag), false, null, forSilent, 'given_back'],
    ['for an owner who still has the lease', taskIn('pulled', flag), true, null, forSilent, 'lease_lapsed'],
    ['rejected after the lease', taskIn('pulled'), false, null, rejected, 'lease_lapsed'],
    ['confirmed after the lease', taskIn('pulled', flag), false, null, confirmed, 'lease_lapsed'],
    ['confirmed without a flag', taskIn('pulled'), true, null, confirmed, 'not_intercepted'],
    ['more than it holds', taskIn('pulled'), true, null, tooMany, 'lines_do_not_match'],
    ['told again', taskIn('rejected'), false, 'damaged', rejected, 'already_given_back'],
    ['told again after the decision', taskIn('cancelled'), false, 'intercepted', confirmed, 'already_given_back'],
    ['told again with another reason', taskIn('rejected'), false, 'closed', rejected, 'wrong_state'],
    ['never pulled', taskIn('ready'), false, null, rejected, 'wrong_state'],
    ['shipped', taskIn('shipped'), true, null, rejected, 'wrong_state'],
  ])('%s', (_, task, isLeased, reason, how, outcome) => {
    const done = giveBack(task, isLeased, reason, how)
    expect(done.outcome).toBe(outcome)
    if (done.outcome === 'given_back') expect(done.task.state).toBe(how.state)
  })
})

test('what had left stays shipped when the rest is taken back', () => {
  expect(takenBack(taskIn('rejected', partly))).toEqual(
    taskIn('shipped', { lines: [{ sku: 'A', quantity: 2, shipped: 2 }] }),
  )
  expect(takenBack(taskIn('intercepted', flag))).toEqual(taskIn('cancelled', { lines: [] }))
})

test.each(taskStates)('a flag reaches an owner only: %s', (state) => {
  const task = taskIn(state)
  const after = flagged(task, true)
  expect(after.interceptRequested).toBe(ownedStates.includes(state))
  expect(flagged(after, false)).toEqual(task)
  expect(flagged(task, false)).toBe(task)
})
