/** Bill rows: each line of each bill once, whichever file brings it, however often. */

import { type BillProgress, type BillRow, compareSameRef } from '../../../router/bill.ts'
import { bookBack } from '../exception-acts.ts'
import { over } from '../exception-over.ts'
import { raise } from '../exceptions.ts'
import { markDue } from '../orders/mark-due.ts'
import type { Queryable, Sql } from '../postgres/connect.ts'
import { jsonText } from '../postgres/json-text.ts'
import {
  billConflict,
  billRowSetAside,
  billWithoutOrder,
  firstOfEach,
  type HashedRow,
  type RowSetAside,
  waitsForOrder,
} from './bill-rows.ts'
import { compareIds } from './due.ts'

export interface BillImport {
  readonly inserted: number
  /** Known with the same content, or with a later word on its refund: nothing was changed. */
  readonly known: number
  /** Known, and how far the refund is has changed: the given row stands instead. */
  readonly replaced: number
  /** Known with other content: the stored row stands, and each is an open exception `bill_conflict`. */
  readonly conflicting: number
  /** Of the inserted: rows that name an order which is not here yet; each is an open exception `bill_without_order`. */
  readonly withoutOrder: number
  /** Rows that could not be booked, each an exception `bill_row_set_aside`, those that were known already included. */
  readonly setAside: number
  /** Orders that the file's rows join to, known rows included: to be reconciled. */
  readonly orderIds: readonly string[]
}

// Large enough that a statement's fixed cost vanishes, small enough that its text stays around a megabyte.
const rowsPerStatement = 5_000

/**
 * All or nothing. The touched orders are marked due in the same transaction. Two imports of one account wait for each
 * other: which of two words on a refund stands is decided on what is stored.
 */
