/** What a person books when he writes a difference off (核销差异). One sign for all: what the shop loses by it. */
import type { WriteOff } from './types.ts'

/**
 * Of an exception as it is stored: its kind and its detail. A difference of goods has no price that the match knows: it
 * is booked with 0 fen, by its name.
 */
export function writeOffOf(kind: string, detail: Readonly<Record<string, unknown>>): WriteOff {
  const fen = (name: string): number => {
    const value = detail[name]
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0
  }
  if (kind.startsWith('payment_')) {
    return { side: 'payment', amountFen: fen('expectedFen') - fen('receivedFen') - fen('writtenOffFen') }
  }
  if (kind.startsWith('refund_')) {
    return { side: 'refund', amountFen: fen('refundedFen') - fen('refundExpectedFen') - fen('writtenOffFen') }
  }
  // Money that came for no order is a gain; what went out for none is a loss.
  if (kind === 'bill_without_order') {
    return { side: 'bill', amountFen: detail.bill === 'payment' ? 0 - fen('amountFen') : fen('amountFen') }
  }
  return { side: kind.startsWith('bill_') ? 'bill' : 'goods', amountFen: 0 }
}
