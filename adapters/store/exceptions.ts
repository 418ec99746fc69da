/**
 * What wants a person's eye. Each difference is one open row, by kind and by what it is about, and keeps its age for
 * as long as it stays open. Details hold figures and codes, never personal data.
 */
import { passingFigures, type SettledAs } from '../../router/exceptions.ts'
import { over } from './exception-over.ts'
import { doubted } from './inbox/pending.ts'
import type { Queryable } from './postgres/connect.ts'
import { jsonText } from './postgres/json-text.ts'

export interface ExceptionEntry {
  readonly kind: string
  /** What it is about: an order's id, a waybill, a bill row. Unique within its kind while open. */
  readonly ref: string
  readonly orderId?: string | null
  readonly detail?: Readonly<Record<string, unknown>>
  /** Epoch milliseconds where the data says since when; now otherwise. Kept as first given while the row is open. */
  readonly since?: number
}

export interface ExceptionView {
  readonly id: string
  readonly kind: string
  readonly ref: string
  readonly orderId: string | null
  readonly detail: Readonly<Record<string, unknown>>
  readonly since: number
  /** Until now, or until it was resolved. */
  readonly ageSeconds: number
  /** null: it is open. */
  readonly resolvedAt: number | null
  /** What a person said when he ended it; null: it is open, or ended by itself. */
  readonly resolvedAs: SettledAs | null
  readonly resolvedBy: string | null
  readonly assignedTo: string | null
  /** The last words of a person about it. */
  readonly note: string | null
}

/**
 * Opens what is not open yet; of what is open only the detail changes. What a person ended, and what is the same fact
 * still, is not opened again. Returns how many were opened.
 */
export async function raise(sql: Queryable, entries: readonly ExceptionEntry[]): Promise<number> {
  if (entries.length === 0) return 0
  const unique = [...new Map(entries.map((entry) => [`${entry.kind}\n${entry.ref}`, entry]))]
  // In key order, so that two that raise the same ones wait for each other in one direction only.
  unique.sort(([a], [b]) => (a < b ? -1 : 1))
  const rows = unique.map(([, { kind, ref, orderId, detail, since }]) => ({
    kind,
    ref,
    order_id: orderId ?? null,
    detail: detail ?? {},
    since: since ?? null,
  }))
  const opened = await sql<{ opened: boolean }[]>`
    insert into exception (kind, ref, order_id, detail, since)
    select kind, ref, order_id, detail, coalesce(to_timestamp(since / 1000.0), now())
    from jsonb_to_recordset(${jsonText(rows)}::text::jsonb)
      as given (kind text, ref text, order_id bigint, detail jsonb, since bigint)
    where not exists (
        select from exception e where e.accepted and e.kind = given.kind and e.ref = given.ref
          and e.detail - ${passingFigures as string[]}::text[] = given.detail - ${passingFigures as string[]}::text[])
      or exists (
        select from exception e where e.resolved_at is null and e.kind = given.kind and e.ref = given.ref)
    on conflict (kind, ref) where resolved_at is null do update
      set detail = excluded.detail, order_id = coalesce(excluded.order_id, exception.order_id)
      where exception.detail <> excluded.detail or exception.order_id is distinct from excluded.order_id
    returning xmax = 0 as opened`
  return opened.filter((row) => row.opened).length
}

/**
 * Their fact is over: closes the open ones of a kind, and lets a person's word go, so that the same fact is told when it
 * comes anew. Unknown refs are no error. Returns how many that were.
 */
export async function resolve(sql: Queryable, kind: string, refs: readonly string[]): Promise<number> {
  if (refs.length === 0) return 0
  const closed = await sql`
    update exception set ${over(sql)}
    where (resolved_at is null and kind = ${kind} and ref = any(${refs as string[]}::text[]))
      or (accepted and kind = ${kind} and ref = any(${refs as string[]}::text[]))`
  return closed.count
}

