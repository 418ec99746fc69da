/**
 * One POST of JSON to one of WeChat's hosts, or to a relay in front of them: one connection pool a base URL, a limit on
 * everything. Retries are its caller's.
 */
import { Pool } from 'undici'
import { WechatApiError } from './wechat-api-error.ts'

export interface WechatHttpLimits {
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

export interface HttpAnswer {
  readonly status: number
  readonly body: Uint8Array
}

export class WechatHttp {
  readonly #limits: WechatHttpLimits
  readonly #pools = new Map<string, Pool>()

  constructor(limits: WechatHttpLimits) {
    this.#limits = limits
  }

  /** Throws `WechatApiError` where there is no whole answer; any HTTP status is an answer. */
  async post(baseUrl: string, path: string, body: unknown, signal?: AbortSignal): Promise<HttpAnswer> {
    const base = parseBase(baseUrl)
    const timeout = AbortSignal.timeout(this.#limits.callTimeoutMs)
    try {
      const response = await this.#poolOf(base.origin).request({
        method: 'POST',
        path: base.pathname.replace(/\/+$/, '') + path,
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(body),
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      })
      return { status: response.statusCode, body: await this.#read(response.body) }
    } catch (error) {
      if (error instanceof WechatApiError) throw error
      if (signal?.aborted) throw new WechatApiError('wechat_api_aborted')
      // The cause's text can hold the URL, and the URL holds the token: only its code goes on.
      throw new WechatApiError('wechat_api_unreachable', { cause: codeOf(error) })
    }
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

  async #read(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    let bytes = 0
    for await (const piece of stream) {
      bytes += piece.length
      // Leaving the loop destroys the stream and its connection.
      if (bytes > this.#limits.answerBytesMax) throw new WechatApiError('wechat_api_answer_too_large')
      pieces.push(piece)
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, bytes)
  }
}

function parseBase(baseUrl: string): URL {
  const base = URL.canParse(baseUrl) ? new URL(baseUrl) : null
  if (base === null || (base.protocol !== 'http:' && base.protocol !== 'https:'))
    throw new WechatApiError('wechat_api_denied', { cause: 'the API base URL is no http(s) URL' })
  return base
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown'
  return 'code' in error && typeof error.code === 'string'
    ? error.code
    : error instanceof Error
      ? error.name
      : 'unknown'
}
