/**
 * The funds flow: what the platform says was paid and refunded, against what the bills say and what a person wrote off.
 * Tolerance: none, to the fen. A row of a bill counts when its money has moved.
 */
import { type BillKind, type BillRow, hasMoved } from '../bill.ts'
import { expectedPaidFen, expectedRefund, refunded } from './refunds.ts'
import { owedSince, withReturns } from './returns.ts'
import type { FundsFlow, ReconcileException, ReconcileExceptionKind, ReconcileInput } from './types.ts'

export function matchFunds(input: ReconcileInput, exceptions: ReconcileException[]): FundsFlow {
  const { order } = input
  const bills = input.bills.filter(hasMoved)
  const { snapshot, refunds } = order
  const payments = ofKind(bills, 'payment')
  const repayments = ofKind(bills, 'refund')
  const receivedFen = sumAmounts(payments)
  const refundedFen = sumAmounts(repayments)
  const writtenOff = writtenOffOf(input)
  const feeFen = bills.reduce((sum, row) => sum + row.feeFen, sumAmounts(ofKind(bills, 'fee')))
  const expectedFen = snapshot === null ? 0 : expectedPaidFen(snapshot)
  // What a person wrote off stands for money that will not move any more.
  const paidFen = receivedFen + writtenOff.paymentFen
  const repaidFen = refundedFen - writtenOff.refundFen
  const { leastFen, mostFen } = withReturns(
    snapshot === null ? { leastFen: 0, mostFen: 0 } : expectedRefund(snapshot, refunds),
    input.returns,
  )
  const refundExpectedFen = Math.min(Math.max(repaidFen, leastFen), mostFen)
  const flow = { expectedFen, receivedFen, refundExpectedFen, refundedFen, feeFen, ...shownWriteOffs(writtenOff) }
  // Nothing can be expected of an order that is not known; it is open by that alone.
  if (snapshot === null) return { ...flow, agrees: false }

  const paidKind = paidKindOf(input, payments, paidFen, expectedFen)
  if (paidKind !== null) {
    const isToCome = paidKind === 'payment_missing' || payments.length === 0
    const since = isToCome ? (snapshot.paidAt ?? snapshot.createdAt) : lastOf(payments)
    const detail = { expectedFen, receivedFen, ...shownWriteOff(writtenOff.paymentFen) }
    exceptions.push({ kind: paidKind, of: '', since, detail })
  }

  const told = refunded(refunds).map((refund) => refund.modifiedAt)
  const refundKind = refundKindOf(repayments.length, told.length, repaidFen, refundExpectedFen)
  if (refundKind !== null) {
    const toldAt = told.length === 0 ? (owedSince(input.returns) ?? snapshot.modifiedAt) : Math.min(...told)
    // Of several refunds the last is the one to wait for.
    const lastToldAt = repayments.length === 0 ? toldAt : Math.max(toldAt, ...told)
    const since = refundKind === 'refund_missing' || repayments.length === 0 ? lastToldAt : lastOf(repayments)
    const detail = { refundExpectedFen, refundedFen, ...shownWriteOff(writtenOff.refundFen) }
    exceptions.push({ kind: refundKind, of: '', since, detail })
  }
  return { ...flow, agrees: paidKind === null && refundKind === null }
}

/** Missing: no row has come, or of a presale only the deposit's has. A row that is there and too small is short. */
function paidKindOf(
  { order: { snapshot } }: ReconcileInput,
  payments: readonly BillRow[],
  paidFen: number,
  expectedFen: number,
): ReconcileExceptionKind | null {
  if (paidFen === expectedFen) return null
  if (paidFen > expectedFen) return 'payment_over'
  const presale = snapshot?.presale
  const isDepositOnly = presale?.step === 'balance_paid' && paidFen === presale.depositFen
  return payments.length === 0 || isDepositOnly ? 'payment_missing' : 'payment_short'
}

/** Missing: fewer rows have come than refunds were told. As many rows with too little money are short. */
function refundKindOf(
  rows: number,
  told: number,
  repaidFen: number,
  expectedFen: number,
): ReconcileExceptionKind | null {
  if (repaidFen === expectedFen) return null
  if (repaidFen < expectedFen) return rows < Math.max(told, 1) ? 'refund_missing' : 'refund_short'
  return expectedFen === 0 ? 'refund_unexpected' : 'refund_over'
}

/** By side, as losses of the shop: see ./write-off.ts. */
function writtenOffOf({ writeOffs = [] }: ReconcileInput): { readonly paymentFen: number; readonly refundFen: number } {
  const sumOf = (side: 'payment' | 'refund') =>
    writeOffs.reduce((sum, row) => sum + (row.side === side ? row.amountFen : 0), 0)
  return { paymentFen: sumOf('payment'), refundFen: sumOf('refund') }
}

function shownWriteOff(writtenOffFen: number) {
  return writtenOffFen === 0 ? {} : { writtenOffFen }
}

/** Nearly every order has none, and its row does not say so. */
function shownWriteOffs({ paymentFen, refundFen }: ReturnType<typeof writtenOffOf>) {
  return shownWriteOff(paymentFen + refundFen)
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
