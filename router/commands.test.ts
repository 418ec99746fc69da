/** What each command does to an order before the decision: a line a case, each outcome once. */
import { expect, test } from 'vitest'
import { areLinesKnown } from './check.ts'
import { areCodesKnown, type Command, readCommand, refusedCommand, stage, takeCommand } from './commands.ts'
import { newOrder } from './order.ts'
import { catalog, key, line, snapshot } from './testing/orders.ts'
import { type Allocation, type Order, orderStates, type SnapshotLine } from './types.ts'

const given = { actor: { kind: 'operator', name: 'o' }, note: 'why' } as const
const told = { ...newOrder(key, '1'), snapshot: snapshot({ lines: [line('1', { sku: 'X', platformSku: 'P' })] }) }
const at = (place: Allocation['place']): Partial<Order> => ({
  allocations: [{ item: 0, quantity: 1, place, taskId: place === 'task' ? 'T' : null }],
})
const heldBy = (...rules: string[]): Partial<Order> => ({ holds: rules.map((rule) => ({ rule, reason: '' })) })

const approve: Command = { type: 'approve', ...given }
const cancel: Command = { type: 'cancel', ...given }
const restock: Command = { type: 'restock', ...given }
const recheck: Command = { type: 'recheck', ...given }
const takeBack: Command = { type: 'take_back', taskId: 'T', why: 'damaged', lines: [], ...given }

test.each<[why: string, Command, Partial<Order>, outcome: string, moves: boolean, changed: Partial<Order>]>([
  ['a held order', approve, heldBy('human_wanted'), 'approved', true, { overruled: ['human_wanted'] }],
  ['what no person may overrule is looked at again', approve, heldBy('unknown_sku'), 'nothing_to_approve', true, {}],
  [
    'a hold that a person may overrule beside one that none may',
    approve,
    heldBy('unknown_sku', 'human_wanted'),
    'approved',
    true,
    { overruled: ['human_wanted'] },
  ],
  [
    'what was overruled before stays so, and is named once',
    approve,
    { ...heldBy('platform_ahead', 'human_wanted'), overruled: ['human_wanted'] },
    'approved',
    true,
    { overruled: ['human_wanted', 'platform_ahead'] },
  ],
  ['an order that nothing holds', approve, {}, 'nothing_to_approve', false, {}],
  ['an order', cancel, {}, 'cancelled', true, { cancelledBy: 'operator' }],
  ['an order that the platform cancelled', cancel, { cancelledBy: 'platform' }, 'unchanged', false, {}],
  ['told again', cancel, { cancelledBy: 'operator' }, 'unchanged', false, {}],
  ['a task', takeBack, at('task'), 'taken_back', true, {}],
  ['an order that waits', restock, at('backordered'), 'restocked', true, {}],
  ['an order that waits no more', restock, at('task'), 'restocked', false, {}],
  ['an order that is held for its codes', recheck, heldBy('unknown_sku', 'human_wanted'), 'rechecked', true, {}],
  ['an order that is held for something else', recheck, heldBy('human_wanted'), 'rechecked', false, {}],
])('%s: %j', (_, command, standing, outcome, moves, changed) => {
  const order = { ...told, ...standing }
  const done = takeCommand(order, command, { sku: catalog, skuMap: {} })
  expect([done.outcome, done.moves]).toEqual([outcome, moves])
  expect(done.order).toEqual({ ...order, ...changed })
  expect(done.takeBack).toBe(command === takeBack ? takeBack : undefined)
})

test.each([approve, recheck])('$type looks again at what no catalog knew', (command) => {
  const order = { ...told, ...heldBy('unknown_sku') }
  const skusFor = (skuMap: Record<string, string>) =>
    takeCommand(order, command, { sku: catalog, skuMap }).order.snapshot!.lines.map((l) => l.sku)
  expect([skusFor({}), skusFor({ X: 'A' }), skusFor({ P: 'B' }), skusFor({ toString: 'C' })]).toEqual([
    ['X'],
    ['A'],
    ['B'],
    ['X'],
  ])
})

test.each<[why: string, lines: Partial<SnapshotLine>[], skuMap: Record<string, string>, known: boolean]>([
  ['a known one', [{ sku: 'A' }], {}, true],
  ['an unknown one', [{ sku: 'X', platformSku: 'P' }], { Y: 'A' }, false],
  ['one that the map knows by its code', [{ sku: 'X' }], { X: 'A' }, true],
  ['one that the map knows by the platform’s', [{ sku: '', platformSku: 'P' }], { P: 'A' }, true],
  ['one that is mapped to nothing', [{ sku: 'X' }], { X: 'Y' }, false],
  ['one of two', [{ sku: 'A' }, { sku: 'X' }], {}, false],
  ['an unknown one that is refunded', [{ sku: 'A' }, { sku: 'X', refund: 'refunded' }], {}, true],
])('whether all codes are known: %s', (_, lines, skuMap, known) => {
  const all = lines.map((each, i) => line(String(i), each))
  expect(areCodesKnown(all, { sku: catalog, skuMap })).toBe(known)
  // It says what a recheck comes to.
  const order = { ...told, ...heldBy('unknown_sku'), snapshot: snapshot({ lines: all }) }
  const after = takeCommand(order, recheck, { sku: catalog, skuMap }).order.snapshot!.lines
  expect(areLinesKnown(after, catalog)).toBe(known)
})

test.each(orderStates)('what a person may ask of an order that is %s', (state) => {
  const hasLeft = state === 'shipped' || state === 'closed'
  expect([true, false].map((isHeld) => refusedCommand('approve', { state, isHeld }))).toEqual([null, 'order_not_held'])
  expect(refusedCommand('cancel', { state, isHeld: false })).toBe(hasLeft ? 'order_already_shipped' : null)
})

test.each<[stored: unknown, read: Command]>([
  [approve, approve],
  [takeBack, takeBack],
  [{ type: 'release' }, { type: 'approve', actor: { kind: 'unknown', name: '' }, note: '' }],
  [
    { type: 'cancel', actor: stage('s') },
    { type: 'cancel', actor: { kind: 'stage', name: 's' }, note: '' },
  ],
])('%j is read', (stored, read) => {
  expect(readCommand(JSON.parse(JSON.stringify(stored)))).toEqual(read)
})
