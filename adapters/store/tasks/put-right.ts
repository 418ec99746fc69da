/**
 * A parcel that was told wrongly is put right: its number or its carrier is corrected, or it is voided before it left. The rule is
 * router/parcels.ts.
 *
 * A voided parcel's units are in the task again, and on hand and reserved again at its node: what is available stays the same,
 * and Redis need not be told. Where a count had found them missing meanwhile, they are there after all.
 */

import type { Actor } from '../../../router/commands.ts'
import { stateOf } from '../../../router/order.ts'
import {
  type ParcelWord,
  type PutRightOutcome,
  putRight,
  type ToldTask,
  together,
  voidedPackages,
} from '../../../router/parcels.ts'
import { isLive } from '../../../router/returns/types.ts'
import type { Package, Task } from '../../../router/task.ts'
import type { Order } from '../../../router/types.ts'
import type { InboxEvent } from '../inbox/event.ts'
import { insertEvent } from '../inbox/insert-event.ts'
import { taskFromRow } from '../orders/load.ts'
import { markDue } from '../orders/mark-due.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { jsonText } from '../postgres/json-text.ts'
import { returnsOf } from '../returns/read.ts'
import { readTracks } from '../settle/read-tracks.ts'
import { type LockedTaskRow, lockOrder } from './lock.ts'
import { orderIdOf, type WhoseParcel } from './whose-parcel.ts'

/** Who says it, and why. */
export interface ParcelGiven {
  readonly actor: Actor
  readonly note: string
}

export type ParcelPutRight =
  | { readonly outcome: 'unknown_order' }
  | Exclude<PutRightOutcome, { outcome: 'put_right' }>
  | {
      readonly outcome: 'put_right'
      readonly orderId: string
      /** Of the command that decides what becomes of the units; null: they are where they were. */
      readonly seq: string | null
    }

/** `commandOf` makes the command that decides about voided units; it is stored in the same transaction. */
export async function putParcelRight(
  sql: Sql,
  whose: WhoseParcel,
  word: ParcelWord,
  given: ParcelGiven,
  commandOf: (order: Order) => InboxEvent,
): Promise<ParcelPutRight> {
  return (await sql.begin(async (tx) => {
    const id = await orderIdOf(tx, whose)
    if (id === null) return { outcome: 'unknown_order' }
    const { order, rows } = await lockOrder(tx, id)
    const own = rows.filter((row) => !('taskId' in whose) || row.task_id === whose.taskId)
    const waybills = own.flatMap((row) => row.packages.map((p) => p.waybill))
    const tracks = word.kind === 'void' ? [...(await readTracks(tx, waybills)).values()].flat() : []
    const returns = word.kind === 'void' ? await returnsOf(tx, [id]) : new Map()
    const isBeingReturned = (returns.get(id) ?? []).some(isLive)
    const around = { tracks, orderState: order.state, isBeingReturned }
    const outcomes = own.map((row) => putRight(toldTask(row), word, around))
    const said = together(outcomes)
    if (said !== null) return said
    const changes = outcomes.filter((o) => o.outcome === 'put_right')
    for (const { after } of changes) await writeTask(tx, after, order, word)
    const seq = word.kind === 'void' ? await insertEvent(tx, commandOf(order)) : null
    for (const { after, back } of changes) await putBack(tx, after, back)
    await writeOrder(
      tx,
      order,
      rows,
      changes.map(({ after }) => after.task),
      word,
    )
    await tx`
      insert into decision (order_id, version, seq, outcome, trace)
      values (${order.id}, ${order.version + 1}, 0, ${outcomeOf[word.kind]}, ${jsonText(traceOf(word, given, changes))})`
    await markDue(tx, [order.id])
    return { outcome: 'put_right', orderId: order.id, seq }
  })) as ParcelPutRight
}

const outcomeOf = { correct: 'parcel_corrected', void: 'parcel_voided' } as const

/** For the history. */
function traceOf(
  word: ParcelWord,
  { actor, note }: ParcelGiven,
  changes: readonly { readonly after: ToldTask; readonly told: readonly Package[] }[],
): Readonly<Record<string, unknown>> {
  const tasks = changes.map(({ after, told }) => ({ taskId: after.task.taskId, packages: told }))
  const who = { actor, ...(note === '' ? {} : { note }) }
  return word.kind === 'void'
    ? { event: 'void_parcel', ...who, parcel: word.parcel, voided: tasks }
    : { event: 'correct_parcel', ...who, from: word.from, to: word.to, corrected: tasks.map(({ taskId }) => taskId) }
}

function toldTask(row: LockedTaskRow): ToldTask {
  return { task: taskFromRow(row), packages: row.packages, putRight: row.put_right ?? [] }
}

async function writeTask(tx: Transaction, after: ToldTask, order: Order, { kind }: ParcelWord): Promise<void> {
  const { task, packages, putRight: kept } = after
  const ended = kind === 'void' ? tx`, lease_until = now()` : tx``
  await tx`
    update task set state = ${task.state}, fence = ${task.fence}, lines = ${jsonText(task.lines)}::text::jsonb,
      packages = ${jsonText(packages)}::text::jsonb, put_right = ${jsonText(kept)}::text::jsonb, updated_at = now() ${ended}
    where task_id = ${task.taskId}`
  // A voided parcel keeps its row: a carrier's word on it has to find the order.
  const named = [...packages, ...voidedPackages(kept)]
  const carriers = named.map((p) => p.carrier)
  const waybills = named.map((p) => p.waybill)
  await tx`
    delete from parcel where task_id = ${task.taskId} and order_id = ${order.id} and (carrier, waybill) not in (
      select carrier, waybill from unnest(${carriers}::text[], ${waybills}::text[]) as p (carrier, waybill))`
  await tx`
    insert into parcel (carrier, waybill, task_id, order_id)
    select carrier, waybill, ${task.taskId}, ${order.id}
    from unnest(${carriers}::text[], ${waybills}::text[]) as p (carrier, waybill) on conflict do nothing`
}

async function putBack(
  tx: Transaction,
  { task, putRight: kept }: ToldTask,
  back: ReadonlyMap<string, number>,
): Promise<void> {
  if (back.size === 0) return
  const skus = [...back.keys()].sort()
  const quantities = skus.map((sku) => back.get(sku)!)
  await tx`select from stock where node = ${task.node} and sku = any(${skus}) order by sku for update`
  await tx`
    update stock set on_hand = on_hand + c.quantity, reserved = reserved + c.quantity
    from unnest(${skus}::text[], ${quantities}::int[]) as c (sku, quantity)
    where stock.node = ${task.node} and stock.sku = c.sku`
  await tx`
    insert into stock_movement (node, kind, ref, skus, on_hand, reserved)
    values (${task.node}, 'ship', ${`${task.taskId}#void${kept.length}`}, ${skus}, ${quantities}::int[], ${quantities}::int[])`
}

async function writeOrder(
  tx: Transaction,
  order: Order,
  rows: readonly LockedTaskRow[],
  changed: readonly Task[],
  { kind }: ParcelWord,
): Promise<void> {
  const tasks = rows.map((row) => changed.find((task) => task.taskId === row.task_id) ?? taskFromRow(row))
  const state = kind === 'void' ? stateOf(order, tasks) : order.state
  await tx`update orders set state = ${state}, version = version + 1, updated_at = now() where id = ${order.id}`
}
