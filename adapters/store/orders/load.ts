/** Reads orders with their tasks, for a decision or for a look. */
import type { Task, TaskLine, TaskState } from '../../../router/task.ts'
import type { ChannelName, Order, OrderKey } from '../../../router/types.ts'
import type { Queryable } from '../postgres/connect.ts'
import { type OrderRow, orderFromRow } from './order-row.ts'

export interface Loaded {
  readonly order: Order
  readonly tasks: readonly Task[]
}

/** Some orders of many: what was read, and what was left because it would have been too much at once. */
export interface LoadedSome {
  /** By `keyOf`; an unknown key is absent here and in `left`. */
  readonly loaded: ReadonlyMap<string, Loaded>
  readonly left: ReadonlySet<string>
}

// Items and their places are compressed in the table, to a tenth where they are many; a stored value's size is known unread.
const compression = 10

/** Reads orders until they are some `bytesMax`, in no given sequence, and at least one. */
export async function loadSome(sql: Queryable, keys: readonly OrderKey[], bytesMax: number): Promise<LoadedSome> {
  const rows = await sql<(OrderRow & { isRead: boolean })[]>`
    select id, channel, shop, order_id, version, state, "isRead", case when "isRead" then body end::json as body,
      case when "isRead" then items end as items, case when "isRead" then allocations end as allocations
    from (
      select o.*, coalesce(sum(octet_length(o.body) + ${compression} * (pg_column_size(o.items) + pg_column_size(o.allocations)))
        over (rows between unbounded preceding and 1 preceding), 0) < ${bytesMax} as "isRead"
      from unnest(${keys.map((k) => k.channel)}::text[], ${keys.map((k) => k.shop)}::text[], ${keys.map((k) => k.orderId)}::text[])
        as k (channel, shop, order_id)
      join orders o using (channel, shop, order_id)
    ) o`
  const left = rows.filter(({ isRead }) => !isRead).map((row) => keyOf({ ...row, orderId: row.order_id }))
  const loaded = await withTasks(
    sql,
    rows.filter(({ isRead }) => isRead),
  )
  return { loaded, left: new Set(left) }
}

/** Known orders by `keyOf`; an unknown key is absent. */
export async function loadByKeys(sql: Queryable, keys: readonly OrderKey[]): Promise<Map<string, Loaded>> {
  const rows = await sql<OrderRow[]>`
    select o.id, o.channel, o.shop, o.order_id, o.version, o.state, o.body::json, o.items, o.allocations
    from unnest(${keys.map((k) => k.channel)}::text[], ${keys.map((k) => k.shop)}::text[], ${keys.map((k) => k.orderId)}::text[])
      as k (channel, shop, order_id)
    join orders o using (channel, shop, order_id)`
  return await withTasks(sql, rows)
}

async function withTasks(sql: Queryable, rows: readonly OrderRow[]): Promise<Map<string, Loaded>> {
  const loaded = new Map<string, { order: Order; tasks: Task[] }>()
  const byId = new Map<string, { order: Order; tasks: Task[] }>()
  for (const row of rows) {
    const order = orderFromRow(row)
    const entry = { order, tasks: [] }
    loaded.set(keyOf(order), entry)
    if (order.taskCount > 0) byId.set(order.id, entry)
  }
  if (byId.size > 0) {
    const tasks = await sql<TaskRow[]>`
      select order_id, task_id, node, state, fence, intercept_requested, not_before, change, change_taken, lines
      from task where order_id = any(${[...byId.keys()]}::bigint[]) order by order_id, created_at, task_id`
    for (const row of tasks) byId.get(row.order_id)!.tasks.push(taskFromRow(row))
  }
  return loaded
}

export interface TaskRow {
  readonly order_id: string
  readonly task_id: string
  readonly node: string
  readonly state: string
  readonly fence: number
  readonly intercept_requested: boolean
  readonly not_before: Date | null
  readonly change: number | null
  readonly change_taken: number | null
  readonly lines: readonly TaskLine[]
}

export function taskFromRow(row: TaskRow): Task {
  return {
    taskId: row.task_id,
    node: row.node,
    state: row.state as TaskState,
    fence: row.fence,
    interceptRequested: row.intercept_requested,
    notBefore: row.not_before?.getTime() ?? null,
    change: row.change ?? 0,
    changeTaken: row.change_taken ?? 0,
    lines: row.lines,
  }
}

/** One string a platform order, for maps. */
export function keyOf(key: {
  readonly channel: ChannelName | string
  readonly shop: string
  readonly orderId: string
}): string {
  return `${key.channel}\u0000${key.shop}\u0000${key.orderId}`
}
