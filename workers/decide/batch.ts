/** What goes to a thread and comes back: events as they lie in the inbox, and what became of each. */
import { Packr } from 'msgpackr'
import type { AvailabilityShape } from '../catalog/availability.ts'

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
  /**
   * `outcome`: the state that it led to, or what became of the event. `order` is our id of it; null when there is none.
   */
  | { readonly seq: string; readonly done: true; readonly outcome: string; readonly order: string | null }
  /** Nothing was written: Redis or Postgres is away, or other processes changed the orders first at every attempt. */
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
  readonly availability: AvailabilityShape
}

export interface ThreadSettings {
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly keyPrefix: string
  /** Of this process' reservations: see CounterKeeper. */
  readonly owner: string
  readonly logLevel: string
}

const packr = new Packr({ useRecords: true })

/** What is said of each event, by columns; a body's bytes are all that is large, and stand behind in the same order. */
interface Heads {
  readonly seq: readonly string[]
  readonly channel: readonly string[]
  readonly shop: readonly string[]
  readonly eventId: readonly string[]
  readonly orderId: readonly string[]
  readonly kind: readonly string[]
  readonly storedAtMs: readonly number[]
  readonly bodyBytes: readonly number[]
}

const lengthBytes = 4

/** One piece of memory of its own, so that it can be moved to the thread: the heads' length, the heads, the bodies. */
export function packEvents(events: readonly EventToDecide[]): Uint8Array {
  const heads = packr.pack({
    seq: events.map((e) => e.seq),
    channel: events.map((e) => e.channel),
    shop: events.map((e) => e.shop),
    eventId: events.map((e) => e.eventId),
    orderId: events.map((e) => e.orderId),
    kind: events.map((e) => e.kind),
    storedAtMs: events.map((e) => e.storedAtMs),
    bodyBytes: events.map((e) => e.body.length),
  } satisfies Heads)
  const bodiesFrom = lengthBytes + heads.length
  const packed = new Uint8Array(events.reduce((bytes, e) => bytes + e.body.length, bodiesFrom))
  new DataView(packed.buffer).setUint32(0, heads.length)
  packed.set(heads, lengthBytes)
  let at = bodiesFrom
  for (const { body } of events) {
    packed.set(body, at)
    at += body.length
  }
  return packed
}

/** The bodies are views of `bytes`. */
export function unpackEvents(bytes: Uint8Array): EventToDecide[] {
  const headsLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  let at = lengthBytes + headsLength
  const heads = packr.unpack(bytes.subarray(lengthBytes, at)) as Heads
  return heads.seq.map((seq, i) => {
    const from = at
    at += heads.bodyBytes[i]!
    return {
      seq,
      channel: heads.channel[i]!,
      shop: heads.shop[i]!,
      eventId: heads.eventId[i]!,
      orderId: heads.orderId[i]!,
      kind: heads.kind[i]!,
      body: bytes.subarray(from, at),
      storedAtMs: heads.storedAtMs[i]!,
    }
  })
}

export function packResult(result: BatchResult): Uint8Array {
  return new Uint8Array(packr.pack(result))
}

export function unpackResult(bytes: Uint8Array): BatchResult {
  return packr.unpack(bytes) as BatchResult
}
