/** Events come in: see ../inbox/store-events.ts, whose meaning this has. */
import { refOf } from '../exception-refs.ts'
import { dayOf, type InboxEvent, type Stored } from '../inbox/event.ts'
import { openUnlessOpen } from './exceptions.ts'
import { pendingRow } from './pending.ts'
import { compare, type InboxRow, type Tables } from './tables.ts'

/** In key order, as the database numbers them; known ones use up a number too. */
export function storeEvents(tables: Tables, events: readonly InboxEvent[], nowMs: number): Stored[] {
  const keyed = events.map((event, i) => ({ event, i, day: dayOf(event.occurredAt) }))
  keyed.sort(
    (a, b) =>
      compare(a.day, b.day) ||
      compare(a.event.channel, b.event.channel) ||
      compare(a.event.shop, b.event.shop) ||
      compare(a.event.eventId, b.event.eventId),
  )
  const outcomes: Stored[] = []
  for (const { event, i } of keyed) outcomes[i] = storeOne(tables, event, nowMs)
  for (const seq of events.flatMap((e) => e.answers ?? [])) tables.pending.delete(seq)
  return outcomes
}

/** One event of a transaction; gives its number. Throws where its id is taken; then only a number is used up. */
export function insertEvent(tables: Tables, event: InboxEvent, nowMs: number): string {
  if (!isStored(tables, event)) return insert(tables, event, nowMs)
  throw new Error(`a command under an id that is taken, as number ${nextNumber(tables)}`)
}

export function isStored(tables: Tables, event: Parameters<typeof keyOf>[0]): boolean {
  return tables.inbox.has(keyOf(event))
}

export function nextNumber(tables: Tables): string {
  tables.lastSeq += 1
  return String(tables.lastSeq)
}

function storeOne(tables: Tables, event: InboxEvent, nowMs: number): Stored {
  const known = tables.inbox.get(keyOf(event))
  if (known === undefined) return { outcome: 'new', seq: insert(tables, event, nowMs) }
  nextNumber(tables)
  if (known.bodyHash === event.bodyHash) return { outcome: 'duplicate' }
  const key = `${keyOf(event)}\u0000${event.bodyHash}`
  if (tables.eventConflicts.has(key)) return { outcome: 'conflict' }
  tables.eventConflicts.set(key, event.body)
  const { channel, shop, orderId, eventId } = event
  const detail = { channel, shop, orderId, eventId }
  openUnlessOpen(tables, { kind: 'event_conflict', ref: refOf(channel, shop, eventId), detail }, nowMs)
  return { outcome: 'conflict' }
}

function insert(tables: Tables, event: InboxEvent, nowMs: number): string {
  const { channel, shop, eventId, orderId, kind, occurredAt, body, bodyHash } = event
  const seq = nextNumber(tables)
  const of = { seq, day: dayOf(occurredAt), channel, shop, eventId, orderId, kind }
  const row: InboxRow = { ...of, bodyHash, body, storedAtMs: nowMs }
  tables.inbox.set(keyOf(event), row)
  tables.pending.set(seq, pendingRow(row))
  return seq
}

function keyOf({
  occurredAt,
  channel,
  shop,
  eventId,
}: Pick<InboxEvent, 'channel' | 'shop' | 'eventId' | 'occurredAt'>): string {
  return [dayOf(occurredAt), channel, shop, eventId].join('\u0000')
}
