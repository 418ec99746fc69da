/** Locks an order and then its tasks, as every writer does. */
import type { PutRight } from '../../../router/parcels.ts'
import { type Package, refusedClaim, type Task, type TaskRefusal } from '../../../router/task.ts'
import type { Order } from '../../../router/types.ts'
import { type TaskRow, taskFromRow } from '../orders/load.ts'
import { type OrderRow, orderFromRow } from '../orders/order-row.ts'
import type { Transaction } from '../postgres/connect.ts'

export interface OwnedTask {
  readonly task: Task
  readonly order: Order
  readonly orderTasks: readonly Task[]
  readonly packages: readonly Package[]
  readonly putRight: readonly PutRight[]
  /** Why it was handed back. */
  readonly reason: string | null
  /** null: it was never pulled. */
  readonly leaseUntil: Date | null
  readonly isLeased: boolean
}

/** Locks the order, then its tasks, as every writer does. Compares the lease with Postgres' clock: `isLeased`. */
export async function lockOwned(
  tx: Transaction,
  node: string,
  taskId: string,
  fence: number,
): Promise<OwnedTask | Extract<TaskRefusal, { outcome: 'unknown_task' | 'stale_fence' }>> {
  const [found] = await tx<{ order_id: string }[]>`
    select order_id from task where task_id = ${taskId} and node = ${node}`
  if (found === undefined) return refusedClaim(undefined, fence)!
  const { order, rows } = await lockOrder(tx, found.order_id)
  const row = rows.find((r) => r.task_id === taskId)!
  const refused = refusedClaim(row, fence)
  if (refused !== null) return refused
  return {
    task: taskFromRow(row),
    order,
    orderTasks: rows.map(taskFromRow),
    packages: row.packages,
    putRight: row.put_right ?? [],
    reason: row.reason,
    leaseUntil: row.lease_until,
    isLeased: row.leased === true,
  }
}

export interface LockedTaskRow extends TaskRow {
  readonly packages: Package[]
  readonly put_right: PutRight[] | null
  readonly reason: string | null
  readonly lease_until: Date | null
  readonly leased: boolean | null
}

/** The order's row, then those of its tasks, by id. */
export async function lockOrder(
  tx: Transaction,
  orderId: string,
): Promise<{ readonly order: Order; readonly rows: readonly LockedTaskRow[] }> {
  const [orderRow] = await tx<OrderRow[]>`
    select id, channel, shop, order_id, version, state, body::json, items, allocations from orders where id = ${orderId} for update`
  const rows = await tx<LockedTaskRow[]>`
    select order_id, task_id, node, state, fence, intercept_requested, not_before, change, change_taken, lines, packages, put_right,
      reason, lease_until, lease_until > now() as leased
    from task where order_id = ${orderId} order by task_id for update`
  return { order: orderFromRow(orderRow!), rows }
}
