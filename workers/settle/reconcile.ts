/**
 * Reconciles orders: after a shipment, a bill, a carrier's push, a decision on an order that has something to close,
 * and in the sweep. It may run again with the same result. It holds the row locks of its orders, as decisions do, so
 * nothing else changes them meanwhile.
 */

import type { SettleStore } from '../../adapters/store/order-store.ts'
import { compareIds } from '../../adapters/store/settle/due.ts'
import type { ReconcileLoad, ReconcileResult } from '../../adapters/store/settle/reconcile.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { atTime, nextDue } from '../../router/reconcile/expectations.ts'
import { changeOf, hasSomethingToClose, reconcile } from '../../router/reconcile.ts'

export interface Reconciled {
  /** Orders that went to `closed` in this call. */
  readonly closed: readonly string[]
  /** Orders that were closed and are contradicted: they are `shipped` again. */
  readonly reopened: readonly string[]
  /** Orders that are open now. */
  readonly open: number
  /** Orders with nothing to close yet, and ids that are no orders. */
  readonly skipped: number
}

// Locks of one transaction: long enough to be worth its commit, short enough that decisions hardly wait.
const ordersPerTransaction = 200

/** Order ids are ours (`orders.id`); in any sequence, also twice. Throws when Postgres is away. */
export async function reconcileOrders(
  store: Pick<SettleStore, 'reconcileTogether'>,
  orderIds: readonly string[],
): Promise<Reconciled> {
  const ids = [...new Set(orderIds)].sort(compareIds)
  const closed: string[] = []
  const reopened: string[] = []
  let open = 0
  let results = 0
  for (let start = 0; start < ids.length; start += ordersPerTransaction) {
    for (const result of await store.reconcileTogether(ids.slice(start, start + ordersPerTransaction), resultOf)) {
      results++
      if (result.change === 'closed') closed.push(result.orderId)
      if (result.change === 'reopened') reopened.push(result.orderId)
      if (result.reconciliation.state === 'open') open++
    }
  }
  return { closed, reopened, open, skipped: ids.length - results }
}

export interface Swept extends Reconciled {
  /** Where the next sweep goes on; '0' when the end was reached. */
  readonly nextOrderId: string
}

/**
 * One round: bills that found their order, orders that are marked, or of which something expected has not come in
 * time, and one stretch of all orders from `afterOrderId`
 * on, so that nothing is ever forgotten. At most `limit` of the first two; of the stretch `look` orders are read.
 */
export async function sweepReconciliations(
  store: SettleStore,
  afterOrderId: string,
  limit: number,
  look = limit,
): Promise<Swept> {
  await store.resolveBillsWithoutOrder(limit)
  const due = await store.dueOrders('0', limit)
  const { unreconciled, lastOrderId } = await store.unreconciledOrders(afterOrderId, look)
  const result = await reconcileOrders(store, [...due, ...unreconciled])
  return { ...result, nextOrderId: lastOrderId ?? '0' }
}

/** What a match writes of one order. */
export function resultOf({ input, entered, nowMs }: ReconcileLoad): ReconcileResult | null {
  if (!hasSomethingToClose(input, entered)) return null
  const { id, version, state } = input.order
  const reconciliation = atTime(reconcile(input), nowMs, defaultPolicy.expectations)
  const dueAt = nextDue(reconciliation)
  return { orderId: id, version, entered, reconciliation, dueAt, change: changeOf(reconciliation, state) }
}
