/** For tests: orders with their tasks, straight into the tables. */
import type { ShippedTask } from '../../../router/reconcile/types.ts'
import type { Order } from '../../../router/types.ts'
import { orderBody } from '../orders/order-row.ts'
import type { Sql } from '../postgres/connect.ts'

export async function insertOrder(sql: Sql, order: Order, tasks: readonly ShippedTask[]): Promise<void> {
  await sql`
    insert into orders (id, channel, shop, order_id, version, state, transaction_id, body, items, allocations)
    values (${order.id}, ${order.channel}, ${order.shop}, ${order.orderId}, ${order.version}, ${order.state},
      ${order.snapshot?.transactionId ?? null}, ${JSON.stringify(orderBody(order))}::text::json,
      ${JSON.stringify(order.items)}::text::jsonb, ${JSON.stringify(order.allocations)}::text::jsonb)`
  for (const task of tasks) {
    await sql`
      insert into task (task_id, order_id, node, state, lines, packages)
      values (${task.taskId}, ${order.id}, 'node', ${task.state}, ${JSON.stringify(task.lines)}::text::jsonb,
        ${JSON.stringify(task.packages)}::text::jsonb)`
    for (const { carrier, waybill } of task.packages) {
      await sql`insert into parcel (carrier, waybill, task_id, order_id) values (${carrier}, ${waybill}, ${task.taskId}, ${order.id})`
    }
  }
}
