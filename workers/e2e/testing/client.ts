/** For tests: plain HTTP as an outsider speaks it. */
import { Agent, request } from 'undici'

export interface Told {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Null when the answer is not JSON. */
  readonly json: unknown
}

export interface Ask {
  readonly token?: string
  /** The whole header, in the token's place. */
  readonly authorization?: string
  /** Becomes JSON. */
  readonly body?: unknown
  /** Goes as it is. */
  readonly raw?: string | Buffer
  readonly contentType?: string
}

export class Client {
  readonly base: string
  readonly #agent: Agent

  /** `from`: a loopback address of the caller's own, for what is counted by address. */
  constructor(base: string, from?: string) {
    this.base = base
    this.#agent = new Agent(from === undefined ? {} : { localAddress: from })
  }

  async ask(method: string, path: string, { token, authorization, body, raw, contentType }: Ask = {}): Promise<Told> {
    const content = raw ?? (body === undefined ? null : JSON.stringify(body))
    const answer = await request(this.base + path, {
      method: method as 'GET',
      body: content,
      dispatcher: this.#agent,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(authorization === undefined ? {} : { authorization }),
        ...(content === null ? {} : { 'content-type': contentType ?? 'application/json' }),
      },
    })
    const text = await answer.body.text()
    return { status: answer.statusCode, headers: answer.headers, text, json: parsed(text) }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** `{"error":{"code":…}}` of an answer; throws when it is not of that shape. */
export function errorCodeOf(told: Told): string {
  const { error } = (told.json ?? {}) as { error?: { code?: unknown; message?: unknown } }
  if (typeof error?.code === 'string' && typeof error.message === 'string') return error.code
  throw new Error(`not an error of ours: ${told.status} ${told.text.slice(0, 200)}`)
}
