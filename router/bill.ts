/** One line of a settlement bill of any platform or bank. The store finds what the line joins to. */
import type { ChannelName } from './types.ts'

export const billKinds = ['payment', 'refund', 'fee'] as const
export type BillKind = (typeof billKinds)[number]

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
}
