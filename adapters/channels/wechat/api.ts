/**
 * Client of the WeChat shop API: fetches one order (`POST /channels/ec/order/get`). It retries what is worth retrying,
 * keeps each shop within its share of connections, and never puts a token or an answer into an error. An errcode that
 * ./answer.ts does not name means that this order is not given to this shop.
 */
import type { ApiShop, FetchedOrder, OrderApi } from '../order-api.ts'
import { OutboundError, statusError } from '../outbound/errors.ts'
import { Gate } from '../outbound/gate.ts'
import { HttpClient, type HttpLimits, jsonContent } from '../outbound/http.ts'
import { type RetryOptions, retried } from '../outbound/retry.ts'
import { TokenCache } from '../outbound/token.ts'
import { busyErrcodes, deniedErrcodes, errcodeOf, isGood, parseAnswer, service, tokenErrcodes } from './answer.ts'
import { askToken, type TokenAccount } from './token.ts'

export interface WechatApiOptions extends HttpLimits, RetryOptions {
  /** Calls at the same time for one shop: a slow shop shall not take every connection. */
  readonly callsPerShopMax: number
  /** Calls that may wait for one shop; more are refused at once. */
  readonly waitingPerShopMax: number
  readonly now: () => number
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
  pauseMsMax: 5_000,
  now: Date.now,
  random: Math.random,
}

export class WechatApi implements OrderApi {
  readonly baseUrl = 'https://api.weixin.qq.com'
  readonly #options: WechatApiOptions
  readonly #http: HttpClient
  readonly #tokens: TokenCache
  readonly #gates = new Map<string, Gate>()

  constructor(options: Partial<WechatApiOptions> = {}) {
    this.#options = { ...wechatApiDefaults, ...options }
    this.#http = new HttpClient(service, this.#options)
    this.#tokens = new TokenCache(this.#options.now)
  }

  async getOrder(shop: ApiShop, orderId: string, signal?: AbortSignal): Promise<FetchedOrder> {
    const gate = this.#gateOf(shop)
    await gate.enter(signal)
    try {
      return await retried(service, this.#options, () => this.#getOrder(shop, orderId, signal), signal)
    } finally {
      gate.leave()
    }
  }

  async close(): Promise<void> {
    await this.#http.close()
  }

  async #getOrder(shop: ApiShop, orderId: string, signal: AbortSignal | undefined): Promise<FetchedOrder> {
    const account = accountOf(shop)
    let asked = await this.#ask(account, orderId, signal)
    if (tokenErrcodes.has(asked.errcode)) {
      this.#tokens.forget(tokenKeyOf(account), asked.token)
      asked = await this.#ask(account, orderId, signal)
    }
    const { errcode, body } = asked
    if (errcode === 0) return { outcome: 'order', body }
    if (busyErrcodes.has(errcode)) throw new OutboundError(service, 'busy', { platformCode: errcode })
    if (tokenErrcodes.has(errcode) || deniedErrcodes.has(errcode))
      throw new OutboundError(service, 'denied', { platformCode: errcode })
    return { outcome: 'not_found', platformCode: errcode }
  }

  async #ask(account: TokenAccount, orderId: string, signal: AbortSignal | undefined): Promise<Asked> {
    const ask = () => askToken(this.#http, account, this.#options.now)
    const token = await this.#tokens.get(tokenKeyOf(account), ask)
    const path = `/channels/ec/order/get${token === null ? '' : `?access_token=${encodeURIComponent(token)}`}`
    const answer = await this.#http.post(account.apiBaseUrl, path, jsonContent({ order_id: orderId }), signal)
    if (answer.status !== 200) throw statusError(service, answer.status)
    return { errcode: isGood(answer.body) ? 0 : errcodeOf(parseAnswer(answer)), body: answer.body, token }
  }

  #gateOf({ apiBaseUrl, shop }: ApiShop): Gate {
    const key = JSON.stringify([apiBaseUrl, shop])
    let gate = this.#gates.get(key)
    if (gate === undefined) {
      const { callsPerShopMax, waitingPerShopMax } = this.#options
      gate = new Gate(service, { insideMax: callsPerShopMax, waitingMax: waitingPerShopMax })
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

function accountOf({ apiBaseUrl, credentials }: ApiShop): TokenAccount {
  const { appId = '', appSecret = '' } = credentials
  return { apiBaseUrl, appId, appSecret }
}

function tokenKeyOf({ apiBaseUrl, appId, appSecret }: TokenAccount): string {
  return JSON.stringify([apiBaseUrl, appId, appSecret])
}
