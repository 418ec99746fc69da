/** A shop's access token: asked for once by all callers together, kept until shortly before it lapses. */

export interface Token {
  /** null: calls go without one, as through a relay that adds it. */
  readonly value: string | null
  /** Epoch milliseconds until which the cache gives it; `keptUntil` leaves room for a call's way. */
  readonly until: number
}

/** Asked anew this much before the platform's own end, so that no call takes a token that lapses on its way. */
const earlyMs = 60_000

/** Until when a token with this much life left is given to calls. */
export function keptUntil(nowMs: number, lifeMs: number): number {
  return nowMs + Math.max(lifeMs - earlyMs, lifeMs / 2)
}

export class TokenCache {
  readonly #tokens = new Map<string, Token>()
  readonly #asking = new Map<string, Promise<Token>>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** `key` names the account whose token it is; `ask` asks the platform for a new one. A failure is not kept. */
  async get(key: string, ask: () => Promise<Token>): Promise<string | null> {
    const kept = this.#tokens.get(key)
    if (kept !== undefined && kept.until > this.#now()) return kept.value
    let asking = this.#asking.get(key)
    if (asking === undefined) {
      asking = this.#ask(key, ask).finally(() => this.#asking.delete(key))
      this.#asking.set(key, asking)
    }
    return (await asking).value
  }

  /** The platform refused this token. Another one, that another call asked for meanwhile, stays. */
  forget(key: string, value: string | null): void {
    if (this.#tokens.get(key)?.value === value) this.#tokens.delete(key)
  }

  async #ask(key: string, ask: () => Promise<Token>): Promise<Token> {
    const token = await ask()
    this.#tokens.set(key, token)
    return token
  }
}
