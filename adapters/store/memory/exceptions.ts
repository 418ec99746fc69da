/** What wants a person's eye: see ../exceptions.ts, whose meaning this has. */
import { isSameFact, type SettledAs } from '../../../router/exceptions.ts'
import { writeOffOf } from '../../../router/reconcile/write-off.ts'
import { isOfMatch, partOf, type Said, type Settled } from '../exception-acts.ts'
import type { ExceptionEntry } from '../exceptions.ts'
import { doubted } from '../inbox/pending.ts'
import { markDue } from './due.ts'
import { type ExceptionRow, pairKey, type Tables } from './tables.ts'

export function raise(tables: Tables, entries: readonly ExceptionEntry[], nowMs: number): number {
  const unique = [...new Map(entries.map((entry) => [`${entry.kind}\n${entry.ref}`, entry]))]
  unique.sort(([a], [b]) => (a < b ? -1 : 1))
  return unique.filter(([, entry]) => openOrChange(tables, entry, nowMs)).length
}

/** Whether it was opened. */
function openOrChange(tables: Tables, entry: ExceptionEntry, nowMs: number): boolean {
  const open = tables.openExceptions.get(pairKey(entry.kind, entry.ref))
  if (open === undefined) {
    if (isAccepted(tables, entry)) return false
    openUnlessOpen(tables, entry, nowMs)
    return true
  }
  open.detail = asJson(entry.detail)
  open.orderId = entry.orderId ?? open.orderId
  return false
}

/** A person ended it, and it is the same fact still. */
function isAccepted(tables: Tables, { kind, ref, detail }: ExceptionEntry): boolean {
  const given = asJson(detail)
  return [...tables.acceptedExceptions].some(
    (row) => row.kind === kind && row.ref === ref && isSameFact(row.detail, given),
  )
}

/** One that is open stays as it is. */
export function openUnlessOpen(
  tables: Tables,
  { kind, ref, orderId, detail, since }: Omit<ExceptionEntry, 'detail'> & { readonly detail?: unknown },
  nowMs: number,
): void {
  const key = pairKey(kind, ref)
  if (tables.openExceptions.has(key)) return
  const row: ExceptionRow = {
    ...{ kind, ref, orderId: orderId ?? null, detail: asJson(detail), since: since ?? nowMs, resolvedAt: null },
    ...{ resolvedAs: null, accepted: false },
  }
  tables.exceptions.push(row)
  tables.openExceptions.set(key, row)
}

/** As a column of JSON gives it back. */
function asJson(detail: unknown): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(detail ?? {})) as Readonly<Record<string, unknown>>
}

export function resolve(tables: Tables, kind: string, refs: readonly string[], nowMs: number): number {
  const given = new Set(refs)
  return end(tables, (row) => row.kind === kind && given.has(row.ref), nowMs)
}

export function endEventExceptions(tables: Tables, nowMs: number): number {
  const pending = [...tables.pending.values()]
  const undecided = new Set(pending.map((p) => keyOf(p.channel, p.shop, p.eventId)))
  const unfetched = new Set(
    pending
      .filter(({ kind, lastError }) => (kind === 'notification' || kind === 'hint') && lastError !== doubted)
      .map((p) => keyOf(p.channel, p.shop, p.orderId)),
  )
  const isOver = ({ kind, detail: { channel, shop, eventId, orderId } }: ExceptionRow): boolean =>
    (kind === 'undecidable_event' && !undecided.has(keyOf(channel, shop, eventId))) ||
    (kind === 'order_not_fetched' && !unfetched.has(keyOf(channel, shop, orderId)))
  return end(tables, isOver, nowMs)
}

function keyOf(...parts: readonly unknown[]): string {
  return parts.join('\u0000')
}

/** Those that are open, in the sequence in which they were opened. */
function openOf(tables: Tables, kind: string): ExceptionRow[] {
  return [...tables.openExceptions.values()].filter((row) => row.kind === kind)
}

/** The same, and those that a person ended while their fact lasts. */
export function lastingOf(tables: Tables, kind: string): ExceptionRow[] {
  return [...openOf(tables, kind), ...[...tables.acceptedExceptions].filter((row) => row.kind === kind)]
}

/** Ends the open ones that are over, and a person's word on them; gives how many. */
export function end(tables: Tables, isOver: (row: ExceptionRow) => boolean, nowMs: number): number {
  const over = [...tables.openExceptions].filter(([, row]) => isOver(row))
  for (const [key, row] of over) {
    row.resolvedAt = nowMs
    tables.openExceptions.delete(key)
  }
  const settled = [...tables.acceptedExceptions].filter(isOver)
  for (const row of settled) {
    row.accepted = false
    tables.acceptedExceptions.delete(row)
  }
  return over.length + settled.length
}

export function settleException(tables: Tables, kind: string, ref: string, as: SettledAs, nowMs: number): Settled {
  const key = pairKey(kind, ref)
  const row = tables.openExceptions.get(key)
  if (row === undefined) return { outcome: 'not_open' }
  if (isOfMatch(kind) && row.orderId !== null) markDue(tables, [row.orderId])
  tables.openExceptions.delete(key)
  tables.acceptedExceptions.add(row)
  Object.assign(row, { resolvedAt: nowMs, resolvedAs: as, accepted: true })
  const writeOff = as === 'written_off' ? writeOffOf(kind, row.detail) : null
  if (writeOff !== null) tables.writeOffs.push({ ...writeOff, orderId: row.orderId, of: row })
  return { outcome: 'settled', orderId: row.orderId, writeOff }
}

/** See `bookBack` in ../exception-acts.ts. */
export function bookBack(tables: Tables, over: ReadonlySet<ExceptionRow>): void {
  for (const of of over) {
    const amountFen = tables.writeOffs.reduce((sum, row) => sum - (row.of === of ? row.amountFen : 0), 0)
    if (amountFen !== 0) tables.writeOffs.push({ side: 'bill', amountFen, orderId: null, of })
  }
}

/** What persons said of an order's differences. */
export function saidOf(tables: Tables, orderId: string): Said {
  const accepted = [...tables.acceptedExceptions].filter((row) => row.orderId === orderId)
  const writeOffs = tables.writeOffs.filter((row) => row.orderId === orderId)
  return {
    accepted: accepted.map(({ kind, ref, detail }) => ({ kind, of: partOf(ref, orderId), detail })),
    writeOffs: writeOffs.map(({ side, amountFen }) => ({ side, amountFen })),
  }
}