export async function importBill(
  sql: Sql,
  source: string,
  account: string,
  rows: readonly BillRow[],
  setAside: readonly RowSetAside[] = [],
): Promise<BillImport> {
  const { unique, known, conflicts } = firstOfEach(rows)
  return await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtext('bill'), hashtext(${source} || ':' || ${account}))`
    let [inserted, alreadyKnown, replaced, withoutOrder] = [0, known, 0, 0]
    const conflicting = [...conflicts]
    const orderIds = new Set<string>()
    for (let start = 0; start < unique.length; start += rowsPerStatement) {
      const batch = unique.slice(start, start + rowsPerStatement)
      const refs = new Set(await insertRows(tx, source, account, batch))
      inserted += refs.size
      const stored = await readStored(tx, source, account, batch)
      const orphans: { row: HashedRow; id: string }[] = []
      const later: HashedRow[] = []
      for (const row of batch) {
        const found = stored.get(row.ref)!
        for (const id of found.orderIds) orderIds.add(id)
        if (!refs.has(row.ref)) {
          const is = compareSameRef(found, row, found.hash === row.hash)
          if (is === 'replaces') later.push(row)
          else if (is === 'conflict') conflicting.push(row)
          else alreadyKnown++
        } else if (waitsForOrder(row) && found.orderIds.length === 0) orphans.push({ row, id: found.id })
      }
      await replaceRows(tx, source, account, later)
      replaced += later.length
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
    await raise(
      tx,
      setAside.map((row) => billRowSetAside(source, account, row)),
    )
    const touched = [...orderIds].sort(compareIds)
    await markDue(tx, touched)
    const counts = { inserted, known: alreadyKnown, replaced, conflicting: conflicting.length, withoutOrder }
    return { ...counts, setAside: setAside.length, orderIds: touched }
  })
}

export interface ResolvedBills {
  /** Orders that arrived after their bills: marked due. */
  readonly orderIds: readonly string[]
  /** How many bill rows found their order. */
  readonly resolved: number
}

/**
 * For the sweep: bill rows whose order has arrived since lose their exception, also where a person settled it. At most `limit` rows
 * a call; a payment of several orders marks all of them, since its exception ends once.
 */
export async function resolveBillsWithoutOrder(sql: Sql, limit: number): Promise<ResolvedBills> {
  return await sql.begin(async (tx) => {
    const found = await tx<{ id: string; orderId: string }[]>`
      with open as (
        select e.id, b.channel, b.shop, b.order_id, b.transaction_id
        from (
          select id, detail from exception where resolved_at is null and kind = 'bill_without_order'
          union all
          select id, detail from exception where accepted and kind = 'bill_without_order'
        ) e cross join lateral (
          select * from bill_row where bill_row.id = (e.detail->>'billRowId')::bigint offset 0
        ) b
      )
      select open.id, o.id as "orderId" from open cross join lateral (${ordersOfRow(tx, 'open')}) o
      order by open.id fetch first (${limit}::bigint) rows with ties`
    const ids = [...new Set(found.map((row) => row.id))]
    if (ids.length === 0) return { orderIds: [], resolved: 0 }
    await tx`update exception set ${over(tx)} where id = any(${ids}::bigint[]) and (resolved_at is null or accepted)`
    await bookBack(tx, ids)
    const orderIds = [...new Set(found.map((row) => row.orderId))].sort(compareIds)
    await markDue(tx, orderIds)
    return { orderIds, resolved: ids.length }
  })
}

async function insertRows(
  tx: Queryable,
  source: string,
  account: string,
  rows: readonly HashedRow[],
): Promise<string[]> {
  const inserted = await tx<{ ref: string }[]>`
    insert into bill_row (source, account, ref, kind, channel, shop, order_id, transaction_id,
      amount_fen, fee_fen, occurred_at, body_hash, progress)
    select ${source}, ${account}, ref, kind, channel, shop, "orderId", "transactionId",
      "amountFen", "feeFen", "occurredAt", decode(hash, 'hex'), progress
    from json_to_recordset(${jsonText(rows)}::text::json) as given (
      ref text, kind text, channel text, shop text, "orderId" text, "transactionId" text,
      "amountFen" bigint, "feeFen" bigint, "occurredAt" bigint, hash text, progress text)
    on conflict (source, account, ref) do nothing
    returning ref`
  return inserted.map((row) => row.ref)
}

/** They name the same orders as before: a refund's payment stays the same. */
async function replaceRows(tx: Queryable, source: string, account: string, rows: readonly HashedRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx`
    update bill_row b set kind = given.kind, channel = given.channel, shop = given.shop, order_id = given."orderId",
      transaction_id = given."transactionId", amount_fen = given."amountFen", fee_fen = given."feeFen",
      occurred_at = given."occurredAt", body_hash = decode(given.hash, 'hex'), progress = given.progress
    from json_to_recordset(${jsonText(rows)}::text::json) as given (
      ref text, kind text, channel text, shop text, "orderId" text, "transactionId" text,
      "amountFen" bigint, "feeFen" bigint, "occurredAt" bigint, hash text, progress text)
    where b.source = ${source} and b.account = ${account} and b.ref = given.ref`
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
  readonly kind: BillRow['kind']
  readonly amountFen: number
  readonly occurredAt: number
  readonly progress?: BillProgress
  readonly hash: string
  readonly orderIds: string[]
}

interface StoredColumns {
  readonly ref: string
  readonly id: string
  readonly hash: string
  readonly kind: BillRow['kind']
  readonly amountFen: string
  readonly occurredAt: string
  readonly progress: BillProgress | null
  readonly orderId: string | null
}

async function readStored(
  tx: Queryable,
  source: string,
  account: string,
  rows: readonly BillRow[],
): Promise<Map<string, StoredRow>> {
  const found = await tx<StoredColumns[]>`
    select stored.ref, stored.id, encode(stored.body_hash, 'hex') as hash, o.id as "orderId", stored.kind,
      stored.amount_fen as "amountFen", stored.occurred_at as "occurredAt", stored.progress
    from (
      select * from bill_row
      where source = ${source} and account = ${account} and ref = any(${rows.map((row) => row.ref)}::text[])
    ) stored
    left join lateral (${ordersOfRow(tx, 'stored')}) o on true`
  const byRef = new Map<string, StoredRow>()
  for (const { ref, orderId, amountFen, occurredAt, progress, ...own } of found) {
    const numbers = { amountFen: Number(amountFen), occurredAt: Number(occurredAt) }
    const row = byRef.get(ref) ?? { ...own, ...numbers, ...(progress === null ? {} : { progress }), orderIds: [] }
    if (orderId !== null) row.orderIds.push(orderId)
    byRef.set(ref, row)
  }
  return byRef
}
