/** What people ask to see. Reads only. */
import type { OrderKey } from '../../../router/types.ts'
import type { Queryable } from '../postgres/connect.ts'
import type { OrderRow } from './order-row.ts'

export interface ViewedTask {
  readonly taskId: string
  readonly node: string
  readonly state: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly shipped: number }[]
  readonly packages: readonly {
    readonly carrier: string
    readonly waybill: string
    readonly shippedAt: number
    readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  }[]
  readonly interceptRequested: boolean
  /** Its owner has not taken what changed after the pull; null: nothing ever changed. */
  readonly changed: boolean | null
  readonly reason: string | null
  readonly leaseUntil: Date | null
  readonly notBefore: Date | null
}

export interface ViewedDecision {
  readonly version: number
  readonly seq: string
  readonly at: Date
  readonly outcome: string
  readonly trace: Readonly<Record<string, unknown>>
}

export async function findOrder(sql: Queryable, key: OrderKey): Promise<OrderRow | null> {
  const [row] = await sql<OrderRow[]>`
    select id, channel, shop, order_id, version, state, body::json, items, allocations
    from orders where channel = ${key.channel} and shop = ${key.shop} and order_id = ${key.orderId}`
  return row ?? null
}

export async function tasksOfOrder(sql: Queryable, id: string): Promise<ViewedTask[]> {
  return await sql<ViewedTask[]>`
    select task_id as "taskId", node, state, lines, packages, intercept_requested as "interceptRequested", reason,
      lease_until as "leaseUntil", not_before as "notBefore",
      change > coalesce(change_taken, 0) as changed
    from task where order_id = ${id} order by created_at, length(task_id), task_id`
}

export async function decisionsOfOrder(sql: Queryable, id: string): Promise<ViewedDecision[]> {
  return await sql<ViewedDecision[]>`
    select version, seq, at, outcome, trace::json from decision where order_id = ${id} order by version, at, seq`
}

export interface OrderSummary {
  readonly id: string
  readonly channel: string
  readonly shop: string
  readonly orderId: string
  readonly state: string
  readonly holds: readonly { readonly rule: string; readonly reason: string }[]
  readonly receivedAt: Date
  readonly updatedAt: Date
}

export async function listOrders(
  sql: Queryable,
  query: { readonly state: string | undefined; readonly afterId: string; readonly limit: number },
): Promise<OrderSummary[]> {
  return await sql<OrderSummary[]>`
    select id, channel, shop, order_id as "orderId", state, coalesce(body::json -> 'holds', '[]') as holds, received_at as "receivedAt", updated_at as "updatedAt"
    from orders where id > ${query.afterId}::bigint ${query.state === undefined ? sql`` : sql`and state = ${query.state}`}
    order by id limit ${query.limit}`
}

/** The keys of some orders, by our ids. */
export async function keysOfOrders(sql: Queryable, ids: readonly string[]): Promise<Map<string, OrderKey>> {
  const rows = await sql<(OrderKey & { id: string })[]>`
    select id, channel, shop, order_id as "orderId" from orders where id = any(${ids as string[]}::bigint[])`
  return new Map(rows.map(({ id, channel, shop, orderId }) => [id, { channel, shop, orderId }]))
}

/** Who holds the reserved units of one SKU at one node. */
export async function holdersOf(
  sql: Queryable,
  node: string,
  sku: string,
): Promise<{ taskId: string; state: string; quantity: number }[]> {
  return await sql<{ taskId: string; state: string; quantity: number }[]>`
    select task_id as "taskId", state, ((l ->> 'quantity')::bigint - (l ->> 'shipped')::bigint)::float8 as quantity
    from task, jsonb_array_elements(lines) l
    where node = ${node} and state not in ('shipped', 'cancelled') and l ->> 'sku' = ${sku}
    order by created_at, task_id limit 1000`
}

export async function backorderedUnits(sql: Queryable, sku: string): Promise<number> {
  const [row] = await sql<
    { units: number }[]
  >`select coalesce(sum(quantity), 0)::float8 as units from backorder where sku = ${sku}`
  return row!.units
}
