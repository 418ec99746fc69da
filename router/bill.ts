/** One line of a settlement bill of any platform or bank. The store finds what the line joins to. */
import type { ChannelName } from './types.ts'

export const billKinds = ['payment', 'refund', 'fee'] as const
export type BillKind = (typeof billKinds)[number]

/** How far a refund is, by its provider: on its way, not made after all, or made. */
export const billProgresses = ['pending', 'failed', 'done'] as const
export type BillProgress = (typeof billProgresses)[number]

export interface BillRow {
  /** Unique within its source and account, and the same whenever the same line is delivered again. */
  readonly ref: string
  readonly kind: BillKind
  /** The order, by the platform's own names: all three, or none of them. */
  readonly channel: ChannelName | null
  readonly shop: string | null
  readonly orderId: string | null
  /** The payment's id at the payment provider: the other way to find the order. */
  readonly transactionId: string | null
  /** Never negative: the kind says which way the money went. */
  readonly amountFen: number
  /** What the provider kept of it; negative when a fee is given back. */
  readonly feeFen: number
  readonly occurredAt: number
  /** Absent: the bill does not say, and the money has moved. */
  readonly progress?: BillProgress
}

/** Whether the row's amount and fee went from one to the other. */
export function hasMoved({ progress }: Pick<BillRow, 'progress'>): boolean {
  return progress === undefined || progress === 'done'
}

/** What a stored row and one with its ref have to do with each other. */
export type Told = Pick<BillRow, 'kind' | 'amountFen' | 'occurredAt' | 'progress'>
export type SameRef = 'same' | 'replaces' | 'older' | 'conflict'

/**
 * A bill of a later day may name the same refund again, with what became of it. A word that is final stands before
 * `pending`, then the later, then `done`, in whichever order the bills arrive. Two rows that say the same of how far
 * the money is, and differ, contradict each other. A stored row without a word is of a version that kept none: it may
 * have been pending, so what is told of the same amount counts. `isSameContent`: in all but how far the money is.
 */
export function compareSameRef(stored: Told, given: Told, isSameContent: boolean): SameRef {
  if (isSameContent && (stored.progress === given.progress || given.progress === undefined)) return 'same'
  if (stored.progress === undefined && given.progress !== undefined) {
    const isSameMoney = stored.kind === given.kind && stored.amountFen === given.amountFen
    if (given.progress === 'pending') return isSameMoney ? 'older' : 'conflict'
    return isSameMoney || given.progress === 'failed' ? 'replaces' : 'conflict'
  }
  if (stored.progress === given.progress || given.progress === undefined) return 'conflict'
  return isLaterWord(stored, given) ? 'replaces' : 'older'
}

function isLaterWord(stored: Told, given: Told): boolean {
  const rankOf = ({ progress }: Told): number => (progress === 'pending' ? 0 : 1)
  const order =
    rankOf(given) - rankOf(stored) ||
    given.occurredAt - stored.occurredAt ||
    billProgresses.indexOf(given.progress!) - billProgresses.indexOf(stored.progress!)
  return order > 0
}
