import { describe, expect, test } from 'vitest'
import type { Command } from '../../router/commands.ts'
import { defaultPolicy } from '../../router/policy.ts'
import type { TakeBackReason } from '../../router/reasons.ts'
import type { Task } from '../../router/task.ts'
import type { Order, Sku } from '../../router/types.ts'
import { catalogOf } from '../catalog/catalog.ts'
import type { EventToDecide } from './batch.ts'
import { writeOf } from './records.ts'
import { type WorkContext, workOn } from './take-events.ts'

const tee: Sku = { sku: 'TEE', name: 'tee', weightGrams: 1, storageClass: 'normal', warehouseOnly: false, bundle: [] }

const storedAtMs = Date.parse('2025-01-02T00:00:00+08:00')

function contextWith(skus: readonly Sku[], skuMap: Readonly<Record<string, string>>): WorkContext {
  const catalog = catalogOf({
    version: 1,
    nodes: [],
    skus: new Map(skus.map((value, no) => [value.sku, { no, value }])),
    shops: new Map([['tmall/s', { channel: 'tmall', shop: 's', credentials: {}, apiBaseUrl: null, skuMap }]]),
  })
  return {
    catalog,
    divisions: { provinces: { full: new Map(), short: new Map() }, points: new Map() },
    policy: defaultPolicy,
  }
}

let seq = 0
function event(kind: string, body: unknown): EventToDecide {
  const bytes = Buffer.from(JSON.stringify(body))
  return {
    seq: `${++seq}`,
    channel: 'tmall',
    shop: 's',
    eventId: `${seq}`,
    orderId: '7',
    kind,
    body: bytes,
    storedAtMs,
  }
}
const command = (told: Command) => event('command', told)

function trade(code: string, change: Record<string, unknown> = {}) {
  return event('order', {
    trade: {
      ...{
        tid_str: '7',
        status: 'WAIT_SELLER_SEND_GOODS',
        modified: '2025-01-01 00:00:00',
        payment: '1.00',
        post_fee: '0.00',
      },
      orders: { order: [{ oid_str: '7', num: 1, outer_sku_id: code, sku_id: '99', divide_order_fee: '1.00' }] },
      ...change,
    },
  })
}

/** Decided and, since there are no nodes here, with whatever is wanted still to be placed. */
function decided(context: WorkContext, order: Order | null, ...events: EventToDecide[]) {
  const work = workOn(context, events, order === null ? undefined : { order, tasks: [] })
  const after = work.decision?.order ?? work.before
  const rules = after.holds.map((h) => h.rule).join(' ')
  return { work, order: { ...after, version: after.version + 1 }, rules, demand: work.decision?.demand ?? [] }
}

const given = { actor: { kind: 'operator', name: '王芳' }, note: '已电话确认' } as const
const approve = { type: 'approve', ...given } as const

describe('an approval', () => {
  const nowhere = 'unresolvable_address'
  test.each<[why: string, code: string, skus: Sku[], skuMap: Record<string, string>, rules: string]>([
    ['leaves what is still wrong', 'TEE-OLD', [], {}, 'unknown_sku'],
    ['finds an SKU that was added', 'TEE', [tee], {}, ''],
    ['finds an SKU that was mapped by the merchant code', 'TEE-OLD', [tee], { 'TEE-OLD': 'TEE' }, ''],
    ['finds an SKU that was mapped by the platform code', '', [tee], { '99': 'TEE' }, ''],
    ['is not fooled by a map to nothing', 'TEE-OLD', [tee], { 'TEE-OLD': 'GONE' }, 'unknown_sku'],
  ])('%s', (_, code, skus, skuMap, rules) => {
    const held = decided(contextWith([], {}), null, trade(code))
    expect(held.rules).toBe(`unknown_sku ${nowhere}`)
    const approved = decided(contextWith(skus, skuMap), held.order, command(approve))
    expect(approved.work.events).toMatchObject([{ outcome: 'approved', given }])
    expect(approved.rules).toBe(rules)
    expect(approved.demand).toEqual(rules === '' ? [{ item: 0, quantity: 1 }] : [])
    if (rules === '') expect(approved.order.items[0]!.sku).toBe('TEE')
  })

  test('lets an order go that the platform says is shipped, after somebody looked', () => {
    const context = contextWith([tee], {})
    const held = decided(context, null, trade('TEE', { status: 'WAIT_BUYER_CONFIRM_GOODS' }))
    expect(held.rules).toBe(`${nowhere} platform_ahead`)
    const approved = decided(context, held.order, command(approve))
    expect(approved.demand).toHaveLength(1)
    expect(decided(context, approved.order, command(approve)).work.decision).toBe(null)
  })

  test('does not let an unpaid one go', () => {
    const context = contextWith([tee], {})
    const held = decided(context, null, trade('TEE', { status: 'WAIT_BUYER_PAY' }))
    const approved = decided(context, held.order, command(approve))
    expect(approved.rules).toBe('unpaid')
    expect(approved.demand).toEqual([])
  })
})

test('a command of version 0.1.0 has no actor, and its release is an approval', () => {
  const context = contextWith([tee], {})
  const held = decided(context, null, trade('TEE', { status: 'WAIT_BUYER_CONFIRM_GOODS' }))
  const stored = { type: 'release', note: 'read' } as unknown as Command
  const approved = decided(context, held.order, command(stored))
  expect(approved.work.events).toMatchObject([
    { outcome: 'approved', given: { actor: { kind: 'unknown', name: '' }, note: 'read' } },
  ])
  expect(approved.demand).toHaveLength(1)
})

