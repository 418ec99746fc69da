/** Parcels that left outside of any task: see ../tasks/outside.ts, whose meaning this has. */
import { bookOutside, type OutsideParcel } from '../../../router/outside.ts'
import { changesOf } from '../../../router/stock.ts'
import type { Order } from '../../../router/types.ts'
import type { InboxEvent } from '../inbox/event.ts'
import { releasesOf, type ShippedOutside } from '../tasks/outside.ts'
import type { WhoseParcel } from '../tasks/whose-parcel.ts'
import { replaceBackorders } from './backorders.ts'
import { markDue } from './due.ts'
import { insertEvent } from './intake.ts'
import { moveStock, settleGone, shortOf } from './move-stock.ts'
import { orderIdOf } from './put-right.ts'
import type { Tables } from './tables.ts'
import { addParcels } from './tracks.ts'

export function shipOutside(
  tables: Tables,
  whose: WhoseParcel,
  told: OutsideParcel,
  commandOf: (order: Order) => InboxEvent,
  createdAt: number,
  nowMs: number,
): ShippedOutside {
  const id = orderIdOf(tables, whose)
  const before = id === null ? undefined : tables.orders.get(id)
  if (before === undefined) return { outcome: 'unknown_order' }
  const rows = [...(tables.tasksOf.get(before.id) ?? [])].sort((a, b) => (a.task.taskId < b.task.taskId ? -1 : 1))
  const packages = rows.flatMap((row) => row.packages.map((parcel) => ({ node: row.task.node, parcel })))
  const of = 'taskId' in whose ? tables.tasks.get(whose.taskId)?.task : undefined
  const done = bookOutside(before, { tasks: rows.map((row) => row.task), packages, of }, told)
  if (done.outcome !== 'booked') return done
  const { task, parcel, cancelled } = done
  const releases = releasesOf(task, cancelled)
  const changes = changesOf([], releases)
  settleGone(tables, changes)
  if (shortOf(tables, changes).length > 0) return { outcome: 'unknown_stock' }
  const seq = insertEvent(tables, commandOf(before), nowMs)
  moveStock(tables, changes, [], releases, nowMs)
  const row = {
    ...{ task, orderId: before.id, createdAt, createdAtMs: nowMs, shipBy: null, leaseUntilMs: null },
    ...{ packages: [parcel], putRight: [], reason: null },
  }
  // What had been asked for is kept to be read.
  for (const other of rows)
    if (cancelled.includes(other.task)) other.task = { ...other.task, state: 'cancelled', interceptRequested: false }
  tables.tasks.set(task.taskId, row)
  tables.tasksOf.set(before.id, [...(tables.tasksOf.get(before.id) ?? []), row])
  const order = { ...done.order, version: before.version + 1 }
  tables.orders.set(order.id, order)
  addParcels(tables, { taskId: task.taskId, orderId: order.id }, [parcel])
  tables.decisions.push({ orderId: order.id, version: order.version, seq: '0', outcome: 'shipped_outside' })
  replaceBackorders(tables, [{ before, order }])
  markDue(tables, [order.id])
  return { outcome: 'booked', orderId: order.id, seq }
}
