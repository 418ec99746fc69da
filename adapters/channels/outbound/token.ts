/**
 * A shop's access token: asked for once by all callers together, kept until shortly before it lapses. A relay that adds
 * the token itself does not know the address (404): then calls go without one for a while.
 */
import { WechatApiError } from './errors.ts'

export interface Token {
  /** null: a relay adds it. */
  readonly value: string | null
  readonly until: number
}

/** Asked anew this much before the platform's own end, so that no call takes a token that lapses on its way. */
const earlyMs = 60_000
/** A relay's 404 can be a mistake of the operator's that is mended while we run. */
const relayMs = 10 * 60_000

export class TokenCache {
  readonly #tokens = new Map<string, Token>()
  readonly #asking = new Map<string, Promise<Token>>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** `ask` gives the HTTP status and the parsed answer of `/cgi-bin/stable_token`. */
  async get(key: string, ask: () => Promise<{ status: number; answer: unknown }>): Promise<string | null> {
    const kept = this.#tokens.get(key)
    if (kept !== undefined && kept.until > this.#now()) return kept.value
    let asking = this.#asking.get(key)
    if (asking === undefined) {
      asking = this.#ask(key, ask).finally(() => this.#asking.delete(key))
      this.#asking.set(key, asking)
    }
    return (await asking).value
  }

  /** The platform refused this token. Another one, fetched meanwhile by somebody else, stays. */
  forget(key: string, value: string | null): void {
    if (this.#tokens.get(key)?.value === value) this.#tokens.delete(key)
  }

  async #ask(key: string, ask: () => Promise<{ status: number; answer: unknown }>): Promise<Token> {
    const { status, answer } = await ask()
    const token = status === 404 ? { value: null, until: this.#now() + relayMs } : this.#read(status, answer)
    this.#tokens.set(key, token)
    return token
  }

  #read(status: number, answer: unknown): Token {
    const fields = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>
    const { access_token: value, expires_in: seconds, errcode } = fields
    if (typeof value === 'string' && /^[\x21-\x7e]{1,2048}$/.test(value)) {
      const lifeMs = typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, 86_400) * 1000 : 0
      return { value, until: this.#now() + Math.max(lifeMs - earlyMs, lifeMs / 2) }
    }
    throw new WechatApiError('wechat_api_denied', typeof errcode === 'number' ? { status, errcode } : { status })
  }
}
