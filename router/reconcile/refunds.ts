/**
 * What the platform says is refunded. It says so in up to three ways, and each fen counts once:
 * a refund of its own with an amount; else the line's word; else the close of the whole order after its payment.
 */
import { toldUnits } from '../line-units.ts'
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
    (line.refundUnits?.refunded ?? 0) > 0 ||
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

/**
 * `repaidFen`: what the bills say was given back. A platform that counts units tells no amount: the price of some units
 * of a line may be rounded either way, so of the two amounts that are right the one that was given back is expected.
 */
export function expectedRefundFen(
  snapshot: OrderSnapshot,
  refunds: readonly RefundSnapshot[],
  repaidFen: number,
): number {
  const paidFen = expectedPaidFen(snapshot)
  if (paidFen === 0) return 0
  const done = refunded(refunds)
  const closed = isClosedAfterPayment(snapshot)
  if (closed && done.length === 0) return paidFen
  let expectedFen = sumFen(done)
  let roundingFen = 0
  // A refund of the whole order speaks for every line; without one, each line speaks for itself.
  if (done.some((refund) => refund.lineId === null)) return expectedFen
  for (const line of snapshot.lines) {
    if (done.some((refund) => refund.lineId === line.lineId)) continue
    if (closed || line.refund === 'refunded') expectedFen += line.paidFen
    else if (line.refundUnits !== undefined) {
      const exactFen = (line.paidFen * line.refundUnits.refunded) / toldUnits(line)
      expectedFen += Math.floor(exactFen)
      roundingFen += Math.ceil(exactFen) - Math.floor(exactFen)
    }
  }
  return expectedFen + Math.min(roundingFen, Math.max(0, repaidFen - expectedFen))
}

export function sumFen(refunds: readonly RefundSnapshot[]): number {
  return refunds.reduce((sum, refund) => sum + refund.refundFen, 0)
}
