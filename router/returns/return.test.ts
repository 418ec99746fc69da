import { describe, expect, test } from 'vitest'
import { agreeingWorld } from '../reconcile/world.ts'
import { fc } from '../testing/seed.ts'
import { agree, endUnreceived, type ReturnDone, receive, requestReturn, settle } from './return.ts'
import type { Return, ReturnWorld } from './types.ts'
import { openUnits, placesBack, returnable } from './units.ts'

const said = { actor: { kind: 'operator', name: 'w' }, note: '', at: 7 } as const
// Lines 0 and 3 are of one SKU and leave in one task; line 1 goes in a parcel of its own.
const line = { quantity: 2, paidFen: 1_000, cancelled: false, task: 0 }
const { order, tasks } = agreeingWorld({ lines: [line, { ...line, task: 1 }, line, line], freightFen: 0 })
const world: ReturnWorld = { order, tasks, returns: [] }
const asked = {
  ...({ ref: 'r', hash: 'h', kind: 'return', node: null, carrier: null, waybill: null, refundFen: 0 } as const),
  ...{ lines: [{ lineId: null, sku: 'sku-0', quantity: 3 }], agreed: false },
}
const changed = (done: ReturnDone): Return => {
  if (done.outcome !== 'changed') throw new Error(done.outcome)
  return { ...done.after, id: '1' }
}
const requested = changed(requestReturn(world, asked, said))
const agreed = changed(agree(requested, {}, said))
const coming = changed(agree(requested, { carrier: 'SF', waybill: 'W1' }, said))
const given = (good: number, damaged = 0, missing = 0, ref = 'r1') => ({
  ...{ ref, hash: `${good} ${damaged} ${missing}`, node: 'n', lines: [{ sku: 'sku-0', good, damaged, missing }] },
})
const partly = changed(receive(coming, given(1), said))
const received = changed(receive(coming, given(2, 0, 1), said))
const settled = changed(settle(received, said))
const refused = changed(endUnreceived(requested, 'refused', said))
const withdrawn = changed(endUnreceived(requested, 'withdrawn', said))

test('asked for by SKU, the units are of the lines that have them', () => {
  expect(requested).toMatchObject({
    state: 'requested',
    lines: [
      { lineId: 'line-0', sku: 'sku-0', quantity: 2 },
      { lineId: 'line-3', sku: 'sku-0', quantity: 1 },
    ],
  })
  expect([agreed.state, coming.state]).toEqual(['agreed', 'on_its_way'])
})

test.each<[string, ReturnDone, string]>([
  [
    'more than left',
    requestReturn(world, { ...asked, lines: [{ lineId: null, sku: 'sku-0', quantity: 5 }] }, said),
    'units_do_not_fit',
  ],
  [
    'of another line',
    requestReturn(world, { ...asked, lines: [{ lineId: 'line-1', sku: 'sku-0', quantity: 1 }] }, said),
    'units_do_not_fit',
  ],
  [
    'more than another return leaves',
    requestReturn({ ...world, returns: [requested] }, { ...asked, ref: 's' }, said),
    'units_do_not_fit',
  ],
  [
    'what a refused return left',
    requestReturn({ ...world, returns: [refused] }, { ...asked, ref: 's' }, said),
    'changed',
  ],
  ['the same again', requestReturn({ ...world, returns: [requested] }, asked, said), 'unchanged'],
  [
    'another under the same ref',
    requestReturn({ ...world, returns: [requested] }, { ...asked, hash: 'i' }, said),
    'ref_used_for_other',
  ],
  ['more money than was paid', requestReturn(world, { ...asked, refundFen: 4_001 }, said), 'refund_above_paid'],
  [
    'a parcel that never left',
    requestReturn(world, { ...asked, kind: 'rejected', waybill: 'none' }, said),
    'no_such_parcel',
  ],
  ['a parcel', requestReturn(world, { ...asked, kind: 'rejected', waybill: 'SF10' }, said), 'changed'],
])('a request of %s', (_, done, outcome) => {
  expect(done.outcome).toBe(outcome)
})

describe('each verb in each state', () => {
  const states = { requested, agreed, coming, partly, received, settled, refused, withdrawn }
  const verbs: Readonly<Record<string, (known: Return) => ReturnDone>> = {
    agree: (known) => agree(known, {}, said),
    refuse: (known) => endUnreceived(known, 'refused', said),
    withdraw: (known) => endUnreceived(known, 'withdrawn', said),
    receive: (known) => receive(known, given(1, 0, 0, 'r2'), said),
    settle: (known) => settle(known, said),
  }
  test.each<[keyof typeof states, string]>([
    ['requested', 'agree refuse withdraw receive'],
    ['agreed', 'refuse withdraw receive'],
    ['coming', 'refuse withdraw receive'],
    ['partly', 'receive'],
    ['received', 'settle'],
    ['settled', ''],
    ['refused', ''],
    ['withdrawn', ''],
  ])('%s: %s', (state, may) => {
    const does = Object.entries(verbs).filter(([, verb]) => verb(states[state]).outcome === 'changed')
    expect(does.map(([name]) => name).join(' ')).toBe(may)
  })
})

test('good units alone become stock; a receipt told again changes nothing', () => {
  expect(receive(coming, given(1, 1, 1), said)).toMatchObject({
    ...{ after: { state: 'received' }, goods: { node: 'n', lines: [{ sku: 'sku-0', quantity: 1 }] } },
  })
  expect(receive(coming, given(0, 3), said)).toMatchObject({ after: { state: 'received' }, goods: null })
  expect(receive(received, given(2, 0, 1), said).outcome).toBe('unchanged')
  expect(receive(partly, given(2), said).outcome).toBe('ref_used_for_other')
  expect(receive(partly, given(3, 0, 0, 'r2'), said).outcome).toBe('units_do_not_fit')
})

test('whatever is asked and received, in however many parts: each unit is in one place', () => {
  const part = fc.record({ good: fc.nat(2), damaged: fc.nat(2), missing: fc.nat(2) })
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
      fc.array(part, { maxLength: 6 }),
      (wishes, parts) => {
        let returns: Return[] = []
        wishes.forEach((quantity, i) => {
          const wish = { ...asked, ref: `r${i}`, lines: [{ lineId: null, sku: 'sku-0', quantity }], agreed: true }
          const done = requestReturn({ order, tasks, returns }, wish, said)
          if (done.outcome === 'changed') returns = [...returns, { ...done.after, id: String(i) }]
        })
        let stock = 0
        parts.forEach((found, i) => {
          returns = returns.map((known) => {
            const done = receive(known, given(found.good, found.damaged, found.missing, `p${i}`), said)
            if (done.outcome !== 'changed') return known
            stock += done.goods === null ? 0 : done.goods.lines[0]!.quantity
            return done.after
          })
        })
        const sum = (map: ReadonlyMap<string, number>) => [...map.values()].reduce((all, units) => all + units, 0)
        const back = placesBack(returns)
        const open = returns.flatMap((known) => openUnits(known)).reduce((all, { quantity }) => all + quantity, 0)
        const free = returnable({ order, tasks, returns }).filter(({ sku }) => sku === 'sku-0')
        const atBuyer = free.reduce((all, { quantity }) => all + quantity, 0)
        expect(atBuyer + open + sum(back.returned) + sum(back.missing)).toBe(4)
        expect(stock).toBeLessThanOrEqual(sum(back.returned))
        for (const known of returns) expect(known.state === 'received').toBe(openUnits(known).length === 0)
      },
    ),
  )
})
