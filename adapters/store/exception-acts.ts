/**
 * What a person does to an exception: he assigns it, or ends it and says how. Each act is kept with its actor, its time
 * and its reason. What was written off is what the three-way match counts, and what finance reads as a sum.
 */
import type { SettledAs } from '../../router/exceptions.ts'
import {
  type AcceptedFact,
  reconcileExceptionKinds,
  type WriteOff,
  type WriteOffSide,
} from '../../router/reconcile/types.ts'
import { writeOffOf } from '../../router/reconcile/write-off.ts'
import { markDue } from './orders/mark-due.ts'
import type { Queryable, Sql } from './postgres/connect.ts'

export interface PersonsWord {
  readonly as: SettledAs
  /** May be empty, but for a write-off: the caller asks for both. */
  readonly actor: string
  readonly note: string
}

/** not_open: it ended by itself or by a person's word, or never was. */
export type Settled =
  | { readonly outcome: 'settled'; readonly orderId: string | null; readonly writeOff: WriteOff | null }
  | { readonly outcome: 'not_open' }

export function isOfMatch(kind: string): boolean {
  return (reconcileExceptionKinds as readonly string[]).includes(kind)
}

/**
 * Ends the open exception of a kind and a ref. Its order is marked as due first, whose row the match locks as well: what
 * is booked is the difference as the last match found it. In one transaction.
 */
export async function settleException(
  sql: Sql,
  kind: string,
  ref: string,
  { as, actor, note }: PersonsWord,
): Promise<Settled> {
  return await sql.begin(async (tx) => {
    const [open] = await tx<{ orderId: string | null }[]>`
      select order_id as "orderId" from exception where kind = ${kind} and ref = ${ref} and resolved_at is null`
    if (open === undefined) return { outcome: 'not_open' }
    if (isOfMatch(kind) && open.orderId !== null) await markDue(tx, [open.orderId])
    const [ended] = await tx<{ id: string; detail: Record<string, unknown> }[]>`
      update exception set resolved_at = now(), resolved_as = ${as}, resolved_by = ${actor},
        note = coalesce(nullif(${note}, ''), note), accepted = true
      where kind = ${kind} and ref = ${ref} and resolved_at is null returning id, detail`
    if (ended === undefined) return { outcome: 'not_open' }
    const writeOff = as === 'written_off' ? writeOffOf(kind, ended.detail) : null
    await tx`
      insert into exception_act (exception_id, act, actor, note, order_id, side, amount_fen)
      values (${ended.id}, ${as}, ${actor}, ${note}, ${open.orderId}, ${writeOff?.side ?? null}, ${writeOff?.amountFen ?? null})`
    return { outcome: 'settled', orderId: open.orderId, writeOff }
  })
}

/** `to`: null takes it from whom it was assigned to. Whether there is an open one of the id. */
export async function assignException(
  sql: Sql,
  id: string,
  to: string | null,
  actor: string,
  note: string,
): Promise<boolean> {
  return await sql.begin(async (tx) => {
    const assigned = await tx`
      update exception set assigned_to = ${to}, note = coalesce(nullif(${note}, ''), note)
      where id = ${id} and resolved_at is null`
    if (assigned.count === 0) return false
    await tx`
      insert into exception_act (exception_id, act, actor, note, assigned_to)
      values (${id}, 'assigned', ${actor}, ${note}, ${to})`
    return true
  })
}

/** What was booked when the exception was written off; null: it was not. */
export async function writtenOffOf(sql: Queryable, exceptionId: string): Promise<number | null> {
  const [row] = await sql<{ amountFen: string }[]>`
    select amount_fen as "amountFen" from exception_act
    where exception_id = ${exceptionId} and amount_fen is not null order by id limit 1`
  return row === undefined ? null : Number(row.amountFen)
}

/** Who books back, and why: the service itself. */
const backBy = 'bills'
const backWhy = 'its order came: booked back'

