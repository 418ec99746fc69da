/** Order, funds and logistics: see ../settle/, whose meaning this has. Each verb happens at one instant. */
import { createHash } from 'node:crypto'
import type { BillRow } from '../../../router/bill.ts'
import { closableStates, reconcileExceptionKinds } from '../../../router/reconcile/types.ts'
import { finality, type Track } from '../../../router/track.ts'
import type { Order } from '../../../router/types.ts'
import type { BillImport, ResolvedBills } from '../settle/bills.ts'
import { compareIds, type Stretch } from '../settle/due.ts'
import type { ReconcileLoad, ReconcileResult } from '../settle/reconcile.ts'
import type { RecordedTrack } from '../settle/tracks.ts'
import { end, openRows, raise } from './exceptions.ts'
import { compare, pairKey, type StoredBillRow, type Tables } from './tables.ts'

export function markDue(tables: Tables, orderIds: readonly string[]): void {
  for (const id of orderIds) {
    const row = tables.reconciliations.get(id)
    if (row === undefined)
      tables.reconciliations.set(id, { state: 'open', version: null, isDue: true, reconciliation: null })
    else row.isDue = true
  }
}

export function dueOrders(tables: Tables, afterOrderId: string, limit: number): string[] {
  return [...tables.reconciliations]
    .filter(([id, row]) => row.isDue && compareIds(id, afterOrderId) > 0)
    .map(([id]) => id)
    .sort(compareIds)
    .slice(0, limit)
}

export function unreconciledOrders(tables: Tables, afterOrderId: string, look: number): Stretch {
  const looked = [...tables.orders.keys()]
    .filter((id) => compareIds(id, afterOrderId) > 0)
    .sort(compareIds)
    .slice(0, look)
  const unreconciled = looked.filter((id) => {
    const { state, version } = tables.orders.get(id)!
    return closableStates.includes(state) && tables.reconciliations.get(id)?.version !== version
  })
  return { unreconciled, lastOrderId: looked.length < look ? null : looked.at(-1)! }
}

export function reconcileTogether(
  tables: Tables,
  orderIds: readonly string[],
  resultOf: (load: ReconcileLoad) => ReconcileResult | null,
  nowMs: number,
): ReconcileResult[] {
  const ids = [...new Set(orderIds)].filter((id) => tables.orders.has(id)).sort(compareIds)
  const results = ids.map((id) => resultOf(loadOf(tables, id))).filter((result) => result !== null)
  for (const result of results) save(tables, result, nowMs)
  return results
}

function loadOf(tables: Tables, id: string): ReconcileLoad {
  const order = tables.orders.get(id)!
  const tasks = [...(tables.tasksOf.get(id) ?? [])]
    .sort((a, b) => compare(a.task.taskId, b.task.taskId))
    .map(({ task: { taskId, state, lines }, packages }) => ({ taskId, state, lines, packages }))
  const waybills = new Set(tasks.flatMap((task) => task.packages.map((p) => p.waybill)))
  const tracks = [...tables.tracks.values()]
    .filter((track) => waybills.has(track.waybill))
    .map(({ carrier, waybill, state, occurredAt }) => ({ carrier, waybill, state, occurredAt }))
  const bills = [...tables.bills.values()].filter((row) => isOf(row, order))
  return { input: { order, tasks, tracks, bills }, entered: tables.reconciliations.has(id) }
}

function isOf(row: BillRow, { channel, shop, orderId, snapshot }: Order): boolean {
  if (row.channel === channel && row.shop === shop && row.orderId === orderId) return true
  return row.transactionId !== null && row.transactionId === (snapshot?.transactionId ?? null)
}

