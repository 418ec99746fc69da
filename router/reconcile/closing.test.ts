/** When a match closes an order, when it opens one again, and of which orders it has anything to say. */
import { expect, test } from 'vitest'
import { changeOf, hasSomethingToClose, reconcile } from '../reconcile.ts'
import { type OrderState, orderStates } from '../types.ts'
import { agreeingWorld } from './world.ts'
import { withBills, withOrder } from './world-changes.ts'

const agrees = agreeingWorld({ lines: [{ quantity: 2, paidFen: 1_000, cancelled: false, task: 0 }], freightFen: 10 })
const shipped = reconcile(agrees)
const nothingShipped = { ...shipped, order: { ...shipped.order, shippedUnits: 0 } }
const open = { ...shipped, state: 'open' as const }

test('the match that the cases begin with agrees', () => {
  expect([shipped.state, shipped.order.shippedUnits]).toEqual(['closed', 2])
})

type Change = ReturnType<typeof changeOf>
test.each<[OrderState, agreed: Change, agreedWithNothingShipped: Change, contradicted: Change]>([
  ['announced', 'closed', null, null],
  ['unpaid', 'closed', null, null],
  ['held', 'closed', null, null],
  ['backordered', 'closed', null, null],
  ['routed', 'closed', null, null],
  ['partly_shipped', 'closed', null, null],
  ['shipped', 'closed', null, null],
  // Its money is settled, and there is nothing that could be shipped.
  ['cancelled', null, null, null],
  ['closed', null, null, 'reopened'],
])('%s: %s when all three agree, %s when nothing was shipped, %s when one does not', (state, ...changes) => {
  expect([shipped, nothingShipped, open].map((match) => changeOf(match, state))).toEqual(changes)
})

test.each<[OrderState, alone: boolean]>([
  ['announced', false],
  ['unpaid', false],
  ['held', false],
  ['backordered', false],
  ['routed', false],
  ['partly_shipped', true],
  ['shipped', true],
  ['cancelled', true],
  ['closed', true],
])('%s: there is something to close without any bill: %s', (state, alone) => {
  const billed = withOrder(agrees, { state })
  const unbilled = withBills(billed, () => null)
  expect([unbilled, billed].map((input) => hasSomethingToClose(input, false))).toEqual([alone, true])
  // What an earlier match found may be over.
  expect(hasSomethingToClose(unbilled, true)).toBe(true)
})

test('no state is left out', () => {
  expect(orderStates).toHaveLength(9)
})
