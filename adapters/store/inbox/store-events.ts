/**
 * The inbox: an event that is in it was or will be acknowledged, and Paidan has to decide it; any other was not
 * acknowledged.
 *
 * One statement takes a whole micro-batch: events that are new go into `inbox` and `pending` together; known ones
 * change nothing. Bodies travel as one bytea with offsets, since an array of texts would escape every quote of every
 * body.
 */
import { refOf } from '../exception-refs.ts'
import type { Sql } from '../postgres/connect.ts'
import { dayOf, type InboxEvent, type Stored } from './event.ts'

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
 * The driver sends bytes as hex, twice as long. A text goes as it is: one character a byte here, and one byte a
 * character there. (As the text that they nearly always are, they would be decoded to two bytes a character and encoded
 * again.)
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
      const kept = await tx`
        insert into event_conflict (day, channel, shop, event_id, body_hash, body)
        values (${days[i]!}, ${event.channel}, ${event.shop}, ${event.eventId}, decode(${event.bodyHash}, 'hex'),
          ${Buffer.from(event.body)})
        on conflict do nothing`
      // The same other body again is the same fact: a person may have settled it.
      if (kept.count === 0) return
      await tx`
        insert into exception (kind, ref, detail)
        values ('event_conflict', ${refOf(event.channel, event.shop, event.eventId)},
          ${tx.json({ channel: event.channel, shop: event.shop, orderId: event.orderId, eventId: event.eventId })})
        on conflict do nothing`
    })
  }
  return conflicts
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
