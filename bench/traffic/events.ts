/**
 * What happens to an order, and what the platform shows after it.
 *
 *   created ─▶ (deposit_paid) ─▶ paid ─▶ memo_changed, address_changed ─▶ shipped ─▶ completed
 *      └▶ expired                  └▶ refund_requested ─▶ refund_success
 *                                  └▶ closed
 *
 * Instants are fixed distances from the order's creation, so a second delivery of an event has the same body.
 */
import type { GeneratedOrder, GeneratedReceiver } from './order.ts'
import type { Scenario } from './plan.ts'

export const eventNames = [
  'created',
  'deposit_paid',
  'paid',
  'memo_changed',
  'address_changed',
  'refund_requested',
  'refund_success',
  'closed',
  'expired',
  'shipped',
  'completed',
] as const
export type EventName = (typeof eventNames)[number]

/** Milliseconds after creation; whole seconds, ascending as in `eventNames`. */
const afterMs: Readonly<Record<EventName, number>> = {
  created: 0,
  deposit_paid: 3_000,
  paid: 4_000,
  memo_changed: 6_000,
  address_changed: 8_000,
  refund_requested: 10_000,
  refund_success: 14_000,
  closed: 15_000,
  expired: 1_800_000,
  shipped: 7_200_000,
  completed: 172_800_000,
}

/** The events by which each scenario is told, in the platform's order; a consumer must bear any other order. */
export const stories: Readonly<Record<Scenario, readonly EventName[]>> = {
  plain: ['paid'],
  announced: ['created', 'paid'],
  expired: ['created', 'expired'],
  presale: ['created', 'deposit_paid', 'paid'],
  human_note: ['paid'],
  unknown_sku: ['paid'],
  address_review: ['paid', 'address_changed'],
  refund: ['paid', 'refund_requested', 'refund_success'],
  cancel: ['paid', 'closed'],
  duplicate: ['paid', 'paid'],
  address_change: ['paid', 'address_changed'],
  memo_change: ['paid', 'memo_changed'],
}

export type Step = 'unpaid' | 'deposit' | 'paid' | 'closed' | 'expired' | 'shipped' | 'completed'

/** What the platform shows of an order once an event has happened. */
export interface View {
  readonly event: EventName
  readonly step: Step
  readonly modifiedAt: number
  /** null before payment. */
  readonly paidAt: number | null
  /** Of the line that the refund is about, or of the order where the platform knows no lines. */
  readonly refund: 'none' | 'requested' | 'refunded'
  readonly receiver: GeneratedReceiver
  readonly addressUnderReview: boolean
  readonly sellerMemo: string
  readonly sellerFlag: number
}

const stepAfter: Readonly<Partial<Record<EventName, Step>>> = {
  created: 'unpaid',
  deposit_paid: 'deposit',
  paid: 'paid',
  closed: 'closed',
  expired: 'expired',
  shipped: 'shipped',
  completed: 'completed',
}

/** As the platform shows it after `event`, and after all of the order's own story that lies before it. */
export function viewAt(order: GeneratedOrder, event: EventName): View {
  const moment = afterMs[event]
  const story = stories[order.scenario]
  // Whatever the event, a step before it is implied: a changed memo is a paid order's.
  let step: Step = moment >= afterMs.paid ? 'paid' : 'unpaid'
  let latest = -1
  let wasPaid = event !== 'created' && event !== 'deposit_paid' && event !== 'expired'
  let refund: View['refund'] = 'none'
  let moved = false
  let noted = false
  const happened = (name: EventName) => {
    const stepped = stepAfter[name]
    if (stepped !== undefined && afterMs[name] > latest) {
      step = stepped
      latest = afterMs[name]
    }
    if (name === 'paid') wasPaid = true
    if (name === 'refund_requested' && refund === 'none') refund = 'requested'
    if (name === 'refund_success') refund = 'refunded'
    if (name === 'address_changed') moved = true
    if (name === 'memo_changed') noted = true
  }
  for (const name of story) if (afterMs[name] < moment) happened(name)
  happened(event)
  return {
    event,
    step,
    modifiedAt: order.createdAt + moment,
    paidAt: wasPaid ? order.createdAt + afterMs.paid : null,
    refund,
    receiver: moved ? order.otherReceiver : order.receiver,
    addressUnderReview: order.scenario === 'address_review' && step === 'paid' && !moved,
    sellerMemo: noted ? '加急,今天必须发出' : order.sellerMemo,
    sellerFlag: noted ? 1 : 0,
  }
}

/** The line that a refund before shipping is about. */
export const refundedLine = 0
