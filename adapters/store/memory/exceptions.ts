/** What wants a person's eye: see ../exceptions.ts, whose meaning this has. */
import type { ExceptionEntry } from '../exceptions.ts'
import { doubted } from '../inbox/pending.ts'
import type { ExceptionRow, Tables } from './tables.ts'

export function raise(tables: Tables, entries: readonly ExceptionEntry[], nowMs: number): number {
  let opened = 0
  for (const { kind, ref, orderId = null, detail = {}, since = nowMs } of entries) {
    const known = openOf(tables, kind, ref)
    if (known !== undefined) {
      known.detail = detail
      known.orderId = orderId ?? known.orderId
      continue
    }
    const id = tables.exceptions.length + 1
    tables.exceptions.push({ id, kind, ref, orderId, detail, sinceMs: since, resolvedAtMs: null })
    opened += 1
  }
  return opened
}

/** What is open already stays as it is. */
export function raiseNew(tables: Tables, entries: readonly ExceptionEntry[], nowMs: number): void {
  raise(
    tables,
    entries.filter(({ kind, ref }) => openOf(tables, kind, ref) === undefined),
    nowMs,
  )
}

export function resolve(tables: Tables, kind: string, refs: readonly string[], nowMs: number): number {
  return end(
    openRows(tables).filter((row) => row.kind === kind && refs.includes(row.ref)),
    nowMs,
  )
}

export function endEventExceptions(tables: Tables, nowMs: number): number {
  const pending = [...tables.pending.values()]
  const isOver = ({ kind, detail }: ExceptionRow): boolean => {
    const ofShop = pending.filter((p) => p.channel === detail.channel && p.shop === detail.shop)
    if (kind === 'undecidable_event') return !ofShop.some((p) => p.eventId === detail.eventId)
    if (kind !== 'order_not_fetched') return false
    return !ofShop.some((p) => p.kind === 'notification' && p.orderId === detail.orderId && p.lastError !== doubted)
  }
  return end(openRows(tables).filter(isOver), nowMs)
}

export function openRows(tables: Tables): ExceptionRow[] {
  return tables.exceptions.filter((row) => row.resolvedAtMs === null)
}

export function end(rows: readonly ExceptionRow[], nowMs: number): number {
  for (const row of rows) row.resolvedAtMs = nowMs
  return rows.length
}

function openOf(tables: Tables, kind: string, ref: string): ExceptionRow | undefined {
  return tables.exceptions.find((row) => row.resolvedAtMs === null && row.kind === kind && row.ref === ref)
}
