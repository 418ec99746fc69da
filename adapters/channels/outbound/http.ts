/**
 * One POST to a platform's API, or to a relay in front of it: one connection pool an origin, a limit on everything. A
 * redirect is an answer like any other and is never followed, so nothing goes to a host that the operator did not name.
 * Retries are its caller's.
 */
import { type Dispatcher, Pool } from 'undici'
import { OutboundError, type OutboundReason } from './errors.ts'

export interface HttpLimits {
  readonly connectTimeoutMs: number
  /** From the request's last byte to the answer's headers. */
  readonly headersTimeoutMs: number
  /** Between two pieces of the answer. */
  readonly bodyTimeoutMs: number
  /** The whole call: a peer that sends one byte a second would keep the others happy for ever. */
  readonly callTimeoutMs: number
  readonly answerBytesMax: number
  readonly connectionsMax: number
}

/** What is sent: its content type and its bytes. */
export interface Content {
  readonly type: string
  readonly body: string | Uint8Array
}

export function jsonContent(value: unknown): Content {
  return { type: 'application/json', body: JSON.stringify(value) }
}

export interface HttpAnswer {
  readonly status: number
  readonly body: Uint8Array
}

export class HttpClient {
  readonly #service: string
  readonly #limits: HttpLimits
  readonly #pools = new Map<string, Pool>()
  readonly #bases = new Map<string, Base>()

  /** `service`: what its errors are named after. */
  constructor(service: string, limits: HttpLimits) {
    this.#service = service
    this.#limits = limits
  }

  /** Throws `OutboundError` where there is no whole answer; any HTTP status is an answer. */
  post(baseUrl: string, path: string, content: Content, signal?: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const { origin, prefix } = this.#baseOf(baseUrl)
      if (signal?.aborted) throw new OutboundError(this.#service, 'aborted')
      const { callTimeoutMs, answerBytesMax } = this.#limits
      const call = new Call({ service: this.#service, callTimeoutMs, answerBytesMax, signal, resolve, reject })
      const headers = { 'content-type': content.type, accept: 'application/json' }
      this.#poolOf(origin).dispatch({ origin, method: 'POST', path: prefix + path, headers, body: content.body }, call)
    })
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()]
    this.#pools.clear()
    await Promise.all(pools.map((pool) => pool.destroy()))
  }

  #poolOf(origin: string): Pool {
    let pool = this.#pools.get(origin)
    if (pool === undefined) {
      const { connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs, connectionsMax } = this.#limits
      pool = new Pool(origin, {
        connections: connectionsMax,
        connect: { timeout: connectTimeoutMs },
        headersTimeout: headersTimeoutMs,
        bodyTimeout: bodyTimeoutMs,
      })
      this.#pools.set(origin, pool)
    }
    return pool
  }

  #baseOf(baseUrl: string): Base {
    let base = this.#bases.get(baseUrl)
    if (base === undefined) {
      const { origin, pathname } = this.#parse(baseUrl)
      base = { origin, prefix: pathname.replace(/\/+$/, '') }
      this.#bases.set(baseUrl, base)
    }
    return base
  }

  #parse(baseUrl: string): URL {
    const base = URL.canParse(baseUrl) ? new URL(baseUrl) : null
    if (base === null || (base.protocol !== 'http:' && base.protocol !== 'https:'))
      throw new OutboundError(this.#service, 'denied', { cause: 'the API base URL is no http(s) URL' })
    return base
  }
}

interface Base {
  readonly origin: string
  readonly prefix: string
}

interface CallOptions {
  readonly service: string
  readonly callTimeoutMs: number
  readonly answerBytesMax: number
  readonly signal: AbortSignal | undefined
  readonly resolve: (answer: HttpAnswer) => void
  readonly reject: (error: OutboundError) => void
}

/**
 * One call as undici tells of it. Its `request` would make a stream, and signals for the two ways to give up, of each
 * of a thousand calls a second.
 */
class Call implements Dispatcher.DispatchHandler {
  readonly #options: CallOptions
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | null = null
  #ended = false
  #status = 0
  #pieces: Buffer[] = []
  #bytes = 0

  constructor(options: CallOptions) {
    this.#options = options
    this.#timer = setTimeout(() => this.#giveUp('unreachable', 'TimeoutError'), options.callTimeoutMs)
    options.signal?.addEventListener('abort', this.#abort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Given up while it waited for a connection.
    if (this.#ended) controller.abort(this.#error('aborted'))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.#bytes += piece.length
    if (this.#bytes > this.#options.answerBytesMax) this.#giveUp('answer_too_large')
    // The piece is part of what the socket read: kept as it is, all of that would be kept.
    else this.#pieces.push(Buffer.from(piece))
  }

  onResponseEnd(): void {
    const [first = Buffer.alloc(0)] = this.#pieces
    const body = this.#pieces.length > 1 ? Buffer.concat(this.#pieces, this.#bytes) : first
    if (this.#end()) this.#options.resolve({ status: this.#status, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // The cause's text can hold the URL, and the URL holds the token: only its code goes on.
    if (this.#end()) this.#options.reject(this.#error('unreachable', codeOf(error)))
  }

  readonly #abort = (): void => this.#giveUp('aborted')

  #giveUp(reason: OutboundReason, cause?: string): void {
    if (!this.#end()) return
    const error = this.#error(reason, cause)
    this.#pieces = []
    this.#options.reject(error)
    this.#controller?.abort(error)
  }

  #error(reason: OutboundReason, cause?: string): OutboundError {
    return new OutboundError(this.#options.service, reason, { cause })
  }

  /** False when it ended before. */
  #end(): boolean {
    if (this.#ended) return false
    this.#ended = true
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#abort)
    return true
  }
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown'
  return 'code' in error && typeof error.code === 'string'
    ? error.code
    : error instanceof Error
      ? error.name
      : 'unknown'
}