describe('commands that take one task back, decided together', () => {
  const context = contextWith([tee], {})
  const back = (why: TakeBackReason, sku = 'TEE') =>
    command({ type: 'take_back', taskId: 'T', why, lines: [{ sku, quantity: 1 }], ...given })

  function taken(state: Task['state'], ...events: EventToDecide[]) {
    const held = decided(context, null, trade('TEE')).order
    const order: Order = { ...held, allocations: [{ item: 0, quantity: 1, place: 'task', taskId: 'T' }], holds: [] }
    const lines = [{ sku: 'TEE', quantity: 1, shipped: 0 }]
    const task: Task = {
      taskId: 'T',
      node: 'N',
      state,
      fence: 1,
      interceptRequested: false,
      notBefore: null,
      change: 0,
      changeTaken: 0,
      lines,
    }
    const work = workOn(context, events, { order, tasks: [task] })
    const placed = { order: work.decision!.order, newTasks: [], taken: [], sourcing: [], rounds: 1 }
    const { releases } = writeOf(work, placed, 1)
    return {
      believed: work.takenBack.map((c) => c.why).join(' '),
      missing: releases.map((r) => r.corrections.map((c) => c.sku).join(' ')),
      excluded: work.decision!.order.excludedNodes.join(' '),
    }
  }

  test.each<[state: Task['state'], events: EventToDecide[], believed: string, missing: string[], excluded: string]>([
    ['rejected', [back('shortage'), back('out_of_stock')], 'out_of_stock', ['TEE'], ''],
    ['rejected', [back('out_of_stock'), back('shortage')], 'out_of_stock', ['TEE'], ''],
    ['rejected', [back('shortage'), back('closed')], 'closed', [''], 'N'],
    ['intercepted', [back('shortage'), back('intercepted')], 'intercepted', [''], ''],
    ['ready', [back('shortage'), back('shortage')], 'shortage', [''], ''],
    ['ready', [back('out_of_stock'), back('shortage')], 'shortage', [''], ''],
    ['pulled', [back('shortage'), back('closed')], '', [], ''],
    ['cancelled', [back('out_of_stock'), back('overloaded')], '', [], ''],
  ])('of a %s task: %#', (state, events, believed, missing, excluded) => {
    expect(taken(state, ...events)).toEqual({ believed, missing, excluded })
  })
})

describe('an event from the future', () => {
  const context = contextWith([tee], {})
  const at = (modified: string, change: Record<string, unknown> = {}) => trade('TEE', { modified, ...change })
  const known = (modified: string) => decided(context, null, at(modified)).order
  const problemsOf = (work: ReturnType<typeof workOn>) => {
    const placed =
      work.decision === null ? null : { order: work.decision.order, newTasks: [], taken: [], sourcing: [], rounds: 1 }
    return writeOf(work, placed, 1).problems
  }

  test('is believed, but not its time: what happens later still counts', () => {
    const frozen = decided(context, null, at('2099-01-01 00:00:00'))
    expect(frozen.order.snapshot!.modifiedAt).toBe(storedAtMs)
    expect(problemsOf(frozen.work)).toEqual([
      {
        kind: 'event_from_the_future',
        ref: frozen.order.id,
        detail: {
          ...{ channel: 'tmall', shop: 's', orderId: '7', eventId: frozen.work.events[0]!.event.eventId },
          modifiedAt: Date.parse('2099-01-01T00:00:00+08:00'),
        },
      },
    ])
    const closed = decided(context, frozen.order, at('2025-01-02 00:00:01', { status: 'TRADE_CLOSED' }))
    expect(closed.order.state).toBe('cancelled')
    expect(problemsOf(closed.work)).toEqual([])
  })

  test('is raised though it is stale', () => {
    const late = decided(context, known('2025-01-02 12:00:00'), at('2099-01-01 00:00:00'))
    expect(late.work.events.map((e) => e.outcome)).toEqual(['stale'])
    expect(problemsOf(late.work).map((p) => p.kind)).toEqual(['event_from_the_future'])
  })

  test.each([
    ['2025-01-03 00:00:00', 'a clock that is a day ahead', 0],
    ['2025-01-03 00:00:01', 'more than a day', 1],
  ])('%s: %s', (modified, _, problems) => {
    const { work, order } = decided(context, null, at(modified))
    const told = Date.parse(`${modified.replace(' ', 'T')}+08:00`)
    expect(order.snapshot!.modifiedAt).toBe(problems === 0 ? told : storedAtMs)
    expect(problemsOf(work)).toHaveLength(problems)
  })

  test('may be a refund', () => {
    const told = { refund_id: '1', tid: '7', oid: '7', status: 'WAIT_SELLER_AGREE', refund_fee: '1.00' }
    const refund = event('refund', { refund: { ...told, modified: '2099-01-01 00:00:00' } })
    const { work, order } = decided(context, known('2025-01-01 00:00:00'), refund)
    expect(order.refunds.map((r) => r.modifiedAt)).toEqual([storedAtMs])
    expect(problemsOf(work).map((p) => p.kind)).toEqual(['event_from_the_future'])
  })
})
