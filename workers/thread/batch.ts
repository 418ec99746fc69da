/** What goes to a thread and comes back: events as they lie in the inbox, and what became of each. */
import { Packr } from 'msgpackr'
import type { HintsShape } from '../hints.ts'

export interface EventToDecide {
  readonly seq: string
  readonly channel: string
  readonly shop: string
  readonly eventId: string
  readonly orderId: string
  readonly kind: string
  readonly body: Uint8Array
  /** When it was stored, epoch milliseconds. */
  readonly storedAtMs: number
}

export type Decided =
  /** `outcome`: the state that it led to, or what became of the event. `order` is our id of it; null when there is none. */
  | { readonly seq: string; readonly done: true; readonly outcome: string; readonly order: string | null }
  /** Nothing was written: Redis or Postgres is away, or others were faster five times over. */
  | { readonly seq: string; readonly done: false; readonly why: string; readonly passing: boolean }

/** Milliseconds of a batch by stage, for metrics. */
export interface StageTimes {
  readonly decode: number
  readonly decide: number
  readonly reserve: number
  readonly commit: number
}

export interface BatchResult {
  readonly decided: readonly Decided[]
  readonly times: StageTimes
  readonly refusals: number
  readonly problems: readonly string[]
}

export interface ThreadTask {
  readonly events: Uint8Array
  readonly catalogVersion: number
  readonly hints: HintsShape
}

export interface ThreadSettings {
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly keyPrefix: string
  readonly logLevel: string
}

const packr = new Packr({ useRecords: true })

export function packEvents(events: readonly EventToDecide[]): Uint8Array {
  // A copy of exactly the bytes, so that it can be moved to the thread instead of being cloned.
  return new Uint8Array(packr.pack(events))
}

export function unpackEvents(bytes: Uint8Array): EventToDecide[] {
  return packr.unpack(bytes) as EventToDecide[]
}

export function packResult(result: BatchResult): Uint8Array {
  return new Uint8Array(packr.pack(result))
}

export function unpackResult(bytes: Uint8Array): BatchResult {
  return packr.unpack(bytes) as BatchResult
}
