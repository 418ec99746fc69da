/** What a generator is told, and what it gives back: the same for autocannon and for the lean one. */
import type { StreamSettings } from './stream.ts'

export interface GeneratorJob {
  readonly url: string
  readonly connections: number
  readonly stream: StreamSettings
  /** Made before the clock starts. */
  readonly prepared: number
}

export interface ClosedRound {
  readonly seconds: number
  /** Ends after this many requests instead; at least one a connection. */
  readonly requests: number | null
}

/** Requests leave when the curve says so, whether or not the earlier ones were answered. */
export interface OpenRound {
  readonly curve: readonly Pace[]
  /** Connections are opened as they are needed, up to this many; beyond, a request waits, and its clock runs. */
  readonly connectionsMax: number
  /** A request that has no answer within this time hangs up: the platform's own patience. */
  readonly patienceMs: number
  /** A refused or unanswered request is sent again so long after; null: it is given up. */
  readonly retryAfterMs: number | null
  /** After the last arrival, how long retries go on. */
  readonly tailSeconds: number
}

/** `perSecond` requests a second, evenly spread, for `seconds`. */
export interface Pace {
  readonly seconds: number
  readonly perSecond: number
}

export interface Fired {
  readonly startedAtMs: number
  /** When the last answer came. */
  readonly endedAtMs: number
  readonly sent: number
  readonly madeUnderLoad: number
  /** The order of every acknowledged request, in the order of the acknowledgements. */
  readonly acknowledged: Uint32Array
  /** Milliseconds from the request's first byte, or from the instant at which it was due, to its acknowledgement. */
  readonly ackMs: Float64Array
  /** Answers that were no acknowledgement, by status and the beginning of their body. */
  readonly refused: Readonly<Record<string, number>>
  /** Connections broken, answers that never came. */
  readonly errors: number
}

export interface FiredOpen extends Fired {
  /** Epoch milliseconds at which each of `acknowledged` was due. */
  readonly dueAtMs: Float64Array
  /** How late the generator itself was with a first byte: part of every latency that it gives. */
  readonly latenessMs: Float64Array
  /** By second since the start. */
  readonly seconds: readonly SecondOfLoad[]
  /** Never acknowledged, although sent again as long as there was time. */
  readonly givenUp: number
}

export interface SecondOfLoad {
  readonly due: number
  readonly acknowledged: number
  readonly refused: number
  /** No answer came within the patience, or the connection broke. */
  readonly unanswered: number
}

export function tally(into: Record<string, number>, what: string): void {
  into[what] = (into[what] ?? 0) + 1
}
