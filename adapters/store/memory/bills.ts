/** Bill rows: see ../settle/bills.ts, whose meaning this has. */

import { type BillRow, compareSameRef } from '../../../router/bill.ts'
import type { Order } from '../../../router/types.ts'
import { billRowRef } from '../exception-refs.ts'
import { keyOf } from '../orders/load.ts'
import {
  billConflict,
  billRowSetAside,
  billWithoutOrder,
  firstOfEach,
  type HashedRow,
  type RowSetAside,
  waitsForOrder,
} from '../settle/bill-rows.ts'
import type { BillImport, ResolvedBills } from '../settle/bills.ts'
import { compareIds } from '../settle/due.ts'
import { markDue } from './due.ts'
import { bookBack, end, raise } from './exceptions.ts'
import type { ExceptionRow, StoredBillRow, Tables } from './tables.ts'

export function importBill(
  tables: Tables,
  source: string,
  account: string,
  rows: readonly BillRow[],
  setAside: readonly RowSetAside[],
  nowMs: number,
): BillImport {
  const { unique, known, conflicts } = firstOfEach(rows)
  const conflicting = [...conflicts]
  const orphans: { readonly row: HashedRow; readonly id: string }[] = []
  const touched = new Set<string>()
  let [inserted, alreadyKnown, replaced] = [0, known, 0]
  for (const row of unique) {
    const { stored, isNew } = insert(tables, billRowRef(source, account, row.ref), row)
    const orderIds = ordersOfRow(tables, stored.row)
    for (const id of orderIds) touched.add(id)
    const is = isNew ? 'inserted' : compareSameRef(stored.row, row, stored.hash === row.hash)
    if (is === 'inserted') inserted++
    else if (is === 'conflict') conflicting.push(row)
    else if (is === 'replaces') {
      replace(tables, billRowRef(source, account, row.ref), row)
      replaced++
    } else alreadyKnown++
    if (isNew && waitsForOrder(row) && orderIds.length === 0) orphans.push({ row, id: String(stored.id) })
  }
  const entries = orphans.map(({ row, id }) => billWithoutOrder(source, account, row, id))
  raise(tables, entries, nowMs)
  raise(
    tables,
    conflicting.map((row) => billConflict(source, account, row)),
    nowMs,
  )
  const oddOnes = setAside.map((row) => billRowSetAside(source, account, row))
  raise(tables, oddOnes, nowMs)
  const orderIds = [...touched].sort(compareIds)
  markDue(tables, orderIds)
  return {
    ...{ inserted, known: alreadyKnown, replaced, conflicting: conflicting.length, withoutOrder: orphans.length },
    ...{ setAside: setAside.length, orderIds },
  }
}

function replace(tables: Tables, key: string, { hash, ...row }: HashedRow): void {
  const { id } = tables.bills.get(key)!
  tables.bills.set(key, { id, hash, row })
}

/** A row that is known uses up a number too. */
function insert(tables: Tables, key: string, { hash, ...row }: HashedRow) {
  tables.lastBillId += 1
  const known = tables.bills.get(key)
  if (known !== undefined) return { stored: known, isNew: false }
  const stored: StoredBillRow = { id: tables.lastBillId, hash, row }
  tables.bills.set(key, stored)
  return { stored, isNew: true }
}

/** At most `limit` rows a call, and all orders of the last one. */
export function resolveBillsWithoutOrder(tables: Tables, limit: number, nowMs: number): ResolvedBills {
  const byId = new Map([...tables.bills.values()].map(({ id, row }) => [String(id), row]))
  const lasting = tables.exceptions.filter(
    ({ kind, resolvedAt, accepted }) => kind === 'bill_without_order' && (resolvedAt === null || accepted),
  )
  const found = lasting.flatMap((exception) => {
    const { billRowId } = exception.detail
    const row = byId.get(String(billRowId))
    return row === undefined ? [] : ordersOfRow(tables, row).map((orderId) => ({ exception, orderId }))
  })
  const last = found[limit - 1]?.exception
  const given = found.filter(({ exception }, i) => i < limit || exception === last)
  const over = new Set<ExceptionRow>(given.map(({ exception }) => exception))
  const orderIds = [...new Set(given.map(({ orderId }) => orderId))].sort(compareIds)
  end(tables, (row) => over.has(row), nowMs)
  bookBack(tables, over)
  markDue(tables, orderIds)
  return { orderIds, resolved: over.size }
}

/** By the platform's number or by the payment's; each once, lowest id first. */
function ordersOfRow(tables: Tables, row: BillRow): string[] {
  const byKey = keyIn(row) === null ? undefined : tables.idByKey.get(keyIn(row)!)
  const byTransaction =
    row.transactionId === null
      ? []
      : [...tables.orders.values()].filter((order) => transactionOf(order) === row.transactionId).map(({ id }) => id)
  const ids = new Set([...(byKey === undefined ? [] : [byKey]), ...byTransaction])
  return [...ids].sort(compareIds)
}

/** An order's bill rows, each once, in the sequence in which they came. */
export function billsOf(tables: Tables, order: Order): BillRow[] {
  const transaction = transactionOf(order)
  return [...tables.bills.values()]
    .map(({ row }) => row)
    .filter((row) => keyIn(row) === keyOf(order) || (transaction !== null && row.transactionId === transaction))
}

function keyIn({ channel, shop, orderId }: BillRow): string | null {
  return channel === null || shop === null || orderId === null ? null : keyOf({ channel, shop, orderId })
}

function transactionOf({ snapshot }: Order): string | null {
  return snapshot?.transactionId || null
}
