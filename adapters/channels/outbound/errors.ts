/** Why a platform's API gave no answer that is of use. Neither tokens, nor addresses, nor answers are in the message. */
export type OutboundReason =
  /** No connection, a time-out, or an answer cut off. */
  | 'unreachable'
  /** 5xx, 408, 425, 429, or the platform's own word for "later". */
  | 'busy'
  /** An answer that is not in the platform's format. */
  | 'bad_answer'
  | 'answer_too_large'
  /** Wrong credentials, address not allowed, API not granted, another 4xx: a person has to change something. */
  | 'denied'
  /** Too many calls wait for this shop. */
  | 'overloaded'
  /** The caller's signal, or the client was closed. */
  | 'aborted'

export interface OutboundFailure {
  /** The platform's own code, where the platform gave one. */
  readonly platformCode?: number | string
  /** HTTP status, where there was an answer. */
  readonly status?: number
  readonly cause?: unknown
}

export class OutboundError extends Error {
  /** Stable: the service's name, an underscore, and the reason. */
  readonly code: string
  readonly reason: OutboundReason
  readonly retryable: boolean
  readonly platformCode: number | string | null
  readonly status: number | null

  /** `service`: the name of the API that was called, in snake case. */
  constructor(service: string, reason: OutboundReason, about: OutboundFailure = {}) {
    const { platformCode = null, status = null, cause } = about
    const code = `${service}_${reason}`
    const [http, own] = [status === null ? '' : ` (HTTP ${status})`, platformCode === null ? '' : ` (${platformCode})`]
    super(`${code}${http}${own}`, { cause })
    this.name = 'OutboundError'
    this.code = code
    this.reason = reason
    this.retryable = retryableReasons.has(reason)
    this.platformCode = platformCode
    this.status = status
  }
}

const retryableReasons: ReadonlySet<OutboundReason> = new Set([
  'unreachable',
  'busy',
  'bad_answer',
  'overloaded',
  'aborted',
])

const busyStatuses = new Set([408, 425, 429])

/** What an HTTP status that is no success means: the same call may pass later, or a person has to change something. */
export function statusError(service: string, status: number): OutboundError {
  return new OutboundError(service, status >= 500 || busyStatuses.has(status) ? 'busy' : 'denied', { status })
}
