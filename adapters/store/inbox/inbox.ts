/**
 * The inbox: what is in it is ours to finish, what is not was never acknowledged.
 *
 * One statement takes a whole micro-batch: events that are new go into `inbox` and `pending` together; known ones
 * change nothing. Bodies travel as one bytea with offsets, since an array of texts would escape every quote of every body.
 */
import { hash } from 'node:crypto'
import type { Queryable, Sql } from '../postgres/connect.ts'

export interface InboxEvent {
  readonly channel: string
  readonly shop: string
  readonly eventId: string
  readonly orderId: string
  /** order, refund, notification, command, unintelligible. */
  readonly kind: string
  /** Epoch milliseconds by the platform's clock, 0 when it does not say. */
  readonly occurredAt: number
  readonly body: Uint8Array
  /** sha256 of the body, lower-case hex. */
  readonly bodyHash: string
  /** Pending events that this one answers: they are done when it is stored (a fetched order answers its notifications). */
  readonly answers?: readonly string[]
}

/** With the digest of its body. */
export function hashed(event: Omit<InboxEvent, 'bodyHash'>): InboxEvent {
  return { ...event, bodyHash: hash('sha256', event.body) }
}

/** new: stored by this call, `seq` is its number; duplicate: known with this body; conflict: known with another body, kept and raised. */
export type Stored = { readonly outcome: 'new'; readonly seq: string } | { readonly outcome: 'duplicate' | 'conflict' }

const dayMs = 86_400_000
const chinaOffsetMs = 8 * 3_600_000

/** The event's own day in China, where every platform's clock is: `yyyy-mm-dd`. */
export function dayOf(occurredAt: number): string {
  // Years that a date column cannot hold, or that no platform means, share one day.
  const sane = occurredAt > 0 && occurredAt < 4_102_444_800_000 ? occurredAt + chinaOffsetMs : 0
  return new Date(Math.floor(sane / dayMs) * dayMs).toISOString().slice(0, 10)
}

/** Durable when it returns. The outcomes are in the order of the events. Throws when Postgres is away. */
export async function storeEvents(sql: Sql, events: readonly InboxEvent[]): Promise<Stored[]> {
  const days = events.map((e) => dayOf(e.occurredAt))
  // In key order, so that two processes that store the same events wait for each other in one direction only.
  const order = events.map((_, i) => i).sort((a, b) => compareKeys(events[a]!, days[a]!, events[b]!, days[b]!))
  const sorted = order.map((i) => events[i]!)
  let offset = 1
  const offsets = sorted.map((e) => {
    const at = offset
    offset += e.body.length
    return at
  })
  const answered = sorted.flatMap((e) => e.answers ?? [])
  const rows = await sql<{ position: number; seq: string }[]>`
    with bodies as materialized (
      select ${bytesOf(sql, Buffer.concat(sorted.map((e) => e.body)))} as bytes
    ), event as (
      select * from unnest(
        ${order.map((i) => days[i]!)}::date[], ${sorted.map((e) => e.channel)}::text[], ${sorted.map((e) => e.shop)}::text[],
        ${sorted.map((e) => e.eventId)}::text[], ${sorted.map((e) => e.orderId)}::text[], ${sorted.map((e) => e.kind)}::text[],
        ${sorted.map((e) => e.bodyHash)}::text[], ${offsets}::int[], ${sorted.map((e) => e.body.length)}::int[]
      ) with ordinality as t (day, channel, shop, event_id, order_id, kind, hash, start, length, position)
    ), stored as (
      insert into inbox (day, channel, shop, event_id, order_id, kind, body_hash, body)
      select day, channel, shop, event_id, order_id, kind, decode(hash, 'hex'),
        substring((select bytes from bodies) from start for length)
      from event order by position
      on conflict do nothing
      returning day, channel, shop, event_id, order_id, kind, seq
    ), queued as (
      insert into pending (seq, day, channel, shop, event_id, order_id, kind)
      select seq, day, channel, shop, event_id, order_id, kind from stored
    ), answered as (
      delete from pending where seq = any(${answered}::bigint[])
    )
    select min(event.position)::int as position, stored.seq
    from stored join event using (day, channel, shop, event_id) group by stored.seq`
  const outcomes: Stored[] = events.map(() => ({ outcome: 'duplicate' }))
  for (const row of rows) outcomes[order[row.position - 1]!] = { outcome: 'new', seq: row.seq }
  if (rows.length < events.length) {
    const known = order.filter((i) => outcomes[i]!.outcome !== 'new')
    for (const i of await keepConflicts(sql, known, events, days)) outcomes[i] = { outcome: 'conflict' }
  }
  return outcomes
}

/**
 * The driver sends bytes as hex, twice as long. A text goes as it is: one character a byte here, and one byte a character
 * there. (As the text that they nearly always are, they would be decoded to two bytes a character and encoded again.)
 */
function bytesOf(sql: Sql, bytes: Buffer) {
  return bytes.includes(0) ? sql`${bytes}::bytea` : sql`convert_to(${bytes.toString('latin1')}::text, 'LATIN1')`
}

