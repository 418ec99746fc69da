/** Events that are not decided yet: see ../inbox/pending.ts, whose meaning this has. */
import { doubted, type PendingEvent } from '../inbox/pending.ts'
import type { InboxStore } from '../order-store.ts'
import type { InboxRow, PendingRow, Tables } from './tables.ts'

/** The row of an event that was stored at an instant. */
export function pendingRow(row: InboxRow): PendingRow {
  return { ...row, attempts: 0, notBeforeMs: row.storedAtMs, lastError: null }
}

export function readPending(
  tables: Tables,
  { afterSeq, limit, bytesMax = Number.MAX_SAFE_INTEGER, olderThanMs }: Parameters<InboxStore['readPending']>[0],
  nowMs: number,
): PendingEvent[] {
  let bytesBefore = 0
  return [...tables.pending.values()]
    .filter((row) => Number(row.seq) > Number(afterSeq) && row.notBeforeMs <= nowMs - olderThanMs)
    .sort((a, b) => Number(a.seq) - Number(b.seq))
    .slice(0, limit)
    .filter(({ body }) => {
      const fits = bytesBefore < bytesMax
      bytesBefore += body.length
      return fits
    })
    .map(({ seq, channel, shop, eventId, orderId, kind, attempts, body, day, storedAtMs }) => ({
      ...{ seq, channel, shop, eventId, orderId, kind: kind === 'hint' ? 'notification' : kind, attempts },
      ...{ occurredDay: day, body, storedAtMs },
    }))
}

/** A notification that was answered, and is only asked for again to be sure, does not count. */
export function countPending(tables: Tables): number {
  return [...tables.pending.values()].filter((row) => row.lastError !== doubted).length
}

export function postpone(tables: Tables, seqs: readonly string[], why: string, untilMs: number): void {
  for (const row of rowsOf(tables, seqs)) {
    row.attempts += 1
    row.lastError = why
    row.notBeforeMs = untilMs
  }
}

export function doubt(tables: Tables, seqs: readonly string[], untilMs: number): void {
  for (const row of rowsOf(tables, seqs)) {
    row.lastError = doubted
    row.notBeforeMs = untilMs
  }
}

function rowsOf(tables: Tables, seqs: readonly string[]): PendingRow[] {
  return [...new Set(seqs)].flatMap((seq) => tables.pending.get(seq) ?? [])
}

/** Those of some event ids that are still to be decided. */
export function pendingAmong(tables: Tables, eventIds: readonly string[]): Set<string> {
  const asked = new Set(eventIds)
  return new Set([...tables.pending.values()].map((row) => row.eventId).filter((eventId) => asked.has(eventId)))
}

export function stillPending(tables: Tables, seqs: readonly string[]): ReadonlySet<string> {
  return new Set(seqs.filter((seq) => tables.pending.has(seq)))
}
