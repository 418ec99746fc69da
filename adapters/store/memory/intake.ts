import { dayOf, type InboxEvent, type Stored } from '../inbox/event.ts'
import type { PendingEvent } from '../inbox/pending.ts'
import { compare, type InboxRow, pairKey, type Tables } from './tables.ts'

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
  for (const { event, i, day } of keyed) outcomes[i] = storeOne(tables, event, day, nowMs)
  for (const seq of events.flatMap((e) => e.answers ?? [])) tables.pending.delete(seq)
  return outcomes
}

function storeOne(tables: Tables, event: InboxEvent, day: string, storedAtMs: number): Stored {
  tables.lastSeq += 1
  const key = [day, event.channel, event.shop, event.eventId].join('\u0000')
  const known = tables.inbox.get(key)
  if (known !== undefined) {
    if (known.bodyHash === event.bodyHash) return { outcome: 'duplicate' }
    tables.exceptions.add(pairKey('event_conflict', `${event.channel}/${event.shop}/${event.eventId}`))
    return { outcome: 'conflict' }
  }
  const { channel, shop, eventId, orderId, kind, body, bodyHash } = event
  const seq = String(tables.lastSeq)
  const row: InboxRow = { seq, day, channel, shop, eventId, orderId, kind, bodyHash, body, storedAtMs }
  tables.inbox.set(key, row)
  tables.pending.set(seq, row)
  return { outcome: 'new', seq }
}

export function readPending(
  tables: Tables,
  { afterSeq, limit, olderThanMs }: { readonly afterSeq: string; readonly limit: number; readonly olderThanMs: number },
  nowMs: number,
): PendingEvent[] {
  return [...tables.pending.values()]
    .filter((row) => Number(row.seq) > Number(afterSeq) && row.storedAtMs <= nowMs - olderThanMs)
    .sort((a, b) => Number(a.seq) - Number(b.seq))
    .slice(0, limit)
    .map(({ seq, channel, shop, eventId, orderId, kind, body, day, storedAtMs }) => {
      return { ...{ seq, channel, shop, eventId, orderId, kind, attempts: 0 }, occurredDay: day, body, storedAtMs }
    })
}
