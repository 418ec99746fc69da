/** What an entry of the conformance table holds. */
import type { ChannelName, OrderSnapshot } from '../../../router/types.ts'
import type { Credentials, ReceivedEvent, RefusalCode, WebhookRequest } from '../channel.ts'

export interface SignOptions {
  readonly credentials?: Credentials
  readonly timestampMs?: number
}

export type Wrong = readonly [
  name: string,
  expected: RefusalCode | 'unintelligible' | 'ignored',
  request: () => WebhookRequest,
]

export interface ChannelCase {
  readonly name: ChannelName
  readonly credentials: Credentials
  /** Wraps a message as the platform would. */
  readonly sign: (message: Uint8Array, options?: SignOptions) => WebhookRequest
  readonly accepted: {
    readonly message: Uint8Array
    readonly named: Omit<ReceivedEvent, 'payload' | 'outcome'>
  }
  /** The sample of a whole order, and what it means. */
  readonly order: unknown
  readonly snapshot: OrderSnapshot
  readonly words: { readonly taken: string; readonly notTaken: RegExp; readonly badSignature: string }
  readonly wrong: readonly Wrong[]
  readonly variants: readonly { readonly name: string; readonly order: unknown; readonly expected: object }[]
  readonly nonsense: readonly { readonly name: string; readonly order: unknown }[]
  readonly withSku: (code: string) => unknown
  readonly withNote: (note: string) => unknown
  /** What no error may hold. */
  readonly personal: readonly string[]
}
