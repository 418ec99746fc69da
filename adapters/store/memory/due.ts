/** Which orders have to be reconciled again: see ../settle/due.ts, whose meaning this has. */
import { closableStates } from '../../../router/reconcile/types.ts'
import { compareIds, type Stretch } from '../settle/due.ts'
import type { ReconciliationRow, Tables } from './tables.ts'

const due = Number.NEGATIVE_INFINITY

export function isDue({ updatedAtMs }: ReconciliationRow): boolean {
  return updatedAtMs === due
}

/** Marks orders, and enters those that are new here. */
export function markDue(tables: Tables, orderIds: readonly string[]): void {
  for (const id of orderIds) {
    const row = tables.reconciliations.get(id)
    if (row === undefined)
      tables.reconciliations.set(id, { state: 'open', detail: '{}', updatedAtMs: due, dueAtMs: null })
    else row.updatedAtMs = due
  }
}

export function dueOrders(tables: Tables, afterOrderId: string, limit: number, nowMs: number): string[] {
  const behind = [...tables.reconciliations].filter(([id]) => compareIds(id, afterOrderId) > 0)
  const marked = behind.flatMap(([id, row]) => (isDue(row) ? [id] : [])).sort(compareIds)
  const overdue = behind.flatMap(([id, { dueAtMs }]) => (dueAtMs !== null && dueAtMs <= nowMs ? [{ id, dueAtMs }] : []))
  overdue.sort((a, b) => a.dueAtMs - b.dueAtMs || compareIds(a.id, b.id))
  const due = new Set([...marked.slice(0, limit), ...overdue.slice(0, limit).map(({ id }) => id)])
  return [...due].sort(compareIds).slice(0, limit)
}

export function unreconciledOrders(tables: Tables, afterOrderId: string, look: number): Stretch {
  const behind = [...tables.orders.keys()].filter((id) => compareIds(id, afterOrderId) > 0)
  const looked = behind.sort(compareIds).slice(0, look)
  const unreconciled = looked.filter((id) => {
    const { state, version } = tables.orders.get(id)!
    return closableStates.includes(state) && versionIn(tables.reconciliations.get(id)) !== version
  })
  return { unreconciled, lastOrderId: looked.length < look ? null : (looked.at(-1) ?? null) }
}

/** The order's version that was looked at last. */
function versionIn(row: ReconciliationRow | undefined): number | null {
  if (row === undefined) return null
  return (JSON.parse(row.detail) as { readonly version?: number }).version ?? null
}
