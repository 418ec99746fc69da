/** Order, funds and logistics of some orders: see ../settle/reconcile.ts, whose meaning this has. */

import { endedByAgreement } from '../../../router/exceptions.ts'
import { reconcileExceptionKinds } from '../../../router/reconcile/types.ts'
import { compareIds } from '../settle/due.ts'
import { acceptedOf, agreeingOf, exceptionsOf } from '../settle/found.ts'
import {
  type ReconcileLoad,
  type ReconcileResult,
  returnsInInput,
  rowOf,
  saidInInput,
  voidedInInput,
  waybillsOf,
} from '../settle/reconcile.ts'
import { billsOf } from './bills.ts'
import { isDue } from './due.ts'
import { end, raise, saidOf } from './exceptions.ts'
import { returnsOf } from './returns.ts'
import { compare, pairKey, type Tables } from './tables.ts'
import { tracksOf } from './tracks.ts'

export function reconcileTogether(
  tables: Tables,
  orderIds: readonly string[],
  resultOf: (load: ReconcileLoad) => ReconcileResult | null,
  nowMs: number,
): ReconcileResult[] {
  const known = [...new Set(orderIds)].filter((id) => tables.orders.has(id)).sort(compareIds)
  const results = known.map((id) => resultOf(load(tables, id, nowMs))).filter((result) => result !== null)
  const sorted = [...results].sort((a, b) => compareIds(a.orderId, b.orderId))
  for (const result of sorted) {
    changeState(tables, result)
    writeRow(tables, result, nowMs)
  }
  const found = sorted.flatMap(exceptionsOf)
  raise(tables, found, nowMs)
  const lasting = [...found, ...sorted.flatMap(acceptedOf)]
  endOthers(tables, sorted, new Set(lasting.map(({ kind, ref }) => pairKey(kind, ref))), nowMs)
  return results
}

function load(tables: Tables, id: string, nowMs: number): ReconcileLoad {
  const order = tables.orders.get(id)!
  const rows = [...(tables.tasksOf.get(id) ?? [])].sort((a, b) => compare(a.task.taskId, b.task.taskId))
  const tasks = rows.map(({ task: { taskId, state, lines }, packages, putRight }) => {
    return { taskId, state, lines, packages, ...voidedInInput(putRight) }
  })
  const tracks = tasks.flatMap((task) => waybillsOf(task).flatMap((waybill) => tracksOf(tables, waybill)))
  const known = {
    order,
    tasks,
    tracks: [...new Set(tracks)],
    bills: billsOf(tables, order),
    ...returnsInInput(returnsOf(tables, id)),
  }
  const input = { ...known, ...saidInInput(saidOf(tables, id)) }
  return { input, entered: tables.reconciliations.has(id), nowMs }
}

function changeState(tables: Tables, { orderId, version: before, change }: ReconcileResult): void {
  if (change === null) return
  const order = tables.orders.get(orderId)
  const version = before + 1
  const state = change === 'closed' ? 'closed' : 'shipped'
  if (order !== undefined) tables.orders.set(orderId, { ...order, state, version })
  tables.decisions.push({ orderId, version, seq: '0', outcome: change })
}

function writeRow(tables: Tables, result: ReconcileResult, nowMs: number): void {
  const { orderId, entered, dueAt: dueAtMs } = result
  const row = tables.reconciliations.get(orderId)
  const { state, detail: given } = rowOf(result)
  const detail = JSON.stringify(given)
  if (row === undefined) {
    if (!entered) tables.reconciliations.set(orderId, { state, detail, updatedAtMs: nowMs, dueAtMs })
    return
  }
  // Another transaction entered the order meanwhile because it has news: that mark stays.
  const isSame = row.state === state && row.detail === detail && row.dueAtMs === dueAtMs
  if (!entered || (isSame && !isDue(row))) return
  Object.assign(row, { state, detail, updatedAtMs: nowMs, dueAtMs })
}

/** Those of the orders' own exceptions that were not found again, or that agreement ends. */
function endOthers(
  tables: Tables,
  results: readonly ReconcileResult[],
  found: ReadonlySet<string>,
  nowMs: number,
): void {
  const looked = new Set(results.map(({ orderId }) => orderId))
  const kinds: readonly string[] = reconcileExceptionKinds
  const agreed = new Set(agreeingOf(results))
  const isOver = ({ kind, ref, orderId }: { kind: string; ref: string; orderId: string | null }): boolean =>
    orderId !== null &&
    ((looked.has(orderId) && kinds.includes(kind) && !found.has(pairKey(kind, ref))) ||
      (agreed.has(orderId) && endedByAgreement.includes(kind)))
  end(tables, isOver, nowMs)
}