function compareKeys(a: InboxEvent, aDay: string, b: InboxEvent, bDay: string): number {
  if (aDay !== bDay) return aDay < bDay ? -1 : 1
  if (a.channel !== b.channel) return a.channel < b.channel ? -1 : 1
  if (a.shop !== b.shop) return a.shop < b.shop ? -1 : 1
  return a.eventId < b.eventId ? -1 : a.eventId > b.eventId ? 1 : 0
}

/** Of the events that were known, those whose body differs: kept with an exception. Returns their indexes. */
async function keepConflicts(
  sql: Sql,
  known: readonly number[],
  events: readonly InboxEvent[],
  days: readonly string[],
): Promise<number[]> {
  const of = <T>(read: (event: InboxEvent) => T): T[] => known.map((i) => read(events[i]!))
  const different = await sql<{ position: number }[]>`
    select t.position::int from unnest(
      ${known.map((i) => days[i]!)}::date[], ${of((e) => e.channel)}::text[], ${of((e) => e.shop)}::text[],
      ${of((e) => e.eventId)}::text[], ${of((e) => e.bodyHash)}::text[]
    ) with ordinality as t (day, channel, shop, event_id, hash, position)
    join inbox using (day, channel, shop, event_id) where inbox.body_hash <> decode(t.hash, 'hex')`
  const conflicts = different.map((row) => known[row.position - 1]!)
  for (const i of conflicts) {
    const event = events[i]!
    await sql.begin(async (tx) => {
      await tx`
        insert into event_conflict (day, channel, shop, event_id, body_hash, body)
        values (${days[i]!}, ${event.channel}, ${event.shop}, ${event.eventId}, decode(${event.bodyHash}, 'hex'),
          ${Buffer.from(event.body)})
        on conflict do nothing`
      await tx`
        insert into exception (kind, ref, detail)
        values ('event_conflict', ${`${event.channel}/${event.shop}/${event.eventId}`},
          ${tx.json({ channel: event.channel, shop: event.shop, orderId: event.orderId, eventId: event.eventId })})
        on conflict do nothing`
    })
  }
  return conflicts
}

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
 * Undecided events that are due, oldest first, but for those that `known` holds already. Rows younger than `olderThanMs` are left to the
 * process that stored them. Version 0.1.0 called a notification `hint`.
 */
export async function readPending(
  sql: Sql,
  options: {
    readonly afterSeq: string
    readonly limit: number
    /** Of bodies: no further row is given once so many are. */
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

/** Above all that were given before: whatever is counted by it and the inbox's numbers have one sequence. */
export async function nextNumber(sql: Sql): Promise<string> {
  const [row] = await sql<{ number: string }[]>`select nextval('event_seq') as number`
  return row!.number
}

export async function isStored(
  sql: Sql,
  { channel, shop, eventId, occurredAt }: Pick<InboxEvent, 'channel' | 'shop' | 'eventId' | 'occurredAt'>,
): Promise<boolean> {
  const found = await sql`
    select from inbox
    where day = ${dayOf(occurredAt)} and channel = ${channel} and shop = ${shop} and event_id = ${eventId}`
  return found.count > 0
}

/** Those that wait for a decision: a notification that was answered, and is only asked for again to be sure, keeps nobody busy. */
export async function countPending(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: string }[]>`
    select count(*) from pending where last_error is distinct from ${doubted}`
  return Number(row!.count)
}

// Who waits for the lock keeps every intake behind him waiting.
const partitionLockMs = 100
const partitionDaysBehind = 2
// A week's worth of tries for each day, whoever reads the inbox for hours.
const partitionDaysAhead = 7
const lockNotAvailable = '55P03'

/**
 * Partitions for the days around today, so that dropping a day later is one statement. False when somebody who reads or
 * writes the inbox stood in the way: to be tried again later. Until then the default partition takes what comes.
 */
export async function preparePartitions(sql: Sql, nowMs: number): Promise<boolean> {
  try {
    await makePartitions(sql, nowMs)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === lockNotAvailable) return false
    throw error
  }
}

async function makePartitions(sql: Sql, nowMs: number): Promise<void> {
  for (let ahead = -partitionDaysBehind; ahead <= partitionDaysAhead; ahead++) {
    const day = dayOf(nowMs + ahead * dayMs)
    const next = dayOf(nowMs + (ahead + 1) * dayMs)
    const name = `inbox_${day.replaceAll('-', '')}`
    if (await partitionExists(sql, name)) continue
    await sql.begin(async (tx) => {
      await tx.unsafe(`set local lock_timeout = ${partitionLockMs}`)
      // Nothing is stored for a moment: a row of that day must not come between the look and the partition.
      await tx`lock table inbox in access exclusive mode`
      // Rows that came before their partition keep the day in the default one: correct, only less tidy to drop.
      const [early] = await tx`select 1 from inbox_rest where day = ${day} limit 1`
      if (early === undefined && !(await partitionExists(tx, name))) {
        await tx.unsafe(`create table ${name} partition of inbox for values from ('${day}') to ('${next}')`)
        await tx.unsafe(`alter table ${name} alter body set statistics 0, alter body_hash set statistics 0`)
      }
    })
  }
}

async function partitionExists(sql: Queryable, name: string): Promise<boolean> {
  const found = await sql`
    select from pg_class where relname = ${name} and relnamespace = current_schema()::regnamespace`
  return found.count > 0
}
