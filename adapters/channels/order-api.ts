/** What asks a platform's API for an order that the platform only notified of. */
import type { Credentials } from './channel.ts'

export interface ApiShop {
  readonly shop: string
  readonly apiBaseUrl: string
  /** Those in force; the newest where there are two. */
  readonly credentials: Credentials
}

export type FetchedOrder =
  /** The whole answer: what the channel's `fetch.eventOf` and `normalise` read. */
  | { readonly outcome: 'order'; readonly body: Uint8Array }
  /** The platform does not give this order to this shop. */
  | { readonly outcome: 'not_found'; readonly platformCode: number | string }

/** One client for all shops of a platform; it keeps its own limits, a shop's share of them included. */
export interface OrderApi {
  /** The platform's own address, where a shop names no other. */
  readonly baseUrl: string
  /** Throws `OutboundError`; its `retryable` says whether a later try can help. */
  getOrder(shop: ApiShop, orderId: string, signal?: AbortSignal): Promise<FetchedOrder>
  /** Ends all calls under way; they throw. */
  close(): Promise<void>
}
