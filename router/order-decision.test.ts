/** The front door: what becomes of each event, what is believed of its time, and which nodes are not asked. */
import { describe, expect, test } from 'vitest'
import { type Command, stage } from './commands.ts'
import { newOrder } from './order.ts'
import { type DecisionInput, decideOrder, type Told } from './order-decision.ts'
import { defaultPolicy } from './policy.ts'
import type { TakeBackReason } from './reasons.ts'
import type { TaskState } from './task.ts'
import { catalog, key, line, refund, snapshot, task } from './testing/orders.ts'
import type { Order } from './types.ts'

const storedAtMs = 1_000_000
const aheadMsMax = 1_000
const policy = { ...defaultPolicy, clock: { aheadMsMax } }

function decided(told: readonly Told[], standing: Partial<Pick<DecisionInput, 'before' | 'tasks'>> = {}) {
  const events = told.map((each) => ({ told: each, storedAtMs }))
  return decideOrder({ before: newOrder(key, '1'), tasks: [], events, catalog, skuMap: {}, policy, ...standing })
}

const command = (given: { type: 'cancel' | 'approve' | 'restock' }): Told => ({
  type: 'command',
  command: { ...given, actor: stage('s'), note: 'why' },
})
const back = (taskId: string, why: TakeBackReason): Told => ({
  type: 'command',
  command: { type: 'take_back', taskId, why, lines: [], actor: stage('s'), note: '' } satisfies Command,
})

const given = { actor: stage('s'), note: 'why' }
const unreadable: Told = { type: 'unintelligible', reason: 'no JSON' }

test.each<[why: string, told: Told[], taken: object[], wanted: number | null]>([
  ['an order', [snapshot()], [{ outcome: 'taken' }], 1],
  ['the same again', [snapshot(), snapshot()], [{ outcome: 'taken' }, { outcome: 'unchanged' }], 1],
  ['an older one after it', [snapshot(), snapshot({ modifiedAt: 9 })], [{ outcome: 'taken' }, { outcome: 'stale' }], 1],
  ['a refund of an order that is not known yet', [refund()], [{ outcome: 'taken' }], 0],
  ['what nobody can read', [unreadable], [{ outcome: 'unintelligible', reason: 'no JSON' }], null],
  [
    'an approval of what nothing holds',
    [command({ type: 'approve' })],
    [{ outcome: 'nothing_to_approve', given }],
    null,
  ],
  [
    'an order that is cancelled at once',
    [snapshot(), command({ type: 'cancel' })],
    [{ outcome: 'taken' }, { outcome: 'cancelled', given }],
    0,
  ],
  ['stock for an order that does not wait', [command({ type: 'restock' })], [{ outcome: 'restocked', given }], null],
])('%s', (_, told, taken, wanted) => {
  const done = decided(told)
  expect(done.events).toEqual(taken)
  expect(done.decision?.demand.length ?? null).toBe(wanted)
})

describe('a time that lies ahead of the moment at which the event was stored', () => {
  test.each<[told: Told & { modifiedAt: number }, isBelieved: boolean]>([
    [snapshot({ modifiedAt: storedAtMs }), true],
    [snapshot({ modifiedAt: storedAtMs + aheadMsMax }), true],
    [snapshot({ modifiedAt: storedAtMs + aheadMsMax + 1 }), false],
    [refund({ modifiedAt: storedAtMs + aheadMsMax }), true],
    [refund({ modifiedAt: storedAtMs + aheadMsMax + 1 }), false],
  ])('$type at $modifiedAt: believed: %s', (told, isBelieved) => {
    const { events, decision } = decided([told])
    expect(events).toEqual([{ outcome: 'taken', ...(isBelieved ? {} : { unbelievedAt: told.modifiedAt }) }])
    const { snapshot: known, refunds } = decision!.order
    expect([known, ...refunds].flatMap((t) => t?.modifiedAt ?? [])).toEqual([isBelieved ? told.modifiedAt : storedAtMs])
  })
})

test('the rules that hold an order and those that passed are named, under the limits of the policy', () => {
  const many = [snapshot({ lines: [line('1', { quantity: 3 })] })]
  expect(decided(many).checked.holds).toEqual([])
  const strict = { ...policy, check: { ...policy.check, lineQuantityMax: 2 } }
  const { checked } = decideOrder({
    ...{ before: newOrder(key, '1'), tasks: [], catalog, skuMap: {}, policy: strict },
    events: many.map((told) => ({ told, storedAtMs })),
  })
  expect(checked.holds).toEqual(['risky_quantity'])
  expect(checked.passed).toEqual(decided(many).checked.passed.filter((rule) => rule !== 'risky_quantity'))
})

test.each<[TakeBackReason, TaskState, believed: boolean, excluded: string[], avoided: string[]]>([
  ['closed', 'rejected', true, ['M', 'N'], []],
  ['overloaded', 'rejected', true, ['M', 'N'], []],
  ['out_of_stock', 'rejected', true, ['M'], ['N']],
  ['damaged', 'rejected', true, ['M'], ['N']],
  ['intercepted', 'intercepted', true, ['M'], []],
  ['shortage', 'ready', true, ['M'], []],
  // What became of the task says its state, and not a command that came too late.
  ['shortage', 'rejected', false, ['M'], []],
  ['closed', 'pulled', false, ['M'], []],
  ['out_of_stock', 'cancelled', false, ['M'], []],
])('a task that comes back as %s while it is %s: believed: %s', (why, state, believed, excluded, avoided) => {
  const order: Order = {
    ...decided([snapshot()]).decision!.order,
    ...{ version: 1, excludedNodes: ['M'] },
    allocations: [
      {
        item: 0,
        quantity: 1,
        place: state === 'cancelled' ? 'held' : 'task',
        taskId: state === 'cancelled' ? null : '1-1',
      },
    ],
  }
  const done = decided([back('1-1', why)], { before: order, tasks: [task({ state })] })
  expect(done.takenBack.map((c) => c.why)).toEqual(believed ? [why] : [])
  expect(done.decision!.order.excludedNodes).toEqual(excluded)
  expect(done.avoidedNodes).toEqual(avoided)
})

describe('an order whose only task comes back is checked anew for what it comes to', () => {
  const routed: Order = {
    ...decided([snapshot()]).decision!.order,
    ...{ version: 1, allocations: [{ item: 0, quantity: 1, place: 'task', taskId: '1-1' }] },
  }
  const more = snapshot({ modifiedAt: 200, lines: [line('1', { quantity: 2_000_000 })], paidFen: 1_000 })

  test('when its lines changed', () => {
    const { checked, decision } = decided([more], { before: routed, tasks: [task({ state: 'ready' })] })
    expect(checked.holds).toEqual(expect.arrayContaining(['too_many_units', 'risky_quantity']))
    expect(decision).toMatchObject({ demand: [], cancelled: [{ taskId: '1-1' }], order: { state: 'held' } })
  })

  test('or while a warehouse has it: called back, and its lines stay until then', () => {
    const { checked, decision } = decided([more], { before: routed, tasks: [task({ state: 'pulled' })] })
    expect(checked.holds).toContain('too_many_units')
    expect(decision).toMatchObject({ interceptRequested: ['1-1'], order: { items: [{ quantity: 1 }] } })
  })
})
