/** An event of the inbox, and the day under which it is kept. */
import { hash } from 'node:crypto'

export interface InboxEvent {
  readonly channel: string
  readonly shop: string
  readonly eventId: string
  readonly orderId: string
  /** order, refund, notification, command, unintelligible. */
  readonly kind: string
  /** Epoch milliseconds by the platform's clock, 0 when it does not say. */
  readonly occurredAt: number
  readonly body: Uint8Array
  /** sha256 of the body, lower-case hex. */
  readonly bodyHash: string
  /** Pending events that this one answers: they are done when it is stored (a fetched order answers its notifications). */
  readonly answers?: readonly string[]
}

/** With the digest of its body. */
export function hashed(event: Omit<InboxEvent, 'bodyHash'>): InboxEvent {
  return { ...event, bodyHash: hash('sha256', event.body) }
}

/** new: stored by this call, `seq` is its number; duplicate: known with this body; conflict: known with another body, kept and raised. */
export type Stored = { readonly outcome: 'new'; readonly seq: string } | { readonly outcome: 'duplicate' | 'conflict' }

export const dayMs = 86_400_000
const chinaOffsetMs = 8 * 3_600_000

/** The event's own day in China, where every platform's clock is: `yyyy-mm-dd`. */
export function dayOf(occurredAt: number): string {
  // Years that a date column cannot hold, or that no platform means, share one day.
  const sane = occurredAt > 0 && occurredAt < 4_102_444_800_000 ? occurredAt + chinaOffsetMs : 0
  return new Date(Math.floor(sane / dayMs) * dayMs).toISOString().slice(0, 10)
}
