/** One HTTP client for platforms and warehouses: fails soon, knows where the service listens just now. */
import { Pool } from 'undici'
import type { Signed } from '../../workers/e2e/testing/webhooks.ts'
import type { PlatformAnswer } from '../../workers/faults/testing/ledger.ts'

// WeChat, the least patient, hangs up after five seconds.
const answerMsMax = 5_000
const connections = 48

export class Clients {
  readonly #where: () => string | null
  #ended = false
  #pool: { readonly url: string; readonly pool: Pool } | null = null

  /** `where`: the service's URL; null while it does not listen. */
  constructor(where: () => string | null) {
    this.#where = where
  }

  /** Null when no answer came: the service may still have done what the request asks for. */
  async ask(request: Signed, token: string | null = null): Promise<PlatformAnswer | null> {
    // A caller that still asks when its world is over waits for ever: else its loop would keep this process alive.
    if (this.#ended) return await new Promise(() => undefined)
    const pool = this.#current()
    if (pool === null) return null
    try {
      const { method, path, contentType, body } = request
      const authorization = token === null ? {} : { authorization: `Bearer ${token}` }
      const answer = await pool.request({
        method,
        path,
        headers: { 'content-type': contentType, ...authorization },
        body,
      })
      const text = await answer.body.text()
      // What a slow wire delivers in pieces, the HTTP library refuses before the service sees it (rude.test.ts).
      if (answer.statusCode === 505 && text.includes('uWebSockets')) return null
      return { status: answer.statusCode, body: text }
    } catch {
      return null
    }
  }

  #current(): Pool | null {
    const url = this.#where()
    if (url === this.#pool?.url) return this.#pool?.pool ?? null
    this.#leave()
    if (url === null) return null
    const pool = new Pool(url, {
      connections,
      connectTimeout: answerMsMax,
      headersTimeout: answerMsMax,
      bodyTimeout: answerMsMax,
    })
    this.#pool = { url, pool }
    return pool
  }

  end(): void {
    this.#ended = true
    this.#leave()
  }

  #leave(): void {
    void this.#pool?.pool.destroy().catch(() => undefined)
    this.#pool = null
  }
}

/** A JSON request of ours. */
export function jsonRequest(path: string, body: unknown): Signed {
  return { method: 'POST', path, contentType: 'application/json', body: JSON.stringify(body) }
}
