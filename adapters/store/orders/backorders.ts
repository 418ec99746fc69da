/** Orders that wait for goods. */
import type { Order } from '../../../router/types.ts'
import type { Queryable, Transaction } from '../postgres/connect.ts'
import { jsonText } from '../postgres/json-text.ts'

/**
 * SKUs that some order waits for, in order, after the given one. Steps from one SKU to the next in the primary key, so that
 * the price is one probe a SKU, however many orders wait for it.
 */
export async function backorderedSkus(sql: Queryable, afterSku: string, limit: number): Promise<string[]> {
  const rows = await sql<{ sku: string }[]>`
    with recursive step (sku, n) as (
      (select sku, 1 from backorder where sku > ${afterSku} order by sku limit 1)
      union all
      select next.sku, step.n + 1 from step cross join lateral (
        select b.sku from backorder b where b.sku > step.sku order by b.sku limit 1
      ) next where step.n < ${limit}
    )
    select sku from step`
  return rows.map((r) => r.sku)
}

export interface Backorder {
  readonly channel: string
  readonly shop: string
  readonly orderId: string
  readonly sku: string
  readonly quantity: number
  /** Our id of the order: the next ones of the SKU are behind it. */
  readonly id: string
}

/**
 * The backorders of each of some SKUs behind an order's id, in the order in which the orders came; where all are too many,
 * as many of one SKU as of another. Reads no more than it gives.
 */
export async function backordersOf(
  sql: Queryable,
  of: readonly { readonly sku: string; readonly after: string | null }[],
  limit: { readonly perSku: number; readonly all: number },
): Promise<Backorder[]> {
  return await sql<Backorder[]>`
    select o.channel, o.shop, o.order_id as "orderId", b.sku, b.quantity, b.order_id::text as id
    from unnest(${of.map((f) => f.sku)}::text[], ${of.map((f) => f.after ?? '0')}::bigint[]) as f (sku, id)
    cross join lateral (
      select first.*, row_number() over (order by first.order_id) as place from (
        select * from backorder where sku = f.sku and order_id > f.id order by order_id limit ${limit.perSku}
      ) first
    ) b join orders o on o.id = b.order_id
    order by b.place, b.order_id, b.sku limit ${limit.all}`
}

/**
 * What a column of units holds. An order that was stored before orders had a bound may come to more: it waits all the
 * same, and is held when it is decided the next time (`too_many_units`).
 */
export const rowUnitsMax = 2_147_483_647

/** An order before and after its decision; the same object when nothing changes. */
export interface OrderChange {
  readonly before: Order
  readonly order: Order
}

/** Rows of orders that wait, as a batch of decisions leaves them. */
export async function replaceBackorders(tx: Transaction, all: readonly OrderChange[]): Promise<void> {
  const writes = all.filter((w) => w.order !== w.before)
  const was = writes.filter((w) => w.before.allocations.some((a) => a.place === 'backordered')).map((w) => w.order.id)
  const rows = writes.flatMap((w) =>
    [...backordered(w.order)].map(([sku, quantity]) => ({ id: w.order.id, sku, quantity })),
  )
  const ids = new Set(rows.map((r) => r.id))
  const gone = was.filter((id) => !ids.has(id))
  const stays = was.filter((id) => ids.has(id))
  if (gone.length > 0) await tx`delete from backorder where order_id = any(${gone}::bigint[])`
  if (stays.length > 0) {
    await tx`
      delete from backorder b where order_id = any(${stays}::bigint[]) and not exists (
        select 1 from json_to_recordset(${jsonText(rows)}::text::json) as r (id bigint, sku text)
        where r.id = b.order_id and r.sku = b.sku)`
  }
  if (rows.length === 0) return
  await tx`
    insert into backorder (order_id, sku, quantity)
    select id, sku, least(quantity, ${rowUnitsMax})::int
    from json_to_recordset(${jsonText(rows)}::text::json) as r (id bigint, sku text, quantity bigint)
    on conflict (sku, order_id) do update set quantity = excluded.quantity`
}

/** Units by SKU that the order waits for. */
export function backordered(order: Order): Map<string, number> {
  const bySku = new Map<string, number>()
  for (const allocation of order.allocations) {
    if (allocation.place !== 'backordered') continue
    const { sku } = order.items[allocation.item]!
    bySku.set(sku, (bySku.get(sku) ?? 0) + allocation.quantity)
  }
  return bySku
}