function save(tables: Tables, { orderId, version, reconciliation, change }: ReconcileResult, nowMs: number): void {
  const after = change === null ? version : version + 1
  if (change !== null) {
    const state = change === 'closed' ? 'closed' : 'shipped'
    tables.orders.set(orderId, { ...tables.orders.get(orderId)!, state, version: after })
    tables.decisions.push({ orderId, version: after, seq: '0', outcome: change })
  }
  const { state, exceptions } = reconciliation
  tables.reconciliations.set(orderId, { state, version: after, isDue: false, reconciliation })
  const found = exceptions.map(({ kind, of, since, detail }) => {
    return { kind, ref: of === '' ? orderId : `${orderId}/${of}`, orderId, detail, since }
  })
  raise(tables, found, nowMs)
  const kinds: readonly string[] = reconcileExceptionKinds
  const isOver = (row: { readonly kind: string; readonly ref: string; readonly orderId: string | null }): boolean =>
    row.orderId === orderId &&
    kinds.includes(row.kind) &&
    !found.some((entry) => entry.kind === row.kind && entry.ref === row.ref)
  end(openRows(tables).filter(isOver), nowMs)
}

export function recordTrack(tables: Tables, track: Track, body: string): RecordedTrack {
  const bodyHash = createHash('sha256').update(body).digest('hex')
  const key = pairKey(track.carrier, track.waybill)
  const known = tables.tracks.get(key)
  const told = { ...track, bodyHash }
  const isNews = known === undefined || compareTracks(told, known) > 0
  if (isNews) tables.tracks.set(key, told)
  const orderIds = [...(tables.parcels.get(track.waybill) ?? [])].sort(compareIds)
  markDue(tables, orderIds)
  if (isNews) return { outcome: 'recorded', orderIds }
  return { outcome: known.bodyHash === bodyHash ? 'already_recorded' : 'older', orderIds }
}

type HashedTrack = Track & { readonly bodyHash: string }

function compareTracks(a: HashedTrack, b: HashedTrack): number {
  return finality(a.state) - finality(b.state) || a.occurredAt - b.occurredAt || compare(a.bodyHash, b.bodyHash)
}

export function importBill(
  tables: Tables,
  source: string,
  account: string,
  rows: readonly BillRow[],
  nowMs: number,
): BillImport {
  let [inserted, known, conflicting, withoutOrder] = [0, 0, 0, 0]
  const orderIds = new Set<string>()
  for (const row of rows) {
    const key = pairKey(`${source}:${account}`, row.ref)
    const ref = `${source}:${account}:${row.ref}`
    const stored = tables.bills.get(key)
    for (const id of ordersOf(tables, stored ?? row)) orderIds.add(id)
    if (stored === undefined) {
      inserted += 1
      const id = String(tables.bills.size + 1)
      tables.bills.set(key, { ...row, id, source, account })
      if ((row.orderId === null && row.transactionId === null) || ordersOf(tables, row).length > 0) continue
      withoutOrder += 1
      const detail = { source, account, billRowId: id, bill: row.kind, amountFen: row.amountFen }
      raise(tables, [{ kind: 'bill_without_order', ref, detail, since: row.occurredAt }], nowMs)
    } else if (isSameRow(stored, row)) known += 1
    else {
      conflicting += 1
      const detail = { source, account, bill: row.kind, givenAmountFen: row.amountFen, givenFeeFen: row.feeFen }
      raise(tables, [{ kind: 'bill_conflict', ref, detail }], nowMs)
    }
  }
  const touched = [...orderIds].sort(compareIds)
  markDue(tables, touched)
  return { inserted, known, conflicting, withoutOrder, orderIds: touched }
}

function isSameRow(stored: StoredBillRow, row: BillRow): boolean {
  return (Object.keys(row) as (keyof BillRow)[]).every((name) => stored[name] === row[name])
}

function ordersOf(tables: Tables, row: BillRow): string[] {
  return [...tables.orders.values()].filter((order) => isOf(row, order)).map((order) => order.id)
}

export function resolveBillsWithoutOrder(tables: Tables, limit: number, nowMs: number): ResolvedBills {
  const byId = new Map([...tables.bills.values()].map((row) => [row.id, row]))
  const found = openRows(tables)
    .filter(({ kind }) => kind === 'bill_without_order')
    .flatMap((exception) => {
      const row = byId.get(String(exception.detail.billRowId))
      return (row === undefined ? [] : ordersOf(tables, row)).map((orderId) => ({ exception, orderId }))
    })
    .slice(0, limit)
  const orderIds = [...new Set(found.map((f) => f.orderId))].sort(compareIds)
  const resolved = end([...new Set(found.map((f) => f.exception))], nowMs)
  markDue(tables, orderIds)
  return { orderIds, resolved }
}
