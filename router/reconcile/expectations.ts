/**
 * What is still to come is no exception before its time: a payment in a bill, a refund in a bill, a parcel at the buyer.
 * The match (../reconcile.ts) says what has not come, whatever the time is; here the time comes to it.
 */
import type { ReconcileException, ReconcileExceptionKind, Reconciliation } from './types.ts'

/** How long after its beginning each may take. */
export interface ExpectationPolicy {
  /** From the payment to its row in a bill. */
  readonly paymentMs: number
  /** From the platform's word on a refund to its row in a bill. */
  readonly refundMs: number
  /** From the shipment to the carrier's first word. */
  readonly movingMs: number
  /** From the shipment to the delivery. */
  readonly deliveryMs: number
  /** From the word on a return to the receipt of its last unit. */
  readonly returnMs: number
}

const limits: Readonly<Partial<Record<ReconcileExceptionKind, keyof ExpectationPolicy>>> = {
  payment_missing: 'paymentMs',
  refund_missing: 'refundMs',
  parcel_not_moving: 'movingMs',
  parcel_in_transit: 'deliveryMs',
  return_overdue: 'returnMs',
}

const names: Readonly<Record<keyof ExpectationPolicy, 'payment' | 'refund' | 'parcel_moving' | 'delivery' | 'return'>> =
  {
    paymentMs: 'payment',
    refundMs: 'refund',
    movingMs: 'parcel_moving',
    deliveryMs: 'delivery',
    returnMs: 'return',
  }

export const expectedNames = Object.values(names)

/** What is expected, of the kind that it has when it is missing. */
export function expectedName(kind: ReconcileExceptionKind): (typeof expectedNames)[number] {
  const limit = limits[kind]
  if (limit === undefined) throw new RangeError(`${kind} is nothing that is expected`)
  return names[limit]
}

/** What has not come yet, and may still come in time. */
export interface Expectation extends ReconcileException {
  /** Epoch milliseconds: from then on it is missing. */
  readonly due: number
}

export interface TimedReconciliation extends Reconciliation {
  /** What is wrong, and what is missing: that since it was due. */
  readonly exceptions: readonly ReconcileException[]
  /** They keep the order open as well. Absent: none. */
  readonly expected?: readonly Expectation[]
}

/** `nowMs`: the clock by which the store finds what is due. */
export function atTime(match: Reconciliation, nowMs: number, policy: ExpectationPolicy): TimedReconciliation {
  const exceptions: ReconcileException[] = []
  const expected: Expectation[] = []
  for (const found of match.exceptions) {
    const limit = limits[found.kind]
    const due = limit === undefined ? null : found.since + policy[limit]
    if (due === null) exceptions.push(found)
    else if (due <= nowMs) exceptions.push({ ...found, since: due })
    else expected.push({ ...found, due })
  }
  return { ...match, exceptions, ...(expected.length === 0 ? {} : { expected }) }
}

/** When the first of what is expected will be missing: the order has to be matched again then. null: never. */
export function nextDue({ expected = [] }: TimedReconciliation): number | null {
  return expected.length === 0 ? null : Math.min(...expected.map(({ due }) => due))
}
