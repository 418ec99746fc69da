/** Events from their storing to their decision: see ../inbox/, whose meaning this has. */
import { dayOf, type InboxEvent, type Stored } from '../inbox/event.ts'
import { doubted, type PendingEvent } from '../inbox/pending.ts'
import { raiseNew } from './exceptions.ts'
import { compare, type PendingRow, type Tables } from './tables.ts'

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
  const known = tables.inbox.get(inboxKey(day, event))
  if (known !== undefined) {
    if (known.bodyHash === event.bodyHash) return { outcome: 'duplicate' }
    const { channel, shop, orderId, eventId } = event
    const detail = { channel, shop, orderId, eventId }
    raiseNew(tables, [{ kind: 'event_conflict', ref: `${channel}/${shop}/${eventId}`, detail }], storedAtMs)
    return { outcome: 'conflict' }
  }
  const { channel, shop, eventId, orderId, kind, body, bodyHash } = event
  const seq = String(tables.lastSeq)
  const row = { seq, day, channel, shop, eventId, orderId, kind, bodyHash, body, storedAtMs }
  tables.inbox.set(inboxKey(day, event), row)
  tables.pending.set(seq, { ...row, attempts: 0, notBeforeMs: storedAtMs, lastError: null })
  return { outcome: 'new', seq }
}

type EventKey = Pick<InboxEvent, 'channel' | 'shop' | 'eventId'>

function inboxKey(day: string, { channel, shop, eventId }: EventKey): string {
  return [day, channel, shop, eventId].join('\u0000')
}

export function isStored(tables: Tables, event: EventKey & Pick<InboxEvent, 'occurredAt'>): boolean {
  return tables.inbox.has(inboxKey(dayOf(event.occurredAt), event))
}

export interface Page {
  readonly afterSeq: string
  readonly limit: number
  readonly bytesMax?: number
  readonly olderThanMs: number
}

export function readPending(tables: Tables, page: Page, nowMs: number): PendingEvent[] {
  const { afterSeq, limit, bytesMax = Number.MAX_SAFE_INTEGER, olderThanMs } = page
  const due = [...tables.pending.values()]
    .filter((row) => Number(row.seq) > Number(afterSeq) && row.notBeforeMs <= nowMs - olderThanMs)
    .sort((a, b) => Number(a.seq) - Number(b.seq))
    .slice(0, limit)
  let bytes = 0
  const isRoom = ({ body }: PendingRow): boolean => {
    const fits = bytes < bytesMax
    bytes += body.length
    return fits
  }
  return due.filter(isRoom).map(({ seq, channel, shop, eventId, orderId, kind, body, day, storedAtMs, attempts }) => {
    return { ...{ seq, channel, shop, eventId, orderId, kind, attempts }, occurredDay: day, body, storedAtMs }
  })
}

export function postpone(tables: Tables, seqs: readonly string[], delayMs: number, why: string, nowMs: number): void {
  for (const row of rowsOf(tables, seqs)) {
    row.attempts += 1
    row.lastError = why
    row.notBeforeMs = nowMs + delayMs
  }
}

export function doubt(tables: Tables, seqs: readonly string[], delayMs: number, nowMs: number): void {
  for (const row of rowsOf(tables, seqs)) {
    row.lastError = doubted
    row.notBeforeMs = nowMs + delayMs
  }
}

function rowsOf(tables: Tables, seqs: readonly string[]): PendingRow[] {
  return seqs.map((seq) => tables.pending.get(seq)).filter((row) => row !== undefined)
}

export function countPending(tables: Tables): number {
  return [...tables.pending.values()].filter((row) => row.lastError !== doubted).length
}

/** From the sequence that numbers events. */
export function nextNumber(tables: Tables): string {
  tables.lastSeq += 1
  return String(tables.lastSeq)
}
