/**
 * Reconciles orders: after a ship, a bill, a carrier's push, a decision on an order that has something to close, and
 * in the sweep. Idempotent, and alone with its orders: it holds their row locks, as decisions do.
 */

import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { resolveBillsWithoutOrder } from '../../adapters/store/settle/bills.ts'
import { compareIds, dueOrders, unreconciledOrders } from '../../adapters/store/settle/due.ts'
import {
  loadForReconcile,
  type ReconcileLoad,
  type ReconcileResult,
  saveReconciliations,
} from '../../adapters/store/settle/reconcile.ts'
import { closableStates } from '../../router/reconcile/types.ts'
import { reconcile } from '../../router/reconcile.ts'

export interface ReconcileDeps {
  readonly sql: Sql
}

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
// Two that lock the same orders in other directions: Postgres ends one of them, which then goes again.
const attemptsMax = 5

/** Order ids are ours (`orders.id`); in any sequence, also twice. Throws when Postgres is away. */
export async function reconcileOrders(deps: ReconcileDeps, orderIds: readonly string[]): Promise<Reconciled> {
  const ids = [...new Set(orderIds)].sort(compareIds)
  const closed: string[] = []
  const reopened: string[] = []
  let open = 0
  let results = 0
  for (let start = 0; start < ids.length; start += ordersPerTransaction) {
    for (const result of await reconcileBatch(deps.sql, ids.slice(start, start + ordersPerTransaction))) {
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
 * One round: bills that found their order, orders that are marked, and one stretch of all orders from `afterOrderId`
 * on, so that nothing is ever forgotten. At most `limit` of the first two; of the stretch `look` orders are read.
 */
export async function sweepReconciliations(
  deps: ReconcileDeps,
  afterOrderId: string,
  limit: number,
  look = limit,
): Promise<Swept> {
  await resolveBillsWithoutOrder(deps.sql, limit)
  const due = await dueOrders(deps.sql, '0', limit)
  const { unreconciled, lastOrderId } = await unreconciledOrders(deps.sql, afterOrderId, look)
  const result = await reconcileOrders(deps, [...due, ...unreconciled])
  return { ...result, nextOrderId: lastOrderId ?? '0' }
}

async function reconcileBatch(sql: Sql, orderIds: readonly string[]): Promise<ReconcileResult[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await sql.begin(async (tx) => {
        const loads = await loadForReconcile(tx, orderIds)
        const results = loads.filter(hasSomethingToClose).map(resultOf)
        await saveReconciliations(tx, results)
        return results
      })
    } catch (error) {
      const deadlocked = (error as { code?: unknown }).code === '40P01'
      if (!deadlocked || attempt === attemptsMax) throw error
    }
  }
}

function hasSomethingToClose({ input, entered }: ReconcileLoad): boolean {
  return entered || input.bills.length > 0 || closableStates.includes(input.order.state)
}

function resultOf({ input, entered }: ReconcileLoad): ReconcileResult {
  const { id, version, state } = input.order
  const reconciliation = reconcile(input)
  const closes = reconciliation.state === 'closed' && reconciliation.order.shippedUnits > 0
  const change =
    closes && state !== 'closed' && state !== 'cancelled'
      ? 'closed'
      : reconciliation.state === 'open' && state === 'closed'
        ? 'reopened'
        : null
  return { orderId: id, version, entered, reconciliation, change }
}
