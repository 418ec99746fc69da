/**
 * A parcel that left outside of any task becomes a task that is shipped (the rule: router/outside.ts). The books of its node lose
 * what left, as far as they have it; tasks that are called back for it release their units. These changes are numbered, and the
 * sweep tells them to Redis. What is left of the order is decided by a command in the same transaction.
 */
import type { Actor } from '../../../router/commands.ts'
import { type BookedOutside, bookOutside, type OutsideParcel } from '../../../router/outside.ts'
import type { Release } from '../../../router/stock.ts'
import type { Task } from '../../../router/task.ts'
import type { Order } from '../../../router/types.ts'
import type { InboxEvent } from '../inbox/event.ts'
import { insertEvent } from '../inbox/insert-event.ts'
import { replaceBackorders } from '../orders/backorders.ts'
import { taskFromRow } from '../orders/load.ts'
import { markDue } from '../orders/mark-due.ts'
import { insertTasks, updateOrders, updateTasks } from '../orders/write-orders.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { jsonText } from '../postgres/json-text.ts'
import { moveStock } from '../stock/move-stock.ts'
import { lockOrder } from './lock.ts'
import { orderIdOf, type WhoseParcel } from './whose-parcel.ts'

export type ShippedOutside =
  | { readonly outcome: 'unknown_order' }
  /** The node never had one of these SKUs, or there is no such node. */
  | { readonly outcome: 'unknown_stock' }
  | Exclude<BookedOutside, { outcome: 'booked' }>
  | { readonly outcome: 'booked'; readonly orderId: string; readonly seq: string }

class UnknownStock extends Error {}

/** `commandOf` makes the command that decides what is left of the order. */
export async function shipOutside(
  sql: Sql,
  whose: WhoseParcel,
  told: OutsideParcel,
  given: { readonly actor: Actor; readonly note: string },
  commandOf: (order: Order) => InboxEvent,
): Promise<ShippedOutside> {
  try {
    return (await sql.begin(async (tx) => await book(tx, whose, told, given, commandOf))) as ShippedOutside
  } catch (error) {
    if (error instanceof UnknownStock) return { outcome: 'unknown_stock' }
    throw error
  }
}

async function book(
  tx: Transaction,
  whose: WhoseParcel,
  told: OutsideParcel,
  { actor, note }: { readonly actor: Actor; readonly note: string },
  commandOf: (order: Order) => InboxEvent,
): Promise<ShippedOutside> {
  const id = await orderIdOf(tx, whose)
  if (id === null) return { outcome: 'unknown_order' }
  const { order: before, rows } = await lockOrder(tx, id)
  const packages = rows.flatMap((row) => row.packages.map((parcel) => ({ node: row.node, parcel })))
  const tasksBefore = rows.map(taskFromRow)
  const of = 'taskId' in whose ? tasksBefore.find((t) => t.taskId === whose.taskId) : undefined
  const done = bookOutside(before, { tasks: tasksBefore, packages, of }, told)
  if (done.outcome !== 'booked') return done
  if (!(await isNode(tx, told.node))) return { outcome: 'unknown_stock' }
  const { task, parcel, cancelled, tasks } = done
  const order = { ...done.order, version: before.version + 1 }
  await insertTasks(tx, [{ task, orderId: id, shipBy: null }])
  await tx`
    update task set state = ${task.state}, fence = ${task.fence}, packages = ${jsonText([parcel])}::text::jsonb
    where task_id = ${task.taskId}`
  await updateTasks(
    tx,
    tasks.filter((t) => cancelled.some(({ taskId }) => taskId === t.taskId)),
  )
  const seq = await insertEvent(tx, commandOf(before))
  const moved = await moveStock(tx, [], releasesOf(task, cancelled))
  if (moved.outcome === 'stock_refused') throw new UnknownStock()
  await updateOrders(tx, [order])
  await tx`
    insert into parcel (carrier, waybill, task_id, order_id) values (${parcel.carrier}, ${parcel.waybill}, ${task.taskId}, ${id})`
  const trace = {
    ...{ event: 'ship_outside', actor, ...(note === '' ? {} : { note }), taskId: task.taskId, node: task.node },
    ...{ packages: [parcel], released: cancelled.map(({ taskId }) => taskId) },
  }
  await tx`
    insert into decision (order_id, version, seq, outcome, trace)
    values (${id}, ${order.version}, 0, 'shipped_outside', ${jsonText(trace)})`
  await replaceBackorders(tx, [{ before, order }])
  await markDue(tx, [id])
  return { outcome: 'booked', orderId: id, seq }
}

async function isNode(tx: Transaction, node: string): Promise<boolean> {
  return (await tx`select from node where node = ${node}`).count > 0
}

/** Of the new task only what is gone from the books: nothing was reserved for it. */
export function releasesOf(task: Task, cancelled: readonly Task[]): Release[] {
  const gone = task.lines.map(({ sku, quantity }) => ({ sku, missing: quantity, believeNothingLeft: false }))
  return [
    ...cancelled.map(({ taskId, node, lines }) => {
      return { taskId, node, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })), corrections: [] }
    }),
    { taskId: task.taskId, node: task.node, lines: [], corrections: gone },
  ]
}
