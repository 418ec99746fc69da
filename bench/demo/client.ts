/** The service as an outsider sees it: HTTP and nothing else. Operations, warehouses and platforms each with their own key. */
import { Pool } from 'undici'
import type { z } from 'zod'
import type { orderView } from '../../adapters/http/v1/orders.ts'
import type { stockRow } from '../../adapters/http/v1/stock.ts'
import type { pulledTask } from '../../adapters/http/v1/tasks.ts'
import type { OrderKey } from '../../router/types.ts'
import type { WireRequest } from '../traffic/encode.ts'

export type OrderView = z.infer<typeof orderView>
export type StockRow = z.infer<typeof stockRow>
export type PulledTask = z.infer<typeof pulledTask>

export interface Answer {
  readonly status: number
  readonly text: string
}

/** The demo cannot go on; the message says what to do. */
export class DemoStopped extends Error {
  readonly code = 'demo_stopped'
  /** Of the answer that stopped it, where it was one. */
  readonly status: number | null

  constructor(message: string, status: number | null = null) {
    super(message)
    this.status = status
  }
}

export interface Client {
  readonly url: string
  /** A signed request of a platform or carrier, as it is. */
  send(request: WireRequest): Promise<Answer>
  /** With the operator's token. Throws DemoStopped on anything but 200. */
  operate<T>(method: 'GET' | 'PUT' | 'POST', path: string, body?: unknown): Promise<T>
  /** With a node's own key, whatever the status. */
  asNode(apiKey: string, path: string, body: unknown): Promise<Answer>
  get(path: string): Promise<Answer>
  close(): Promise<void>
  /** Whatever is asked now or later fails with this. */
  giveUp(reason: DemoStopped): void
}

const connections = 16

export function clientOf(url: string, adminToken: string): Client {
  let givenUp: DemoStopped | null = null
  const pool = new Pool(url, { connections, headersTimeout: 30_000, bodyTimeout: 30_000, connectTimeout: 5_000 })

  async function ask(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: Buffer | string,
  ): Promise<Answer> {
    try {
      const answer = await pool.request({ method, path, headers: { ...headers }, body: body ?? null } as Parameters<
        Pool['request']
      >[0])
      return { status: answer.statusCode, text: await answer.body.text() }
    } catch (error) {
      if (givenUp !== null) throw givenUp
      const { code = 'unknown' } = error as { code?: string }
      throw new DemoStopped(`No Paidan answers at ${url} (${code}). Start one in another terminal first: npm start`)
    }
  }
  const json = (token: string) => ({ authorization: `Bearer ${token}`, 'content-type': 'application/json' })

  return {
    url,
    send: ({ method, path, query, headers, body }) =>
      ask(method, query === '' ? path : `${path}?${query}`, headers, body),
    operate: async <T>(method: string, path: string, body?: unknown) => {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
      const answer = await ask(method, path, json(adminToken), text)
      if (answer.status !== 200) {
        const { status } = answer
        throw new DemoStopped(`${method} ${path} was answered with ${status}: ${answer.text.slice(0, 300)}`, status)
      }
      return JSON.parse(answer.text) as T
    },
    asNode: (apiKey, path, body) => ask('POST', path, json(apiKey), JSON.stringify(body)),
    get: (path) => ask('GET', path, {}),
    close: () => (givenUp === null ? pool.close() : Promise.resolve()),
    giveUp: (reason) => {
      givenUp = reason
      void pool.destroy(reason)
    },
  }
}

export function orderPath({ channel, shop, orderId }: OrderKey): string {
  return `/v1/orders/${channel}/${encodeURIComponent(shop)}/${encodeURIComponent(orderId)}`
}
