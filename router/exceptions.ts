/**
 * What wants a person's eye, by kind: how grave it is, and until when it is to be settled. Every kind ends: by the fact
 * that ends it, or by what a person says of it.
 */
import { reconcileExceptionKinds } from './reconcile/types.ts'

/**
 * high: goods or money are being lost, or buyers wait, until somebody acts; normal: books that do not agree; low: to be
 * known.
 */
export const severities = ['high', 'normal', 'low'] as const
export type Severity = (typeof severities)[number]

/** What a person says of one. written_off: the difference stays, and is booked; false_alarm: there is none. */
export const settledAs = ['written_off', 'done', 'false_alarm'] as const
export type SettledAs = (typeof settledAs)[number]

export interface ExceptionPolicy {
  /** How long after its beginning an exception is to be settled. */
  readonly dueMs: Readonly<Record<Severity, number>>
}

/** Kinds beside those of the three-way match. */
export const otherExceptionKinds = [
  ...['address_changed_after_pull', 'bill_conflict', 'bill_row_set_aside', 'bill_without_order'],
  ...['credentials_unreadable', 'event_conflict', 'event_from_the_future', 'lines_changed_after_pull', 'not_durable'],
  ...['order_not_fetched', 'shortage', 'stock_drift', 'tracking_stopped', 'undecidable_event', 'unintelligible_event'],
] as const

export const exceptionKinds: readonly string[] = [...reconcileExceptionKinds, ...otherExceptionKinds]

const high: ReadonlySet<string> = new Set([
  ...['address_changed_after_pull', 'cancelled_but_not_refunded', 'credentials_unreadable', 'lines_changed_after_pull'],
  ...['not_durable', 'order_not_fetched', 'parcel_problem', 'parcel_rejected', 'platform_ahead', 'refund_missing'],
  ...['shipped_but_cancelled', 'shipped_but_refunded', 'shipped_but_unpaid', 'shortage', 'stock_drift'],
  ...['undecidable_event', 'unintelligible_event', 'voided_parcel_moved'],
])
// A task, a hold or a backorder is shown where people work on it; here it only says why the order is open.
const low: ReadonlySet<string> = new Set([
  ...['event_from_the_future', 'parcel_in_transit', 'task_open', 'tracking_stopped', 'units_backordered', 'units_held'],
])

export function severityOf(kind: string): Severity {
  return high.has(kind) ? 'high' : low.has(kind) ? 'low' : 'normal'
}

/** Epoch milliseconds. */
export function dueOf(kind: string, since: number, { dueMs }: ExceptionPolicy): number {
  return since + dueMs[severityOf(kind)]
}

/** About an order, raised by a decision, and over when the order's three flows agree. */
export const endedByAgreement: readonly string[] = [
  ...['address_changed_after_pull', 'event_from_the_future', 'lines_changed_after_pull'],
]

/** Figures of a detail that change while the fact stays: how often it was tried, and examples of it. */
export const passingFigures: readonly string[] = ['attempts', 'epoch', 'figures', 'mended']

/** Whether two details of one kind and one thing tell of the same fact. A fact that got worse is another one. */
export function isSameFact(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  return factOf(a) === factOf(b)
}

function factOf(detail: Readonly<Record<string, unknown>>): string {
  return canonical(Object.fromEntries(Object.entries(detail).filter(([name]) => !passingFigures.includes(name))))
}

/** JSON with the names of objects in order: two of one content have one text. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join()}}`
}