/**
 * Ends the exceptions of events that could not be decided and now are, and of orders that could not be fetched and of
 * which no notification waits any more.
 * Version 0.1.0 called a notification `hint`.
 */
export async function endEventExceptions(sql: Queryable): Promise<number> {
  // Each is a join by equality, so that neither a large backlog nor many open exceptions make it slow.
  const decided = await sql`
    update exception set ${over(sql)} from ${lasting(sql, 'undecidable_event')} e
    where exception.id = e.id and not exists (
      select from pending p
      where p.channel = e.detail ->> 'channel' and p.shop = e.detail ->> 'shop' and p.event_id = e.detail ->> 'eventId')`
  const fetched = await sql`
    update exception set ${over(sql)} from ${lasting(sql, 'order_not_fetched')} e
    where exception.id = e.id and not exists (
      select from pending p
      where p.kind in ('notification', 'hint') and p.channel = e.detail ->> 'channel' and p.shop = e.detail ->> 'shop'
        and p.order_id = e.detail ->> 'orderId' and p.last_error is distinct from ${doubted})`
  return decided.count + fetched.count
}

/** Those of a kind that are open, or that a person ended while their fact lasts. Each arm has its own index. */
function lasting(sql: Queryable, kind: string) {
  return sql`(
    select id, detail from exception where resolved_at is null and kind = ${kind}
    union all
    select id, detail from exception where accepted and kind = ${kind}
  )`
}

export interface ExceptionPage {
  readonly exceptions: readonly ExceptionView[]
  /** What to give for the next page; null on the last one. */
  readonly cursor: string | null
}

export type ExceptionState = 'open' | 'resolved' | 'all'

/** In the order in which they were opened; the open ones unless `state` says otherwise. `cursor` is a page's own, digits only. */
export async function list(
  sql: Queryable,
  query: {
    readonly kind?: string | undefined
    readonly state?: ExceptionState
    readonly cursor?: string | undefined
    readonly limit: number
  },
): Promise<ExceptionPage> {
  const { state = 'open' } = query
  const rows = await sql<ExceptionColumns[]>`
    select ${shown(sql)} from exception
    where id > ${query.cursor ?? '0'}::bigint
      ${state === 'all' ? sql`` : state === 'open' ? sql`and resolved_at is null` : sql`and resolved_at is not null`}
      and (${query.kind ?? null}::text is null or kind = ${query.kind ?? null}::text)
    order by id limit ${query.limit + 1}`
  const page = rows.slice(0, query.limit)
  return { exceptions: page.map(viewOf), cursor: rows.length > query.limit ? page.at(-1)!.id : null }
}

/** One, open or not. */
export async function findException(sql: Queryable, id: string): Promise<ExceptionView | null> {
  const [row] = await sql<ExceptionColumns[]>`select ${shown(sql)} from exception where id = ${id}::bigint`
  return row === undefined ? null : viewOf(row)
}

type ExceptionColumns = Omit<ExceptionView, 'since' | 'ageSeconds' | 'resolvedAt'> & {
  readonly since: string
  readonly age: number
  readonly resolvedAt: string | null
}

function shown(sql: Queryable) {
  return sql`id, kind, ref, order_id as "orderId", detail, assigned_to as "assignedTo", note,
    resolved_as as "resolvedAs", resolved_by as "resolvedBy",
    (extract(epoch from since) * 1000)::bigint as since,
    extract(epoch from coalesce(resolved_at, now()) - since)::float8 as age,
    (extract(epoch from resolved_at) * 1000)::bigint as "resolvedAt"`
}

function viewOf({ age, since, resolvedAt, ...row }: ExceptionColumns): ExceptionView {
  return {
    ...row,
    since: Number(since),
    resolvedAt: resolvedAt === null ? null : Number(resolvedAt),
    ageSeconds: Math.max(0, Math.floor(age)),
  }
}