/** Money that was written off for want of an order, and whose order came after all: the match counts it now. */
export async function bookBack(tx: Queryable, exceptionIds: readonly string[]): Promise<void> {
  await tx`
    insert into exception_act (exception_id, act, actor, note, side, amount_fen)
    select exception_id, 'written_off', ${backBy}, ${backWhy}, 'bill', -sum(amount_fen) from exception_act
    where exception_id = any(${exceptionIds as string[]}::bigint[]) and amount_fen is not null
    group by exception_id having sum(amount_fen) <> 0 order by exception_id`
}

export interface Said {
  readonly accepted: readonly AcceptedFact[]
  readonly writeOffs: readonly WriteOff[]
}

/** What persons said of some orders' differences; nearly all orders are absent. */
export async function readSaid(tx: Queryable, orderIds: readonly string[]): Promise<Map<string, Said>> {
  const rows = await tx<
    {
      of: string
      kind: string | null
      ref: string | null
      detail: Record<string, unknown> | null
      side: WriteOffSide | null
      amountFen: string | null
    }[]
  >`
    select order_id as of, kind, ref, detail, null as side, null as "amountFen" from exception
    where accepted and order_id = any(${orderIds as string[]}::bigint[])
    union all
    select order_id, null, null, null, side, amount_fen from exception_act
    where amount_fen is not null and order_id = any(${orderIds as string[]}::bigint[])`
  const said = new Map<string, { accepted: AcceptedFact[]; writeOffs: WriteOff[] }>()
  for (const { of, kind, ref, detail, side, amountFen } of rows) {
    const own = said.get(of) ?? { accepted: [], writeOffs: [] }
    said.set(of, own)
    if (kind !== null && ref !== null) own.accepted.push({ kind, of: partOf(ref, of), detail: detail ?? {} })
    else if (side !== null) own.writeOffs.push({ side, amountFen: Number(amountFen) })
  }
  return said
}

/** What of the order the ref is about: the other way round from `exceptionsOf` in ./settle/reconcile.ts. */
export function partOf(ref: string, orderId: string): string {
  return ref === orderId ? '' : ref.slice(orderId.length + 1)
}

export interface BookedWriteOff {
  readonly id: string
  readonly exceptionId: string
  readonly kind: string
  readonly orderId: string | null
  readonly side: WriteOffSide
  readonly amountFen: number
  readonly actor: string
  readonly note: string
  readonly at: number
}

export interface WriteOffPage {
  readonly writeOffs: readonly BookedWriteOff[]
  readonly nextCursor: string | null
}

/** Instants in epoch milliseconds; null: without that end. */
export interface Period {
  readonly since: number | null
  readonly until: number | null
}

/** Oldest first. `cursor` is a page's own, digits only. */
export async function listWriteOffs(
  sql: Queryable,
  period: Period,
  cursor: string,
  limit: number,
): Promise<WriteOffPage> {
  const rows = await sql<(Omit<BookedWriteOff, 'amountFen' | 'at'> & { amountFen: string; at: Date })[]>`
    select a.id, a.exception_id as "exceptionId", e.kind, a.order_id as "orderId", a.side, a.amount_fen as "amountFen",
      a.actor, a.note, a.at
    from exception_act a join exception e on e.id = a.exception_id
    where a.amount_fen is not null and a.id > ${cursor}::bigint and ${within(sql, period)} order by a.id limit ${limit + 1}`
  const page = rows.slice(0, limit).map((row) => ({ ...row, amountFen: Number(row.amountFen), at: row.at.getTime() }))
  return { writeOffs: page, nextCursor: rows.length > limit ? page.at(-1)!.id : null }
}

/** What the shop lost, in fen. Only people write off, so all of it is few rows. */
export async function sumOfWriteOffs(sql: Queryable, period: Period): Promise<number> {
  const [row] = await sql<{ sum: string }[]>`
    select coalesce(sum(a.amount_fen), 0) as sum from exception_act a
    where a.amount_fen is not null and ${within(sql, period)}`
  return Number(row!.sum)
}

function within(sql: Queryable, { since, until }: Period) {
  return sql`a.at >= coalesce(to_timestamp(${since}::float8 / 1000), '-infinity')
    and a.at < coalesce(to_timestamp(${until}::float8 / 1000), 'infinity')`
}
