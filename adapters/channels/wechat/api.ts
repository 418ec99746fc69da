/**
 * Client of the WeChat shop API: fetches one order (`POST /channels/ec/order/get`). It retries what is worth retrying,
 * keeps each shop within its share of connections, and never puts a token or an answer into an error.
 *
 * Platform errcodes: -1 busy; 40001, 40014, 42001 token; 45009, 45011 rate; 40013, 40125, 40164, 48001 credentials, the
 * caller's address, or the grant. Any other means that this order is not given to this shop.
 */
import { utf8 } from '../event.ts'
import { WechatApiError } from '../outbound/errors.ts'
import { Gate } from '../outbound/gate.ts'
import { type HttpAnswer, WechatHttp, type WechatHttpLimits } from '../outbound/http.ts'
import { TokenCache } from '../outbound/token.ts'

export interface WechatShop {
  readonly shop: string
  readonly apiBaseUrl: string
  readonly appId: string
  readonly appSecret: string
}

export type PulledOrder =
  /** The whole answer: what `fetchedOrderEvent` and `normalise` read. */
  { readonly outcome: 'order'; readonly body: Uint8Array } | { readonly outcome: 'not_found'; readonly errcode: number }

export interface WechatApiOptions extends WechatHttpLimits {
  /** Calls at the same time for one shop: a slow shop shall not take every connection. */
  readonly callsPerShopMax: number
  /** Calls that may wait for one shop; more are refused at once. */
  readonly waitingPerShopMax: number
  readonly attemptsMax: number
  /** First pause; doubles with each attempt up to a cap, and a random part of it is waited. */
  readonly pauseMs: number
  readonly now: () => number
  /** From 0 up to 1. */
  readonly random: () => number
}

/** The platform wants its push answered in 5 s, but a fetch stands behind the ACK: patience costs only a connection. */
export const wechatApiDefaults: WechatApiOptions = {
  connectTimeoutMs: 3_000,
  headersTimeoutMs: 5_000,
  bodyTimeoutMs: 5_000,
  callTimeoutMs: 10_000,
  // An order of 2,000 lines at 500 bytes each.
  answerBytesMax: 1 << 20,
  connectionsMax: 32,
  callsPerShopMax: 16,
  waitingPerShopMax: 10_000,
  attemptsMax: 4,
  pauseMs: 100,
  now: Date.now,
  random: Math.random,
}

const pauseMsMax = 5_000
const tokenErrcodes = new Set([40001, 40014, 42001])
const busyErrcodes = new Set([-1, 45009, 45011])
const deniedErrcodes = new Set([40013, 40125, 40164, 48001])
const busyStatuses = new Set([408, 425, 429])

export class WechatApi {
  readonly #options: WechatApiOptions
  readonly #http: WechatHttp
  readonly #tokens: TokenCache
  readonly #gates = new Map<string, Gate>()

  constructor(options: Partial<WechatApiOptions> = {}) {
    this.#options = { ...wechatApiDefaults, ...options }
    this.#http = new WechatHttp(this.#options)
    this.#tokens = new TokenCache(this.#options.now)
  }

  /** Throws `WechatApiError`; its `retryable` says whether a later try can help. */
  async getOrder(shop: WechatShop, orderId: string, signal?: AbortSignal): Promise<PulledOrder> {
    const gate = this.#gateOf(shop)
    await gate.enter(signal)
    try {
      return await this.#retried(() => this.#getOrder(shop, orderId, signal), signal)
    } finally {
      gate.leave()
    }
  }

  /** Ends all calls under way; they throw. */
  async close(): Promise<void> {
    await this.#http.close()
  }

