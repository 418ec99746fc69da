/**
 * A stand-in of the part of the WeChat API that Paidan fetches orders from.
 *
 *   POST /cgi-bin/stable_token                      {grant_type, appid, secret}
 *   POST /channels/ec/order/get?access_token=…      {"order_id":"…"}
 *   POST /control/state                             {"order_id","event"} or {"states":[{"order_id","event"},…]}
 *   POST /control/misbehave                         numbers of `Misbehaviour`; {} changes nothing
 *   GET  /control/stats                             answers given, by errcode or fault
 *
 * Two errcodes are ours, since no document that we know names them: 10020051 for an order that does not exist.
 * 47001 (body is not JSON) and 40097 (an argument of the wrong type) are WeChat's general ones.
 * node:http and not the product's own server: this one has to cut connections and to stall in mid-answer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DemoShop } from '../../workers/process/demo-network/network.ts'
import type { TrafficPlan } from '../traffic/plan.ts'
import type { Misbehaviour } from './misbehaviour.ts'
import { changed, drawFault, wellBehaved } from './misbehaviour.ts'
import { standinOrders } from './orders.ts'
import type { TokenRequest } from './tokens.ts'
import { tokenIssuer } from './tokens.ts'

export interface StandinOptions {
  readonly plan: TrafficPlan
  /** The WeChat shop whose credentials are asked for. */
  readonly shop: DemoShop
  readonly host?: string
  /** 0: any free one. */
  readonly port?: number
  readonly misbehaviour?: Partial<Misbehaviour>
  readonly untouched?: 'first' | 'last'
  /** Whole answers by order id, for orders that are not of the plan. */
  readonly also?: ReadonlyMap<string, string>
  readonly now?: () => number
}

export interface Standin {
  readonly url: string
  advance(orderId: string, event: string): string | null
  misbehave(how: Partial<Misbehaviour>): void
  stats(): Readonly<Record<string, number>>
  close(): Promise<void>
}

const bodyBytesMax = 1_048_576

export async function startWechatStandin(options: StandinOptions): Promise<Standin> {
  const { plan, shop, now = Date.now } = options
  const orders = standinOrders(plan, options.untouched)
  const tokens = tokenIssuer(shop.credentials.appId ?? '', shop.credentials.appSecret ?? '', plan.seed)
  const counts: Record<string, number> = {}
  let how: Misbehaviour = options.misbehaviour === undefined ? wellBehaved : { ...wellBehaved, ...options.misbehaviour }
  let fetches = 0

  function count(what: string): void {
    counts[what] = (counts[what] ?? 0) + 1
  }

  function issueToken(body: string): string {
    const wanted = parsed(body)
    if (wanted === null) return failure(47001)
    const issued = tokens.issue(wanted as TokenRequest, now(), how.tokenSeconds * 1000)
    if ('errcode' in issued) return failure(issued.errcode)
    // What is said is the platform's usual life; a shorter real one is one of the ways to misbehave.
    const expiresIn = how.tokenSeconds < wellBehaved.tokenSeconds ? wellBehaved.tokenSeconds : issued.expiresIn
    return `{"access_token":"${issued.token}","expires_in":${expiresIn}}`
  }

  function fetch(query: string, body: string, stale: boolean): string {
    const refused = tokens.check(new URLSearchParams(query).get('access_token'), now())
    if (refused !== 0) return failure(refused)
    const asked = parsed(body)
    if (asked === null) return failure(47001)
    if (typeof asked.order_id !== 'string') return failure(40097)
    return orders.answer(asked.order_id, stale) ?? options.also?.get(asked.order_id) ?? failure(10020051)
  }

  /** The reason why a control call is refused, or null. */
  function control(path: string, body: string): string | null {
    const asked = parsed(body)
    if (asked === null) return 'the body is not a JSON object'
    if (path === '/control/misbehave') {
      how = changed(how, asked)
      return null
    }
    return advanceAll(orders, asked)
  }

  function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    if (request.method === 'GET' && path === '/control/stats') send(response, 200, JSON.stringify(counts))
    else if (request.method !== 'POST') send(response, 404, '{}')
    else if (path === '/channels/ec/order/get') answerFetch(response, query, body)
    else if (path === '/cgi-bin/stable_token') {
      count('token')
      send(response, 200, issueToken(body))
    } else if (path === '/control/state' || path === '/control/misbehave') {
      const problem = attempt(() => control(path, body))
      send(response, problem === null ? 200 : 400, JSON.stringify(problem === null ? { ok: true } : { problem }))
    } else send(response, 404, '{}')
  }

  function answerFetch(response: ServerResponse, query: string, body: string): void {
    const { fault, delayMs } = drawFault(how, plan.seed, fetches++)
    if (fault !== 'none') count(fault)
    const text = fault === 'busy' ? failure(-1) : fetch(query, body, fault === 'stale')
    count(text.startsWith('{"errcode":0') ? 'ok' : (/-?\d+/.exec(text)?.[0] ?? 'other'))
    const give = () => sendWith(fault, response, text, how.slowMs)
    if (delayMs === 0) give()
    else setTimeout(give, delayMs)
  }

  const server = await listening(answer, options)
  const { address, port } = server.address() as AddressInfo
  return {
    url: `http://${address}:${port}`,
    advance: orders.advance,
    misbehave: (wanted) => {
      how = changed(how, wanted)
    },
    stats: () => ({ ...counts }),
    close: () => closed(server),
  }
}

/** Why one of the orders cannot be in that state, or null. */
function advanceAll(orders: Pick<Standin, 'advance'>, asked: Record<string, unknown>): string | null {
  for (const { order_id, event } of Array.isArray(asked.states) ? asked.states : [asked]) {
    const problem = orders.advance(String(order_id), String(event))
    if (problem !== null) return problem
  }
  return null
}

async function listening(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  { port = 0, host = '127.0.0.1' }: StandinOptions,
): Promise<Server> {
  const server = createServer((request, response) => readBody(request, (body) => answer(request, response, body)))
  // Longer than any client keeps a connection without asking: the client is the one to close.
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return server
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** A body that is too large or never ends gets no answer: the caller is at fault and this is a test's tool. */
function readBody(request: IncomingMessage, done: (body: string) => void): void {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => {
    text += chunk
    if (text.length > bodyBytesMax) request.destroy()
  })
  request.on('end', () => done(text))
}

function sendWith(fault: string, response: ServerResponse, text: string, slowMs: number): void {
  if (fault === 'server_error') {
    response.writeHead(500, { 'content-type': 'text/html' }).end('<html><body>500 Internal Server Error</body></html>')
  } else if (fault === 'truncated' || fault === 'slow_body') {
    const whole = Buffer.from(text)
    const half = whole.subarray(0, whole.length >> 1)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length })
    if (fault === 'truncated') response.write(half, () => response.destroy())
    else {
      response.write(half)
      setTimeout(() => response.end(whole.subarray(half.length)), slowMs)
    }
  } else send(response, 200, text)
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'application/json; encoding=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

const messages: Readonly<Record<number, string>> = {
  [-1]: 'system busy',
  40001: 'invalid credential, access_token is invalid or not latest',
  40002: 'invalid grant_type',
  40013: 'invalid appid',
  40097: 'invalid args',
  40125: 'invalid appsecret',
  41001: 'access_token missing',
  42001: 'access_token expired',
  47001: 'data format error',
  10020051: 'order not exist',
}

function failure(errcode: number): string {
  return JSON.stringify({ errcode, errmsg: messages[errcode] ?? 'error' })
}

/** The JSON object in a text, or null. */
function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

function attempt(run: () => string | null): string | null {
  try {
    return run()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
