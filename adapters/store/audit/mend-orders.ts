/** Mends of orders: a state follows from its units, and the sweep matches a marked order anew. Locks as all writers do: orders first. */
import { stage } from '../../../router/commands.ts'
import { stateOf } from '../../../router/order.ts'
import type { Task } from '../../../router/task.ts'
import type { OrderKey } from '../../../router/types.ts'
import { type TaskRow, taskFromRow } from '../orders/load.ts'
import { markDue } from '../orders/mark-due.ts'
import { type OrderRow, orderFromRow } from '../orders/order-row.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { jsonText } from '../postgres/json-text.ts'

const ordersPerTransaction = 200

/** Each is one version more, with a row of its history that names the audit. Marked, since what was closed may not be. */
export async function mendStates(sql: Sql, orderIds: readonly string[]): Promise<number> {
  return await inBatches(sql, orderIds, async (tx, ids) => {
    const rows = await tx<OrderRow[]>`
      select id, channel, shop, order_id, version, state, body::json, items, allocations
      from orders where id = any(${ids}::bigint[]) order by id for update`
    const tasks = await tasksOf(tx, ids)
    const changes = rows.flatMap((row) => {
      const order = orderFromRow(row)
      const state = stateOf(order, tasks.get(order.id) ?? [])
      if (state === order.state) return []
      const trace = { event: 'audit', actor: stage('audit'), note: 'computed anew from its units', was: order.state }
      return [{ id: order.id, version: order.version + 1, state, trace: JSON.stringify(trace) }]
    })
    const text = jsonText(changes)
    await tx`
      update orders o set state = c.state, version = c.version, updated_at = now()
      from json_to_recordset(${text}::text::json) as c (id bigint, version int, state text) where o.id = c.id`
    await tx`
      insert into decision (order_id, version, seq, outcome, trace) select id, version, 0, state, trace
      from json_to_recordset(${text}::text::json) as c (id bigint, version int, state text, trace text)`
    await markDue(
      tx,
      changes.map((c) => c.id),
    )
    return changes.length
  })
}

/** The next sweep of a running service matches them anew: it opens those that do not agree, with a named exception. */
export async function mendClosed(sql: Sql, orderIds: readonly string[]): Promise<number> {
  return await inBatches(sql, orderIds, async (tx, ids) => {
    await tx`select from orders where id = any(${ids}::bigint[]) order by id for update`
    await markDue(tx, ids)
    return ids.length
  })
}

export async function keysOfOrders(sql: Sql, orderIds: readonly string[]): Promise<readonly OrderKey[]> {
  return await sql<OrderKey[]>`
    select channel, shop, order_id as "orderId" from orders where id = any(${orderIds as string[]}::bigint[]) order by id`
}

async function tasksOf(tx: Transaction, orderIds: string[]): Promise<Map<string, Task[]>> {
  const rows = await tx<TaskRow[]>`
    select order_id, task_id, node, state, fence, intercept_requested, not_before, change, change_taken, lines
    from task where order_id = any(${orderIds}::bigint[]) order by task_id`
  const byOrder = new Map<string, Task[]>()
  for (const row of rows) byOrder.set(row.order_id, [...(byOrder.get(row.order_id) ?? []), taskFromRow(row)])
  return byOrder
}

async function inBatches(
  sql: Sql,
  orderIds: readonly string[],
  mend: (tx: Transaction, ids: string[]) => Promise<number>,
): Promise<number> {
  let count = 0
  for (let at = 0; at < orderIds.length; at += ordersPerTransaction) {
    const ids = orderIds.slice(at, at + ordersPerTransaction)
    count += (await sql.begin((tx) => mend(tx, ids))) as number
  }
  return count
}
