/** Returns as Postgres keeps them. Locks: the order first, then its returns, the node, its stock, the mark of what is due. */

import type { ReturnChanged } from '../../../router/returns/return.ts'
import type { Return, ReturnWorld, SentTask } from '../../../router/returns/types.ts'
import type { NodeDelta } from '../../../router/stock.ts'
import type { OrderKey } from '../../../router/types.ts'
import { markDue } from '../orders/mark-due.ts'
import { type OrderRow, orderFromRow } from '../orders/order-row.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { jsonText } from '../postgres/json-text.ts'
import { receiveGoods } from '../stock/returned-goods.ts'
import { returnsOf } from './read.ts'

/** One of an order, or the return with an id. */
export type ReturnOf = OrderKey | { readonly returnId: string }

export type ReturnWritten<Refused> =
  | Refused
  | { readonly outcome: 'not_found' }
  | { readonly outcome: 'written'; readonly written: Return; readonly delta: NodeDelta | null }

/** `change` decides under the order's lock; `known` is the return that was named. What it refuses changes nothing. */
export type ChangeReturn<Refused> = (world: ReturnWorld, known: Return | null) => ReturnChanged | Refused

export async function changeReturn<Refused extends { readonly outcome: string }>(
  sql: Sql,
  of: ReturnOf,
  change: ChangeReturn<Refused>,
): Promise<ReturnWritten<Refused>> {
  return (await sql.begin(async (tx) => {
    const orderId = await lockOrder(tx, of)
    if (orderId === null) return { outcome: 'not_found' }
    const world = await readWorld(tx, orderId)
    const known = 'returnId' in of ? world.returns.find(({ id }) => id === of.returnId)! : null
    const done = change(world, known)
    if (!('after' in done)) return done
    const written = await writeReturn(tx, done.after)
    const { goods } = done
    const delta = goods === null ? null : await receiveGoods(tx, goods.node, goods.ref, goods.lines)
    await markDue(tx, [orderId])
    return { outcome: 'written', written, delta }
  })) as ReturnWritten<Refused>
}

async function lockOrder(tx: Transaction, of: ReturnOf): Promise<string | null> {
  const [row] =
    'returnId' in of
      ? await tx<{ id: string }[]>`
          select id from orders where id = (select order_id from returns where id = ${of.returnId}) for update`
      : await tx<{ id: string }[]>`
          select id from orders where channel = ${of.channel} and shop = ${of.shop} and order_id = ${of.orderId} for update`
  return row?.id ?? null
}

async function readWorld(tx: Transaction, orderId: string): Promise<ReturnWorld> {
  const [row] = await tx<OrderRow[]>`
    select id, channel, shop, order_id, version, state, body::json, items, allocations from orders where id = ${orderId}`
  const tasks = await tx<SentTask[]>`
    select task_id as "taskId", lines, packages from task where order_id = ${orderId} order by task_id`
  const returns = await returnsOf(tx, [orderId])
  return { order: orderFromRow(row!), tasks: [...tasks], returns: returns.get(orderId) ?? [] }
}

async function writeReturn(tx: Transaction, after: Return): Promise<Return> {
  const { orderId, ref, kind, state, node, waybill, ...rest } = after
  const { id, ...body } = rest
  const text = jsonText(body)
  if (id !== '') {
    await tx`
      update returns set state = ${state}, node = ${node}, waybill = ${waybill}, body = ${text}::text::jsonb,
        updated_at = now() where id = ${id}`
    return after
  }
  const [made] = await tx<{ id: string }[]>`
    insert into returns (order_id, ref, kind, state, node, waybill, body)
    values (${orderId}, ${ref}, ${kind}, ${state}, ${node}, ${waybill}, ${text}::text::jsonb) returning id`
  return { ...after, id: made!.id }
}