  async #retried<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call()
      } catch (error) {
        const again = error instanceof WechatApiError && error.retryable && error.code !== 'wechat_api_aborted'
        if (!again || attempt >= this.#options.attemptsMax) throw error
        const pauseMs = Math.min(this.#options.pauseMs * 2 ** (attempt - 1), pauseMsMax)
        await pause(pauseMs * (0.5 + this.#options.random() / 2), signal)
      }
    }
  }

  async #getOrder(shop: WechatShop, orderId: string, signal: AbortSignal | undefined): Promise<PulledOrder> {
    let asked = await this.#ask(shop, orderId, signal)
    if (tokenErrcodes.has(asked.errcode)) {
      this.#tokens.forget(tokenKeyOf(shop), asked.token)
      asked = await this.#ask(shop, orderId, signal)
    }
    const { errcode, body } = asked
    if (errcode === 0) return { outcome: 'order', body }
    if (busyErrcodes.has(errcode)) throw new WechatApiError('wechat_api_busy', { errcode })
    if (tokenErrcodes.has(errcode) || deniedErrcodes.has(errcode))
      throw new WechatApiError('wechat_api_denied', { errcode })
    return { outcome: 'not_found', errcode }
  }

  async #ask(shop: WechatShop, orderId: string, signal: AbortSignal | undefined): Promise<Asked> {
    const token = await this.#tokens.get(tokenKeyOf(shop), () => this.#askToken(shop))
    const path = `/channels/ec/order/get${token === null ? '' : `?access_token=${encodeURIComponent(token)}`}`
    const answer = await this.#http.post(shop.apiBaseUrl, path, { order_id: orderId }, signal)
    if (answer.status !== 200) throw statusError(answer.status)
    return { errcode: isGood(answer.body) ? 0 : errcodeOf(parse(answer)), body: answer.body, token }
  }

  /** Without the caller's signal: others wait for the same answer. */
  async #askToken(shop: WechatShop): Promise<{ status: number; answer: unknown }> {
    const request = { grant_type: 'client_credential', appid: shop.appId, secret: shop.appSecret }
    const answer = await this.#http.post(shop.apiBaseUrl, '/cgi-bin/stable_token', request)
    if (answer.status === 404) return { status: 404, answer: null }
    if (answer.status !== 200) throw statusError(answer.status)
    const parsed = parse(answer)
    const errcode = errcodeOf(parsed)
    if (busyErrcodes.has(errcode)) throw new WechatApiError('wechat_api_busy', { errcode })
    return { status: answer.status, answer: parsed }
  }

  #gateOf({ apiBaseUrl, shop }: WechatShop): Gate {
    const key = JSON.stringify([apiBaseUrl, shop])
    let gate = this.#gates.get(key)
    if (gate === undefined) {
      gate = new Gate(this.#options.callsPerShopMax, this.#options.waitingPerShopMax)
      this.#gates.set(key, gate)
    }
    return gate
  }
}

interface Asked {
  readonly errcode: number
  readonly body: Uint8Array
  readonly token: string | null
}

function tokenKeyOf({ apiBaseUrl, appId, appSecret }: WechatShop): string {
  return JSON.stringify([apiBaseUrl, appId, appSecret])
}

function statusError(status: number): WechatApiError {
  const busy = status >= 500 || busyStatuses.has(status)
  return new WechatApiError(busy ? 'wechat_api_busy' : 'wechat_api_denied', { status })
}

/** As the platform writes every good answer: its order is parsed once, by whoever reads it. */
const goodAnswer = Buffer.from('{"errcode":0,')
const closingBrace = 0x7d

function isGood(body: Uint8Array): boolean {
  return body.at(-1) === closingBrace && goodAnswer.equals(body.subarray(0, goodAnswer.length))
}

/** Only the errcode is read here, so rounded ids do no harm. */
function parse(answer: HttpAnswer): Record<string, unknown> {
  const text = utf8(answer.body)
  try {
    const parsed: unknown = text === null ? null : JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>
  } catch {
    // Falls through: the parser's own message would quote the answer.
  }
  throw new WechatApiError('wechat_api_bad_answer', { status: answer.status })
}

/** A good answer may leave its errcode out. */
function errcodeOf(answer: Record<string, unknown>): number {
  const errcode = answer.errcode ?? 0
  if (typeof errcode !== 'number' || !Number.isSafeInteger(errcode)) throw new WechatApiError('wechat_api_bad_answer')
  return errcode
}

function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new WechatApiError('wechat_api_aborted'))
    const onAbort = () => {
      clearTimeout(timer)
      reject(new WechatApiError('wechat_api_aborted'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, durationMs)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
