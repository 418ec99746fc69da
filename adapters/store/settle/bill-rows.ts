/** Rows of bills before they are stored, and the exceptions that they can be. */
import { createHash } from 'node:crypto'
import { type BillRow, compareSameRef } from '../../../router/bill.ts'
import { billRowRef } from '../exception-refs.ts'
import type { ExceptionEntry } from '../exceptions.ts'

/** A row of a bill that its format could not book; the store does not know formats. */
export interface RowSetAside {
  readonly ref: string
  readonly reason: string
  readonly cells: Readonly<Record<string, string>>
}

export interface HashedRow extends BillRow {
  readonly hash: string
}

/** One row a ref, sorted by it: two imports of overlapping files wait for each other in one direction only. */
export function firstOfEach(rows: readonly BillRow[]): {
  readonly unique: readonly HashedRow[]
  readonly known: number
  readonly conflicts: readonly HashedRow[]
} {
  const byRef = new Map<string, HashedRow>()
  const conflicts: HashedRow[] = []
  let known = 0
  for (const row of rows) {
    const hashed = { ...row, hash: hashOf(row) }
    const first = byRef.get(row.ref)
    const is = first === undefined ? 'replaces' : compareSameRef(first, row, first.hash === hashed.hash)
    if (is === 'replaces') byRef.set(row.ref, hashed)
    if (is === 'conflict') conflicts.push(hashed)
    else if (first !== undefined) known++
  }
  return { unique: [...byRef.values()].sort((a, b) => (a.ref < b.ref ? -1 : 1)), known, conflicts }
}

/** Of all but how far the money is: the version before kept no such word, and its rows are to be known again. */
function hashOf(row: BillRow): string {
  const { kind, channel, shop, orderId, transactionId, amountFen, feeFen, occurredAt } = row
  const content = JSON.stringify([kind, channel, shop, orderId, transactionId, amountFen, feeFen, occurredAt])
  return createHash('sha256').update(content).digest('hex')
}

/** Whether there has to be an order; fees may be of none, and a refund that was not made is of no consequence. */
export function waitsForOrder({ orderId, transactionId, progress }: BillRow): boolean {
  return progress !== 'failed' && (orderId !== null || transactionId !== null)
}

/** `cells` are what the format shows of the row: no personal data. */
export function billRowSetAside(source: string, account: string, { ref, reason, cells }: RowSetAside): ExceptionEntry {
  return {
    ...{ kind: 'bill_row_set_aside', ref: billRowRef(source, account, ref) },
    detail: { source, account, reason, cells },
  }
}

export function billWithoutOrder(source: string, account: string, row: BillRow, id: string): ExceptionEntry {
  const { ref, kind, amountFen, occurredAt } = row
  return {
    ...{ kind: 'bill_without_order', ref: billRowRef(source, account, ref), since: occurredAt },
    detail: { source, account, billRowId: id, bill: kind, amountFen },
  }
}

export function billConflict(source: string, account: string, row: BillRow): ExceptionEntry {
  const { ref, kind, amountFen, feeFen } = row
  return {
    ...{ kind: 'bill_conflict', ref: billRowRef(source, account, ref) },
    detail: { source, account, bill: kind, givenAmountFen: amountFen, givenFeeFen: feeFen },
  }
}
