/**
 * The three-way match (三方对账): one order's own flow, its funds and its parcels, each with what is expected and what
 * came. It closes only when all three agree, to the unit and to the fen; otherwise every difference has a name.
 *
 * Its result depends only on what is known, never on when or in which order that became known.
 */
import { matchFunds } from './reconcile/funds.ts'
import { matchLogistics } from './reconcile/logistics.ts'
import { matchOrder } from './reconcile/order-flow.ts'
import { closableStates, type ReconcileException, type ReconcileInput, type Reconciliation } from './reconcile/types.ts'
import type { Order, OrderState } from './types.ts'

export function reconcile(input: ReconcileInput): Reconciliation {
  const found: ReconcileException[] = []
  const order = matchOrder(input, found)
  const funds = matchFunds(input, found)
  const logistics = matchLogistics(input, found)
  const agrees = order.agrees && funds.agrees && logistics.agrees
  return { order, funds, logistics, state: agrees ? 'closed' : 'open', exceptions: sortedOnce(found) }
}

/** Whether the match has anything to say of an order. `entered`: it had before, and what it found then may be over. */
export function hasSomethingToClose({ order, bills }: ReconcileInput, entered: boolean): boolean {
  return entered || bills.length > 0 || closableStates.includes(order.state)
}

/** After a decision: an order that has something to close, or had, like a cancelled one that is paid after all. */
export function isDueAfter(before: Pick<Order, 'state'>, after: Pick<Order, 'state'>): boolean {
  return [before, after].some(({ state }) => closableStates.includes(state))
}

/**
 * What a match makes of the order's state: closed when all three flows agree and something was shipped; open again when
 * a closed order is contradicted by what came later. null: nothing.
 */
export function changeOf(reconciliation: Reconciliation, state: OrderState): 'closed' | 'reopened' | null {
  if (reconciliation.state === 'open') return state === 'closed' ? 'reopened' : null
  const mayClose = state !== 'closed' && state !== 'cancelled'
  return mayClose && reconciliation.order.shippedUnits > 0 ? 'closed' : null
}

/** By kind, then by what it is about; two of the same are one, with the earlier beginning. */
function sortedOnce(found: readonly ReconcileException[]): ReconcileException[] {
  const byKey = new Map<string, ReconcileException>()
  for (const exception of found) {
    const key = `${exception.kind}\n${exception.of}`
    const known = byKey.get(key)
    if (known === undefined || exception.since < known.since) byKey.set(key, exception)
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, exception]) => exception)
}
