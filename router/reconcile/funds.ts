/** The funds flow: what the platform says was paid and refunded, against what the bills say. Tolerance: none, to the fen. */
import type { BillKind, BillRow } from '../bill.ts'
import { expectedPaidFen, expectedRefundFen, refunded } from './refunds.ts'
import type { FundsFlow, ReconcileException, ReconcileExceptionKind, ReconcileInput } from './types.ts'

export function matchFunds(input: ReconcileInput, exceptions: ReconcileException[]): FundsFlow {
  const { order, bills } = input
  const { snapshot, refunds } = order
  const payments = ofKind(bills, 'payment')
  const repayments = ofKind(bills, 'refund')
  const receivedFen = sumAmounts(payments)
  const refundedFen = sumAmounts(repayments)
  const feeFen = bills.reduce((sum, row) => sum + row.feeFen, sumAmounts(ofKind(bills, 'fee')))
  const expectedFen = snapshot === null ? 0 : expectedPaidFen(snapshot)
  const refundExpectedFen = snapshot === null ? 0 : expectedRefundFen(snapshot, refunds, refundedFen)
  const flow = { expectedFen, receivedFen, refundExpectedFen, refundedFen, feeFen }
  // Nothing can be expected of an order that is not known; it is open by that alone.
  if (snapshot === null) return { ...flow, agrees: false }

  const paidKind: ReconcileExceptionKind | null =
    receivedFen === expectedFen
      ? null
      : payments.length === 0
        ? 'payment_missing'
        : receivedFen < expectedFen
          ? 'payment_short'
          : 'payment_over'
  if (paidKind !== null) {
    const since = payments.length === 0 ? (snapshot.paidAt ?? snapshot.createdAt) : lastOf(payments)
    exceptions.push({ kind: paidKind, of: '', since, detail: { expectedFen, receivedFen } })
  }

  const refundKind: ReconcileExceptionKind | null =
    refundedFen === refundExpectedFen
      ? null
      : repayments.length === 0
        ? 'refund_missing'
        : refundExpectedFen === 0
          ? 'refund_unexpected'
          : refundedFen < refundExpectedFen
            ? 'refund_short'
            : 'refund_over'
  if (refundKind !== null) {
    const told = refunded(refunds).map((refund) => refund.modifiedAt)
    const toldAt = told.length === 0 ? snapshot.modifiedAt : Math.min(...told)
    const since = repayments.length === 0 ? toldAt : lastOf(repayments)
    exceptions.push({ kind: refundKind, of: '', since, detail: { refundExpectedFen, refundedFen } })
  }
  return { ...flow, agrees: paidKind === null && refundKind === null }
}

function ofKind(bills: readonly BillRow[], kind: BillKind): BillRow[] {
  return bills.filter((row) => row.kind === kind)
}

function sumAmounts(rows: readonly BillRow[]): number {
  return rows.reduce((sum, row) => sum + row.amountFen, 0)
}

function lastOf(rows: readonly BillRow[]): number {
  return rows.reduce((last, row) => Math.max(last, row.occurredAt), 0)
}
