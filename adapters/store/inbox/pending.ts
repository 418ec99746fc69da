/** Events that are stored and not decided yet: read in order, put aside, counted. */
import type { Queryable, Sql } from '../postgres/connect.ts'

export interface PendingEvent {
  readonly seq: string
  readonly channel: string
  readonly shop: string
  readonly eventId: string
  readonly orderId: string
  readonly kind: string
  readonly attempts: number
  readonly occurredDay: string
  readonly body: Uint8Array
  /** Epoch milliseconds. */
  readonly storedAtMs: number
}

/**
 * Undecided events that are due, oldest first. Rows younger than `olderThanMs` are left to the process that stored
 * them. Version 0.1.0 called a notification `hint`.
 */
export async function readPending(
  sql: Sql,
  options: {
    readonly afterSeq: string
    readonly limit: number
    /** Of bodies: once the rows given have this many, no further row is given. */
    readonly bytesMax?: number
    readonly olderThanMs: number
  },
): Promise<PendingEvent[]> {
  return await sql<PendingEvent[]>`
    select seq, channel, shop, event_id as "eventId", order_id as "orderId",
      case kind when 'hint' then 'notification' else kind end as kind, attempts, day::text as "occurredDay",
      body, floor(extract(epoch from received_at) * 1000)::float8 as "storedAtMs"
    from (
      select p.*, i.body, i.received_at,
        sum(octet_length(i.body)) over (order by p.seq) - octet_length(i.body) as bytes_before
      from (
        select * from pending
        where seq > ${options.afterSeq}::bigint
          and not_before <= now() - ${options.olderThanMs}::int * interval '1 millisecond'
        order by seq limit ${options.limit}
      ) p
      join inbox i using (day, channel, shop, event_id)
    ) found
    where bytes_before < ${options.bytesMax ?? Number.MAX_SAFE_INTEGER}::bigint
    order by seq`
}

/** Puts an event that could not be decided aside for a while. */
export async function postpone(sql: Sql, seqs: readonly string[], delayMs: number, why: string): Promise<void> {
  await sql`
    update pending set attempts = attempts + 1, last_error = ${why},
      not_before = now() + ${delayMs}::int * interval '1 millisecond'
    where seq = any(${seqs as string[]}::bigint[])`
}

/** In `last_error`: it was answered, and is asked for again to be sure. */
export const doubted = 'older_than_notification'

/** Notifications whose answer may not show yet what they told of: asked again in a while, which is no failed attempt. */
export async function doubt(sql: Sql, seqs: readonly string[], delayMs: number): Promise<void> {
  await sql`
    update pending set last_error = ${doubted}, not_before = now() + ${delayMs}::int * interval '1 millisecond'
    where seq = any(${seqs as string[]}::bigint[])`
}

/** Events that wait for a decision. A notification that was answered, and is only asked for again to be sure, is none. */
export async function countPending(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: string }[]>`
    select count(*) from pending where last_error is distinct from ${doubted}`
  return Number(row!.count)
}

/** Those of some event ids that are still to be decided. */
export async function pendingAmong(sql: Queryable, eventIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql<{ event_id: string }[]>`
    select event_id from pending where event_id = any(${eventIds as string[]}::text[])`
  return new Set(rows.map((r) => r.event_id))
}

/** Those of some events that are not decided yet. */
export async function stillPending(sql: Queryable, seqs: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql<{ seq: string }[]>`select seq from pending where seq = any(${seqs as string[]}::bigint[])`
  return new Set(rows.map((r) => r.seq))
}
