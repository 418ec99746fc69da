/**
 * What the platform says is refunded. It says so in up to four ways, and each fen counts once: a refund of its own with
 * an amount; else the line's word; else the count of the line's units that are refunded; else the close of the whole
 * order after its payment.
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

/** Paid once and closed by the platform: all of it goes back. A deposit that the buyer gave up does not. */
export function isClosedAfterPayment(snapshot: OrderSnapshot): boolean {
  return snapshot.platformState === 'closed' && expectedPaidFen(snapshot) > 0 && !isDepositKept(snapshot)
}

/**
 * The buyer paid the deposit and not the balance, and the platform closed the order: the deposit stays with the shop.
 * Tmall says so by FRONT_PAID_FRONT_FORFEITED, or leaves the step at FRONT_PAID_FINAL_NOPAID. Then `refunded` on a line
 * says only that the line is closed; a deposit that goes back all the same has a refund of its own.
 */
export function isDepositKept({ platformState, presale }: OrderSnapshot): boolean {
  return presale?.step === 'forfeited' || (platformState === 'closed' && presale?.step === 'deposit_paid')
}

/** Units of which a platform that counts them says that they are refunded. */
function refundedUnits(line: SnapshotLine): number {
  return Math.min(line.refundUnits?.refunded ?? 0, toldUnits(line))
}

export function refunded(refunds: readonly RefundSnapshot[]): RefundSnapshot[] {
  return refunds.filter((refund) => refund.status === 'refunded')
}

/** Some refund, known by amount, by the line's word or by the order's close, has to do with this line. */
export function hasRefund(snapshot: OrderSnapshot, refunds: readonly RefundSnapshot[], line: SnapshotLine): boolean {
  return (
    isClosedAfterPayment(snapshot) ||
    line.refund === 'refunded' ||
    refundedUnits(line) > 0 ||
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

/** The least and the most that is right. They differ by the fen that units of a line cannot share equally. */
export interface RefundRange {
  readonly leastFen: number
  readonly mostFen: number
}

export function expectedRefund(snapshot: OrderSnapshot, refunds: readonly RefundSnapshot[]): RefundRange {
  const paidFen = expectedPaidFen(snapshot)
  if (paidFen === 0) return { leastFen: 0, mostFen: 0 }
  const done = refunded(refunds)
  const closed = isClosedAfterPayment(snapshot)
  if (closed && done.length === 0) return { leastFen: paidFen, mostFen: paidFen }
  let leastFen = sumFen(done)
  let mostFen = leastFen
  // A refund of the whole order speaks for every line; without one, each line speaks for itself.
  if (done.some((refund) => refund.lineId === null) || isDepositKept(snapshot)) return { leastFen, mostFen }
  for (const line of snapshot.lines) {
    if (done.some((refund) => refund.lineId === line.lineId)) continue
    const isWhole = closed || line.refund === 'refunded'
    const [least, most] = isWhole ? [line.paidFen, line.paidFen] : priceOfUnits(line, refundedUnits(line))
    leastFen += least
    mostFen += most
  }
  return { leastFen, mostFen }
}

/** What was paid for some units of a line: which of them carry the fen that do not divide is not told. */
function priceOfUnits(line: SnapshotLine, units: number): readonly [leastFen: number, mostFen: number] {
  if (units === 0) return [0, 0]
  const [paidFen, quantity] = [line.paidFen, toldUnits(line)]
  const rest = (paidFen % quantity) * units
  const wholeFen = Math.floor(paidFen / quantity) * units + Math.floor(rest / quantity)
  return [wholeFen, wholeFen + (rest % quantity === 0 ? 0 : 1)]
}

export function sumFen(refunds: readonly RefundSnapshot[]): number {
  return refunds.reduce((sum, refund) => sum + refund.refundFen, 0)
}
