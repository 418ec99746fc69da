/**
 * What wants a person's eye. Each difference is one open row, by kind and by what it is about, and keeps its age for
 * as long as it stays open. Details hold figures and codes, never personal data.
 */
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
}

/** Opens what is not open yet; of what is open only the detail changes. Returns how many were opened. */
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
    on conflict (kind, ref) where resolved_at is null do update
      set detail = excluded.detail, order_id = coalesce(excluded.order_id, exception.order_id)
      where exception.detail <> excluded.detail or exception.order_id is distinct from excluded.order_id
    returning xmax = 0 as opened`
  return opened.filter((row) => row.opened).length
}

/** Closes the open ones of a kind; unknown refs are no error. Returns how many were closed. */
export async function resolve(sql: Queryable, kind: string, refs: readonly string[]): Promise<number> {
  if (refs.length === 0) return 0
  const closed = await sql`
    update exception set resolved_at = now()
    where kind = ${kind} and ref = any(${refs as string[]}::text[]) and resolved_at is null`
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
    update exception e set resolved_at = now()
    where e.resolved_at is null and e.kind = 'undecidable_event' and not exists (
      select from pending p
      where p.channel = e.detail ->> 'channel' and p.shop = e.detail ->> 'shop' and p.event_id = e.detail ->> 'eventId')`
  const fetched = await sql`
    update exception e set resolved_at = now()
    where e.resolved_at is null and e.kind = 'order_not_fetched' and not exists (
      select from pending p
      where p.kind in ('notification', 'hint') and p.channel = e.detail ->> 'channel' and p.shop = e.detail ->> 'shop'
        and p.order_id = e.detail ->> 'orderId' and p.last_error is distinct from ${doubted})`
  return decided.count + fetched.count
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
  const rows = await sql<
    {
      id: string
      kind: string
      ref: string
      orderId: string | null
      detail: Record<string, unknown>
      since: string
      age: number
      resolvedAt: string | null
    }[]
  >`
    select id, kind, ref, order_id as "orderId", detail,
      (extract(epoch from since) * 1000)::bigint as since, extract(epoch from coalesce(resolved_at, now()) - since)::float8 as age,
      (extract(epoch from resolved_at) * 1000)::bigint as "resolvedAt"
    from exception
    where id > ${query.cursor ?? '0'}::bigint
      ${state === 'all' ? sql`` : state === 'open' ? sql`and resolved_at is null` : sql`and resolved_at is not null`}
      and (${query.kind ?? null}::text is null or kind = ${query.kind ?? null}::text)
    order by id limit ${query.limit + 1}`
  const page = rows.slice(0, query.limit)
  const exceptions = page.map(({ age, since, resolvedAt, ...row }) => ({
    ...row,
    since: Number(since),
    resolvedAt: resolvedAt === null ? null : Number(resolvedAt),
    ageSeconds: Math.max(0, Math.floor(age)),
  }))
  return { exceptions, cursor: rows.length > query.limit ? page.at(-1)!.id : null }
}
