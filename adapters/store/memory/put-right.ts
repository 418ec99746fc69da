/** Parcels put right: see ../tasks/put-right.ts, whose meaning this has. */
import { stateOf } from '../../../router/order.ts'
import { type ParcelWord, putRight, type ToldTask, together, voidedPackages } from '../../../router/parcels.ts'
import { isLive } from '../../../router/returns/types.ts'
import type { Order } from '../../../router/types.ts'
import type { InboxEvent } from '../inbox/event.ts'
import { keyOf } from '../orders/load.ts'
import type { ParcelPutRight } from '../tasks/put-right.ts'
import type { WhoseParcel } from '../tasks/whose-parcel.ts'
import { markDue } from './due.ts'
import { insertEvent } from './intake.ts'
import { returnsOf } from './returns.ts'
import type { Tables, TaskRow } from './tables.ts'
import { setParcels, tracksOf } from './tracks.ts'

export function putParcelRight(
  tables: Tables,
  whose: WhoseParcel,
  word: ParcelWord,
  commandOf: (order: Order) => InboxEvent,
  nowMs: number,
): ParcelPutRight {
  const id = orderIdOf(tables, whose)
  const order = id === null ? undefined : tables.orders.get(id)
  if (order === undefined) return { outcome: 'unknown_order' }
  const all = [...(tables.tasksOf.get(order.id) ?? [])].sort((a, b) => (a.task.taskId < b.task.taskId ? -1 : 1))
  const own = all.filter(({ task }) => !('taskId' in whose) || task.taskId === whose.taskId)
  const tracks = own.flatMap(({ packages }) => packages.flatMap((p) => tracksOf(tables, p.waybill)))
  const isBeingReturned = returnsOf(tables, order.id).some(isLive)
  const outcomes = own.map((row) => putRight(row, word, { tracks, orderState: order.state, isBeingReturned }))
  const said = together(outcomes)
  if (said !== null) return said
  const seq = word.kind === 'void' ? insertEvent(tables, commandOf(order), nowMs) : null
  outcomes.forEach((done, i) => {
    if (done.outcome === 'put_right') writeTask(tables, own[i]!, done.after, done.back, nowMs)
  })
  const version = order.version + 1
  const state =
    word.kind === 'void'
      ? stateOf(
          order,
          all.map((row) => row.task),
        )
      : order.state
  tables.orders.set(order.id, { ...order, state, version })
  const outcome = word.kind === 'void' ? 'parcel_voided' : 'parcel_corrected'
  tables.decisions.push({ orderId: order.id, version, seq: '0', outcome })
  markDue(tables, [order.id])
  return { outcome: 'put_right', orderId: order.id, seq }
}

export function orderIdOf(tables: Tables, whose: WhoseParcel): string | null {
  if (!('taskId' in whose)) return tables.idByKey.get(keyOf(whose)) ?? null
  const row = tables.tasks.get(whose.taskId)
  return row?.task.node === whose.node ? row.orderId : null
}

function writeTask(
  tables: Tables,
  row: TaskRow,
  after: ToldTask,
  back: ReadonlyMap<string, number>,
  nowMs: number,
): void {
  const { task, packages, putRight: kept } = after
  if (back.size > 0) {
    row.leaseUntilMs = nowMs
    const lines = [...back]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([sku, quantity]) => {
        const stock = tables.stock.get(task.node)!.get(sku)!
        stock.onHand += quantity
        stock.reserved += quantity
        return { sku, onHand: quantity, reserved: quantity, safety: 0 }
      })
    const ref = `${task.taskId}#void${kept.length}`
    tables.movements.push({ node: task.node, seq: null, kind: 'ship', ref, lines, atMs: nowMs })
  }
  Object.assign(row, { task, packages, putRight: kept })
  setParcels(tables, { taskId: task.taskId, orderId: row.orderId }, [...packages, ...voidedPackages(kept)])
}
