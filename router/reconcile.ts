/**
 * The three-way match (三方对账): one order's own flow, its funds and its parcels, each with what is expected and what
 * came. It closes only when all three agree, to the unit and to the fen; otherwise every difference has a name.
 *
 * Its result depends only on what is known, never on when or in which order that became known.
 */
import { matchFunds } from './reconcile/funds.ts'
import { matchLogistics } from './reconcile/logistics.ts'
import { matchOrder } from './reconcile/order-flow.ts'
import {
  type AcceptedFact,
  closableStates,
  type ReconcileException,
  type ReconcileInput,
  type Reconciliation,
} from './reconcile/types.ts'
import type { Order, OrderState } from './types.ts'

export function reconcile(input: ReconcileInput): Reconciliation {
  const inOrder: ReconcileException[] = []
  const inFunds: ReconcileException[] = []
  const inLogistics: ReconcileException[] = []
  const flows = {
    order: matchOrder(input, inOrder),
    funds: matchFunds(input, inFunds),
    logistics: matchLogistics(input, inLogistics),
  }
  const found = sortedOnce([...inOrder, ...inFunds, ...inLogistics])
  if (input.accepted === undefined || found.length === 0) {
    const agrees = flows.order.agrees && flows.funds.agrees && flows.logistics.agrees
    return { ...flows, state: agrees ? 'closed' : 'open', exceptions: found }
  }
  const isOpen = (exception: ReconcileException) => !isAccepted(input.accepted ?? [], exception)
  const accepted = found.filter((exception) => !isOpen(exception))
  const exceptions = found.filter(isOpen)
  return {
    order: { ...flows.order, agrees: !inOrder.some(isOpen) },
    funds: { ...flows.funds, agrees: input.order.snapshot !== null && !inFunds.some(isOpen) },
    logistics: { ...flows.logistics, agrees: !inLogistics.some(isOpen) },
    state: exceptions.length === 0 && input.order.snapshot !== null ? 'closed' : 'open',
    exceptions,
    ...(accepted.length === 0 ? {} : { accepted }),
  }
}

/** A difference that changed since a person settled it is another one. */
function isAccepted(accepted: readonly AcceptedFact[], { kind, of, detail }: ReconcileException): boolean {
  return accepted.some((fact) => fact.kind === kind && fact.of === of && isSameDetail(fact.detail, detail))
}

function isSameDetail(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
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
  const { shippedUnits, returnedUnits } = reconciliation.order
  return mayClose && shippedUnits + returnedUnits > 0 ? 'closed' : null
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
