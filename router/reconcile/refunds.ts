/**
 * What the platform says is refunded. It says so in up to three ways, and each fen counts once:
 * a refund of its own with an amount; else the line's word; else the close of the whole order after its payment.
 */
import type { OrderSnapshot, RefundSnapshot, SnapshotLine } from '../types.ts'

/** What the buyer's side has paid by now, as the platform tells it. */
export function expectedPaidFen(snapshot: OrderSnapshot): number {
  const { platformState, paidAt, presale, paidFen } = snapshot
  if (presale !== null && presale.step !== 'balance_paid') {
    return presale.step === 'deposit_unpaid' ? 0 : presale.depositFen
  }
  return paidAt !== null || (platformState !== 'unpaid' && platformState !== 'closed') ? paidFen : 0
}

/** Paid once and closed by the platform: all of it goes back. A forfeited deposit does not. */
export function isClosedAfterPayment(snapshot: OrderSnapshot): boolean {
  return snapshot.platformState === 'closed' && expectedPaidFen(snapshot) > 0 && snapshot.presale?.step !== 'forfeited'
}

export function refunded(refunds: readonly RefundSnapshot[]): RefundSnapshot[] {
  return refunds.filter((refund) => refund.status === 'refunded')
}

/** Some refund, known by amount, by the line's word or by the order's close, has to do with this line. */
export function hasRefund(snapshot: OrderSnapshot, refunds: readonly RefundSnapshot[], line: SnapshotLine): boolean {
  return (
    isClosedAfterPayment(snapshot) ||
    line.refund === 'refunded' ||
    refunded(refunds).some((refund) => refund.lineId === null || refund.lineId === line.lineId)
  )
}

/** All that was paid for the line goes back: the buyer is not to have the goods. */
export function isFullyRefunded(
  snapshot: OrderSnapshot,
  refunds: readonly RefundSnapshot[],
  line: SnapshotLine,
): boolean {
  if (isClosedAfterPayment(snapshot)) return true
  const done = refunded(refunds)
  const whole = done.filter((refund) => refund.lineId === null)
  if (whole.length > 0 && sumFen(whole) >= snapshot.paidFen) return true
  const own = done.filter((refund) => refund.lineId === line.lineId)
  return own.length > 0 ? line.paidFen > 0 && sumFen(own) >= line.paidFen : line.refund === 'refunded'
}

export function expectedRefundFen(snapshot: OrderSnapshot, refunds: readonly RefundSnapshot[]): number {
  const paidFen = expectedPaidFen(snapshot)
  if (paidFen === 0) return 0
  const done = refunded(refunds)
  const closed = isClosedAfterPayment(snapshot)
  if (closed && done.length === 0) return paidFen
  let expectedFen = sumFen(done)
  // A refund of the whole order speaks for every line; without one, each line speaks for itself.
  if (done.some((refund) => refund.lineId === null)) return expectedFen
  for (const line of snapshot.lines) {
    const isTold = done.some((refund) => refund.lineId === line.lineId)
    if (!isTold && (closed || line.refund === 'refunded')) expectedFen += line.paidFen
  }
  return expectedFen
}

export function sumFen(refunds: readonly RefundSnapshot[]): number {
  return refunds.reduce((sum, refund) => sum + refund.refundFen, 0)
}
