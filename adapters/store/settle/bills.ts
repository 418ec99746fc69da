/** Bill rows: each line of each bill once, whichever file brings it, however often. */

import { createHash } from 'node:crypto'
import type { BillRow } from '../../../router/bill.ts'
import { billRowRef } from '../exception-refs.ts'
import { type ExceptionEntry, raise } from '../exceptions.ts'
import { markDue } from '../orders/mark-due.ts'
import type { Queryable, Sql } from '../postgres/connect.ts'
import { jsonText } from '../postgres/json-text.ts'
import { compareIds } from './due.ts'

export interface BillImport {
  readonly inserted: number
  /** Known with the same content: nothing was changed. */
  readonly known: number
  /** Known with other content: the stored row stands, and each is an open exception `bill_conflict`. */
  readonly conflicting: number
  /** Of the inserted: rows that name an order which is not here yet; each is an open exception `bill_without_order`. */
  readonly withoutOrder: number
  /** Orders that the file's rows join to, known rows included: to be reconciled. */
  readonly orderIds: readonly string[]
}

// Large enough that a statement's fixed cost vanishes, small enough that its text stays around a megabyte.
const rowsPerStatement = 5_000

/** All or nothing. The touched orders are marked due in the same transaction. */
export async function importBill(
  sql: Sql,
  source: string,
  account: string,
  rows: readonly BillRow[],
): Promise<BillImport> {
  const { unique, known, conflicts } = firstOfEach(rows)
  return await sql.begin(async (tx) => {
    let [inserted, alreadyKnown, withoutOrder] = [0, known, 0]
    const conflicting = [...conflicts]
    const orderIds = new Set<string>()
    for (let start = 0; start < unique.length; start += rowsPerStatement) {
      const batch = unique.slice(start, start + rowsPerStatement)
      const refs = new Set(await insertRows(tx, source, account, batch))
      inserted += refs.size
      const stored = await readStored(tx, source, account, batch)
      const orphans: { row: HashedRow; id: string }[] = []
      for (const row of batch) {
        const found = stored.get(row.ref)!
        for (const id of found.orderIds) orderIds.add(id)
        if (!refs.has(row.ref)) {
          if (found.hash === row.hash) alreadyKnown++
          else conflicting.push(row)
        } else if (namesOrder(row) && found.orderIds.length === 0) orphans.push({ row, id: found.id })
      }
      withoutOrder += orphans.length
      await raise(
        tx,
        orphans.map(({ row, id }) => billWithoutOrder(source, account, row, id)),
      )
    }
    await raise(
      tx,
      conflicting.map((row) => billConflict(source, account, row)),
    )
    const touched = [...orderIds].sort(compareIds)
    await markDue(tx, touched)
    return { inserted, known: alreadyKnown, conflicting: conflicting.length, withoutOrder, orderIds: touched }
  })
}

export interface ResolvedBills {
  /** Orders that arrived after their bills: marked due. */
  readonly orderIds: readonly string[]
  /** How many bill rows found their order. */
  readonly resolved: number
}

/**
 * For the sweep: bill rows whose order has arrived since lose their exception. At most `limit` rows a call; a payment of several
 * orders marks all of them, since its exception ends once.
 */
export async function resolveBillsWithoutOrder(sql: Sql, limit: number): Promise<ResolvedBills> {
  return await sql.begin(async (tx) => {
    const found = await tx<{ id: string; orderId: string }[]>`
      with open as (
        select e.id, b.channel, b.shop, b.order_id, b.transaction_id
        from exception e cross join lateral (
          select * from bill_row where bill_row.id = (e.detail->>'billRowId')::bigint offset 0
        ) b
        where e.kind = 'bill_without_order' and e.resolved_at is null
      )
      select open.id, o.id as "orderId" from open cross join lateral (${ordersOfRow(tx, 'open')}) o
      order by open.id fetch first (${limit}::bigint) rows with ties`
    const ids = [...new Set(found.map((row) => row.id))]
    if (ids.length === 0) return { orderIds: [], resolved: 0 }
    await tx`update exception set resolved_at = now() where id = any(${ids}::bigint[]) and resolved_at is null`
    const orderIds = [...new Set(found.map((row) => row.orderId))].sort(compareIds)
    await markDue(tx, orderIds)
    return { orderIds, resolved: ids.length }
  })
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
    if (first === undefined) byRef.set(row.ref, hashed)
    else if (first.hash === hashed.hash) known++
    else conflicts.push(hashed)
  }
  return { unique: [...byRef.values()].sort((a, b) => (a.ref < b.ref ? -1 : 1)), known, conflicts }
}

function hashOf(row: BillRow): string {
  const { kind, channel, shop, orderId, transactionId, amountFen, feeFen, occurredAt } = row
  const content = JSON.stringify([kind, channel, shop, orderId, transactionId, amountFen, feeFen, occurredAt])
  return createHash('sha256').update(content).digest('hex')
}

async function insertRows(
  tx: Queryable,
  source: string,
  account: string,
  rows: readonly HashedRow[],
): Promise<string[]> {
  const inserted = await tx<{ ref: string }[]>`
    insert into bill_row (source, account, ref, kind, channel, shop, order_id, transaction_id,
      amount_fen, fee_fen, occurred_at, body_hash)
    select ${source}, ${account}, ref, kind, channel, shop, "orderId", "transactionId",
      "amountFen", "feeFen", "occurredAt", decode(hash, 'hex')
    from json_to_recordset(${jsonText(rows)}::text::json) as given (
      ref text, kind text, channel text, shop text, "orderId" text, "transactionId" text,
      "amountFen" bigint, "feeFen" bigint, "occurredAt" bigint, hash text)
    on conflict (source, account, ref) do nothing
    returning ref`
  return inserted.map((row) => row.ref)
}

/** Ids of the orders that a row of `of` names, by the platform's number or by the payment's; each once, each by its key. */
function ordersOfRow(sql: Queryable, of: string) {
  const row = sql(of)
  return sql`
    (select id from orders where channel = ${row}.channel and shop = ${row}.shop and order_id = ${row}.order_id offset 0)
    union
    (select id from orders where transaction_id = ${row}.transaction_id offset 0)`
}

interface StoredRow {
  readonly id: string
  readonly hash: string
  readonly orderIds: string[]
}

async function readStored(
  tx: Queryable,
  source: string,
  account: string,
  rows: readonly BillRow[],
): Promise<Map<string, StoredRow>> {
  const found = await tx<{ ref: string; id: string; hash: string; orderId: string | null }[]>`
    select stored.ref, stored.id, encode(stored.body_hash, 'hex') as hash, o.id as "orderId"
    from (
      select * from bill_row
      where source = ${source} and account = ${account} and ref = any(${rows.map((row) => row.ref)}::text[])
    ) stored
    left join lateral (${ordersOfRow(tx, 'stored')}) o on true`
  const byRef = new Map<string, StoredRow>()
  for (const { ref, id, hash, orderId } of found) {
    const row = byRef.get(ref) ?? { id, hash, orderIds: [] }
    if (orderId !== null) row.orderIds.push(orderId)
    byRef.set(ref, row)
  }
  return byRef
}

/** Whether there has to be an order; fees may be of none. */
export function namesOrder({ orderId, transactionId }: BillRow): boolean {
  return orderId !== null || transactionId !== null
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
