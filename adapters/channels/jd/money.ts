/**
 * What each line of a JD order cost the buyer. The platform gives a line's list price, discounts on one SKU, discounts
 * on the whole order, and the seller's discount as a sum that may or may not be itemised among the former.
 */
import { shareByLargestRemainder } from '../../../router/money.ts'

export interface JdLine {
  readonly skuId: string
  readonly grossFen: number
}

export interface JdCoupon {
  /** null: on the whole order. */
  readonly skuId: string | null
  readonly amountFen: number
}

/**
 * Fen per line. They sum to `goodsFen` (paid without freight) whenever the platform's own numbers explain it; when they
 * do not, the lines hold what the discounts say, and the sum that is off is for the check to find.
 */
export function shareJdPayment(
  lines: readonly JdLine[],
  coupons: readonly JdCoupon[],
  sellerDiscountFen: number,
  goodsFen: number,
): readonly number[] {
  const netFen = lines.map((line) => line.grossFen)
  const bySku = new Map<string, number[]>()
  lines.forEach((line, index) => {
    const indexes = bySku.get(line.skuId)
    if (indexes === undefined) bySku.set(line.skuId, [index])
    else indexes.push(index)
  })
  let wholeFen = 0
  for (const coupon of coupons) {
    const indexes = coupon.skuId === null ? undefined : bySku.get(coupon.skuId)
    wholeFen += indexes === undefined ? coupon.amountFen : takeOff(netFen, indexes, coupon.amountFen)
  }
  const leftFen = netFen.reduce((sum, fen) => sum + fen, 0)
  const discountFen = leftFen - goodsFen
  const isExplained = discountFen === wholeFen || discountFen === wholeFen + sellerDiscountFen
  takeOff(netFen, [...netFen.keys()], isExplained ? discountFen : wholeFen)
  return netFen
}

/** Takes the amount off the lines by what is left of them, never below zero; returns what could not be taken. */
function takeOff(netFen: number[], indexes: readonly number[], amountFen: number): number {
  const weights = indexes.map((index) => netFen[index]!)
  const takenFen = Math.min(
    amountFen,
    weights.reduce((sum, fen) => sum + fen, 0),
  )
  if (takenFen <= 0) return amountFen
  // A share is at most its weight, since no more is taken than all weights together.
  shareByLargestRemainder(takenFen, weights).forEach((shareFen, rank) => {
    netFen[indexes[rank]!]! -= shareFen
  })
  return amountFen - takenFen
}
