/** What the bills of the story say: everything that moved, but for one payment that is missing and one that is short. */
import type { BillLine } from '../traffic/bills.ts'
import type { StoryOrder } from './story-order.ts'

const shortByFen = 100

export function billLinesOf(
  orders: readonly StoryOrder[],
  faultOf: (order: StoryOrder) => string | undefined,
): BillLine[] {
  return orders.flatMap((order) => {
    const fault = faultOf(order)
    if (fault === 'payment') return []
    return order.moves.map((move) => ({
      order,
      move: fault === 'payment_short' ? { ...move, amountFen: move.amountFen - shortByFen } : move,
    }))
  })
}
