/** What the three-way match reads, and what it says. */
import type { BillRow } from '../bill.ts'
import type { Return } from '../returns/types.ts'
import type { Package, TaskLine, TaskState } from '../task.ts'
import type { Track } from '../track.ts'
import type { Order, OrderState } from '../types.ts'

/** Orders that have something to close, whether or not a bill is there. */
export const closableStates: readonly OrderState[] = ['partly_shipped', 'shipped', 'cancelled', 'closed']

export interface ShippedTask {
  readonly taskId: string
  readonly state: TaskState
  readonly lines: readonly TaskLine[]
  readonly packages: readonly Package[]
  /** Parcels that were told by mistake, as was said then. Absent: none. */
  readonly voided?: readonly Package[]
}

export interface ReconcileInput {
  readonly order: Order
  /** All tasks of the order, also the cancelled ones. */
  readonly tasks: readonly ShippedTask[]
  /** Whatever is known under the waybills of the packages; other parcels' tracks do no harm. */
  readonly tracks: readonly Track[]
  /** The order's bill rows, each once. */
  readonly bills: readonly BillRow[]
  /** All returns of the order. Absent: none. */
  readonly returns?: readonly Return[]
  /** Money that a person wrote off. Absent: none. */
  readonly writeOffs?: readonly WriteOff[]
  /** Differences that a person settled, and that stay settled while they are what they were. Absent: none. */
  readonly accepted?: readonly AcceptedFact[]
}

export const writeOffSides = ['payment', 'refund', 'bill', 'goods'] as const
export type WriteOffSide = (typeof writeOffSides)[number]

export interface WriteOff {
  readonly side: WriteOffSide
  /** What the shop loses; negative: what it gains. */
  readonly amountFen: number
}

/** What a person settled: the difference as it was then. */
export interface AcceptedFact {
  readonly kind: string
  readonly of: string
  readonly detail: Readonly<Record<string, unknown>>
}

export const orderExceptionKinds = [
  'order_unknown',
  'units_held',
  'units_backordered',
  'task_open',
  'task_missing',
  'short_shipped',
  'shipped_but_cancelled',
  'shipped_but_unpaid',
  'shipped_but_refunded',
  'cancelled_but_not_refunded',
  'platform_ahead',
  'return_overdue',
  'return_units_missing',
] as const
export const fundsExceptionKinds = [
  'payment_missing',
  'payment_short',
  'payment_over',
  'refund_missing',
  'refund_short',
  'refund_over',
  'refund_unexpected',
] as const
export const logisticsExceptionKinds = [
  'units_without_parcel',
  'parcel_over',
  'parcel_not_moving',
  'parcel_in_transit',
  'parcel_problem',
  'parcel_returned',
  'parcel_rejected',
  'voided_parcel_moved',
] as const
export const reconcileExceptionKinds = [
  ...orderExceptionKinds,
  ...fundsExceptionKinds,
  ...logisticsExceptionKinds,
] as const
export type ReconcileExceptionKind = (typeof reconcileExceptionKinds)[number]

export interface ReconcileException {
  readonly kind: ReconcileExceptionKind
  /** What of the order it is about: a waybill, a task or a SKU; empty for the whole order. (kind, of) is unique. */
  readonly of: string
  /** Since when, by the data: its age is now − since. */
  readonly since: number
  readonly detail: Readonly<Record<string, string | number>>
}

export interface OrderFlow {
  readonly expectedUnits: number
  readonly shippedUnits: number
  readonly cancelledUnits: number
  readonly returnedUnits: number
  readonly agrees: boolean
}

export interface FundsFlow {
  readonly expectedFen: number
  readonly receivedFen: number
  readonly refundExpectedFen: number
  readonly refundedFen: number
  readonly feeFen: number
  /** What the shop lost by write-offs of its payments and refunds. Absent: 0. */
  readonly writtenOffFen?: number
  readonly agrees: boolean
}

export interface LogisticsFlow {
  readonly expectedUnits: number
  readonly expectedParcels: number
  readonly deliveredUnits: number
  readonly deliveredParcels: number
  readonly returnedParcels: number
  readonly agrees: boolean
}

export interface Reconciliation {
  readonly order: OrderFlow
  readonly funds: FundsFlow
  readonly logistics: LogisticsFlow
  readonly state: 'open' | 'closed'
  /** Sorted by kind, then by what they are about. */
  readonly exceptions: readonly ReconcileException[]
  /** Differences that are still there and that a person settled: they keep nothing open. Absent: none. */
  readonly accepted?: readonly ReconcileException[]
}
