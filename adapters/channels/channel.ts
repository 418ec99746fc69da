/**
 * What a platform looks like to the rest of Paidan.
 *
 * To add a channel: write one module that exports a `Channel`; add its name to `channelNames` (router/types.ts) and
 * the module to `channels` (./channels.ts); put its samples and vectors under ./fixtures and add one entry to the
 * table of ./conformance/cases.ts, which every channel has to pass. Where orders are fetched, add the client of its API to
 * `openers` (./order-apis.ts). Nothing else in the project knows a platform.
 *
 * A channel is pure: no I/O, no clock. `receive` runs on the socket's thread before the event is stored, so it does
 * only what the ACK needs: verify over the raw bytes and name the event. `normalise` runs in the thread pool, on the
 * stored payload, and may be run again years later with the same result.
 */
import type { ChannelName, Snapshot } from '../../router/types.ts'

export interface WebhookRequest {
  readonly method: 'GET' | 'POST'
  /** The raw query string without the question mark, still percent-encoded. */
  readonly query: string
  readonly contentType: string
  readonly body: Uint8Array
}

/** What the operator stores for a shop. The channel's `credentials` schema says which keys it needs. */
export type Credentials = Readonly<Record<string, string>>

export interface ShopSettings {
  readonly shop: string
  readonly skuMap: Readonly<Record<string, string>>
}

export type RefusalCode =
  | 'bad_signature'
  | 'stale_timestamp'
  | 'malformed'
  | 'unknown_shop'
  | 'not_supported'
  | 'body_too_large'
  /** Postgres is away or the backlog is at its limit: the platform shall try again. */
  | 'try_again'

export type Received =
  | ReceivedEvent
  /** The platform checks that the URL is ours: answer with this body, store nothing. */
  | { readonly outcome: 'echo'; readonly body: string }
  /** Verified, and not about an order (a subscription notice, a test push): acknowledged, nothing stored. */
  | { readonly outcome: 'ignored' }
  | { readonly outcome: 'refused'; readonly code: RefusalCode }

export interface ReceivedEvent {
  readonly outcome: 'event'
  /** The same for every delivery of one event, different for two different events of a shop. At most 200 bytes. */
  readonly eventId: string
  /** Empty when the payload cannot be understood: then kind is `unintelligible`. */
  readonly orderId: string
  /**
   * When it happened, by the platform's own clock, epoch milliseconds; 0 when it does not say. The same for every delivery: the inbox keeps the event on this day.
   */
  readonly occurredAt: number
  readonly kind: EventKind
  /** The verified, decrypted bytes that `normalise` reads; the same for every delivery of one event. */
  readonly payload: Uint8Array
  /** What was verified, hex as it came, where it came signed: another for every request that the platform signs anew. */
  readonly signature?: string
}

/** order, refund: the payload holds it whole. notification: the order has to be fetched. unintelligible: kept for a person. */
export type EventKind = 'order' | 'refund' | 'notification' | 'unintelligible'

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export interface Channel {
  readonly name: ChannelName
  /** Keys that a shop's credentials must hold, all non-empty strings. */
  readonly credentialKeys: readonly string[]
  /** The key that cannot be right, and what to do about it: `key: advice`. null: nothing is seen. Never quotes a secret. */
  flawOf?(credentials: Credentials): string | null
  /**
   * Throws nothing: whatever the bytes, the answer is one of `Received`. `toleranceMs` overrides how far the request's
   * timestamp may lie from `nowMs`, either way; never below the time in which the platform sends one request again.
   */
  receive(request: WebhookRequest, credentials: Credentials, nowMs: number, toleranceMs?: number): Received
  /** Throws `Unintelligible` when verified bytes do not hold what the platform documents. */
  normalise(kind: EventKind, payload: Uint8Array, settings: ShopSettings): Snapshot
  /** Where a push only says that something changed at an order: how its notifications and fetched orders are read. */
  readonly fetch?: FetchedOrders
  /** The platform's own words for "taken". */
  readonly acknowledgement: Answer
  /** The platform's own words for "not taken", so that it does the right thing: retries, or shows a person. */
  refusal(code: RefusalCode): Answer
}

/** What there is to know of orders that are fetched. The client that asks for them is in ./order-apis.ts: it does I/O. */
export interface FetchedOrders {
  /** When what the notification tells of happened, by the platform's clock; 0 when it does not say. */
  notifiedAt(payload: Uint8Array): number
  /** Names a fetched order for the inbox. `body`: the API's whole answer; `fetchNumber`: the number of the fetch. */
  eventOf(body: Uint8Array, fetchNumber: string): ReceivedEvent
  /** The number of the fetch that such an event's id carries; 0 for one that was stored before fetches had numbers. */
  numberOf(eventId: string): number
}

/** Verified bytes without the meaning that the platform documents. The message names the field, never its content. */
export class Unintelligible extends Error {
  readonly code = 'unintelligible'
}
