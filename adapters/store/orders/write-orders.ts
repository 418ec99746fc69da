/** Rows of orders and tasks, a whole batch with each statement: the columns travel as texts (see ../postgres/json-text.ts). */
import type { Task } from '../../../router/task.ts'
import type { Order } from '../../../router/types.ts'
import type { Transaction } from '../postgres/connect.ts'
import { jsonColumn, jsonText, textColumn } from '../postgres/json-text.ts'
import { orderBody } from './order-row.ts'

/** Gives the ids of the orders that were new. */
export async function insertOrders(tx: Transaction, orders: readonly Order[]): Promise<Set<string>> {
  if (orders.length === 0) return new Set()
  // In key order: two processes that know the same orders by different ids must meet in one direction.
  const sorted = orders.toSorted(
    (a, b) => compare(a.channel, b.channel) || compare(a.shop, b.shop) || compare(a.orderId, b.orderId),
  )
  const inserted = await tx<{ id: string }[]>`
    insert into orders (id, channel, shop, order_id, version, state, transaction_id, body, items, allocations)
    select id::bigint, channel, shop, order_id, version::int, state, nullif(transaction_id, ''), body, items::jsonb,
      allocations::jsonb
    from ${orderRows(tx, sorted)}
    on conflict do nothing returning id`
  return new Set(inserted.map((r) => r.id))
}

export async function updateOrders(tx: Transaction, orders: readonly Order[]): Promise<void> {
  if (orders.length === 0) return
  await tx`
    update orders o set version = r.version::int, state = r.state, transaction_id = nullif(r.transaction_id, ''),
      body = r.body, items = r.items::jsonb, allocations = r.allocations::jsonb, updated_at = now()
    from ${orderRows(tx, orders)}
    where o.id = r.id::bigint`
}

/** Columns of `orders` under the name r, all of them text. */
function orderRows(tx: Transaction, orders: readonly Order[]) {
  const column = (read: (order: Order) => string | number | null) => unnested(tx, textColumn(orders.map(read)))
  return tx`
    rows from (
      ${column((o) => o.id)}, ${column((o) => o.channel)}, ${column((o) => o.shop)}, ${column((o) => o.orderId)},
      ${column((o) => o.version)}, ${column((o) => o.state)}, ${column((o) => o.snapshot?.transactionId ?? null)},
      ${unnested(tx, jsonColumn(orders.map(orderBody)))}, ${unnested(tx, jsonColumn(orders.map((o) => o.items)))},
      ${unnested(tx, jsonColumn(orders.map((o) => o.allocations)))}
    ) as r (id, channel, shop, order_id, version, state, transaction_id, body, items, allocations)`
}

/** A column of ./json-text.ts as a set of texts. */
export function unnested(tx: Transaction, column: string) {
  return tx`unnest(string_to_array(${column}::text, chr(30)))`
}

export interface TaskToInsert {
  readonly task: Task
  readonly orderId: string
  readonly shipBy: number | null
}

export async function insertTasks(tx: Transaction, rows: readonly TaskToInsert[]): Promise<void> {
  if (rows.length === 0) return
  const column = (read: (row: TaskToInsert) => string | number | null) => unnested(tx, textColumn(rows.map(read)))
  await tx`
    insert into task (task_id, order_id, node, state, lines, ship_by, not_before)
    select id, order_id::bigint, node, 'ready', lines::jsonb, nullif(ship_by, '')::bigint,
      to_timestamp(nullif(not_before, '')::bigint / 1000.0)
    from rows from (
      ${column((r) => r.task.taskId)}, ${column((r) => r.orderId)}, ${column((r) => r.task.node)},
      ${unnested(tx, jsonColumn(rows.map((r) => r.task.lines)))}, ${column((r) => r.shipBy)},
      ${column((r) => r.task.notBefore)}
    ) as r (id, order_id, node, lines, ship_by, not_before)`
}

export async function updateTasks(tx: Transaction, tasks: readonly Task[]): Promise<void> {
  if (tasks.length === 0) return
  const rows = tasks.map((t) => ({
    id: t.taskId,
    state: t.state,
    intercept: t.interceptRequested,
    lines: t.lines,
    date: t.notBefore,
    change: t.change,
  }))
  // Where nothing left of it, what had been asked for is kept to be read.
  await tx`
    update task set state = r.state, intercept_requested = r.intercept, updated_at = now(),
      not_before = to_timestamp(r.date / 1000.0), change = nullif(r.change, 0),
      lines = case when r.state = 'cancelled' then task.lines else r.lines end
    from json_to_recordset(${jsonText(rows)}::text::json) as r (id text, state text, intercept boolean, lines jsonb, date bigint,
      change smallint)
    where task.task_id = r.id`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
