/**
 * The sockets: the only file that knows uWebSockets.js.
 *
 * Goals: every request is answered once; no body is kept beyond its limit; a slow, rude or dying caller costs what it
 * sent and no more; closing loses nothing that was taken. Non-goals: TLS, compression and HTTP/2, which belong to the
 * proxy in front; streaming bodies; HTTP/1.0 (the library answers 505).
 *
 * A request that says twice how long it is, is hung up on: two readers could take it for two different ones.
 *
 * What the library decides by itself, before any code here runs: malformed HTTP is 400 (505 where the version is
 * meant), headers over 16 KiB are 431, both in its own words with the connection closed; a connection whose headers
 * are not whole within about 12 s, or that idles that long, is closed; a request sent on a connection whose previous
 * one is still being worked on closes that connection (pipelining is taken only where answers come at once), so
 * callers that pipeline must be ready to retry.
 */

import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js'
import { randomBytes } from 'node:crypto'
import { errorFields } from '../shared/error-fields.ts'
import { codeAnswer, type HttpAnswer } from './answer.ts'
import { bindAll } from './bind.ts'
import type { Bound, Request } from './bound.ts'
import { connectionsMax } from './connections-max.ts'
import type { ErrorCode } from './errors.ts'
import { Exchange, type ExchangeHost, nowhere } from './exchange.ts'
import { Held } from './held.ts'
import { InHand } from './in-hand.ts'
import { type Matcher, matcher } from './match.ts'
import { decodeAll, lazySignal } from './request.ts'
import type { Method } from './route.ts'
import type { ServeOptions, Server } from './serve-options.ts'

export class ListenError extends Error {
  readonly code = 'cannot_listen'
  readonly retryable = false
}

export async function serve(options: ServeOptions): Promise<Server> {
  const uws = await load()
  const { bodyMsMax = 15_000, answerMsMax = 60_000, requestsMax = 20_000 } = options
  const held = new Held(options.heldBytesMax ?? 128 * 1024 * 1024)
  const inHand = new InHand()
  let closing: Promise<void> | null = null
  const host = hostOf(options, held, inHand, () => closing !== null)
  const connections = counted(options.connectionsMax ?? connectionsMax())
  const take = taker(matcher(bindAll(options)), inHand, host, requestsMax)
  const app = uws.App().filter(connections.count).any('/*', take)
  const socket = await listen(app, options, uws.LIBUS_LISTEN_EXCLUSIVE_PORT)
  const limits = { bodyMsMax, answerMsMax }
  const sweepMs = Math.max(10, Math.min(1000, bodyMsMax / 4, answerMsMax / 4))
  const sweeper = setInterval(() => inHand.sweep(performance.now(), limits), sweepMs)
  sweeper.unref()

  async function drain(deadlineMs: number): Promise<void> {
    uws.us_listen_socket_close(socket)
    await inHand.drained(deadlineMs)
    clearInterval(sweeper)
    // One turn of the loop: the last answers leave their buffers before the sockets go.
    await new Promise((resolve) => setImmediate(resolve))
    app.close()
  }

  return {
    port: uws.us_socket_local_port(socket),
    inFlight: () => inHand.size,
    heldBytes: () => held.bytes,
    connections: connections.now,
    close(deadlineMs = 10_000) {
      closing ??= Promise.resolve().then(() => drain(deadlineMs))
      return closing
    },
  }
}

function hostOf(options: ServeOptions, held: Held, inHand: InHand, closing: () => boolean): ExchangeHost {
  return {
    held,
    closing,
    passes: (error) => options.passes?.(error) ?? false,
    answered(exchange, status) {
      options.observe?.(exchange.request.method, exchange.bound.path, status, performance.now() - exchange.startedMs)
    },
    failed(exchange, error) {
      const { request, bound } = exchange
      const fields = { requestId: request.requestId, method: request.method, path: bound.path }
      options.log?.error({ ...fields, error: errorFields(error) }, 'failed')
    },
    settled(exchange) {
      held.delete(exchange)
      inHand.delete(exchange)
    },
  }
}

/** Makes an exchange of every request. */
function taker(find: Matcher<Bound>, inHand: InHand, host: ExchangeHost, requestsMax: number) {
  const idPrefix = randomBytes(4).toString('hex')
  let requests = 0
  return (res: HttpResponse, req: HttpRequest): void => {
    if (isFramedInDoubt(req)) {
      res.close()
      return
    }
    // The request is only readable during this call.
    const method = req.getCaseSensitiveMethod()
    const found = find(req.getUrl())
    const at = found?.entry.methods.get(method)
    const bound = at?.value ?? nowhere
    const params: Record<string, string> = {}
    let refusal: HttpAnswer | ErrorCode | null = null
    if (found === null) refusal = codeAnswer('not_found')
    else if (at === undefined) refusal = codeAnswer('method_not_allowed', { allow: found.entry.allow })
    else if (!decodeAll(at.names, found.values, params)) refusal = 'malformed_path'
    else if (inHand.size >= requestsMax) refusal = 'try_again'
    const request: Request = {
      method: method as Method,
      params,
      query: req.getQuery() ?? '',
      contentType: req.getHeader('content-type'),
      authorization: bound.needsCredentials ? req.getHeader('authorization') : '',
      remoteAddress: bound.needsCredentials ? Buffer.from(res.getRemoteAddressAsText()).toString() : '',
      requestId: `${idPrefix}-${(++requests).toString(36)}`,
      ...lazySignal(),
    }
    const exchange = new Exchange(res, bound, request, host, method === 'HEAD')
    inHand.add(exchange)
    exchange.start(refusal, Number(req.getHeader('content-length')) || 0)
  }
}

/** `count` is called as a connection comes and goes. */
function counted(connectionsTaken: number) {
  let connections = 0
  return {
    now: () => connections,
    count: (res: HttpResponse, difference: number): void => {
      connections += difference > 0 ? 1 : -1
      if (difference > 0 && connections > connectionsTaken) res.close()
    },
  }
}

/**
 * Loaded on use: the library reads its header limit from the environment while it is loaded, and its own default
 * (4 KiB) is too small for signed query strings behind proxies that add headers.
 */
async function load(): Promise<Library> {
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(16 * 1024)
  const { default: found } = await import('uWebSockets.js')
  const uws = found as unknown as Library
  // No "uWebSockets" header in every answer.
  uws._cfg('silent')
  return uws
}

/** The parts of the library that are used here; its own declaration file lacks three of them. */
interface Library {
  App(): HostListener
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number
  us_listen_socket_close(socket: us_listen_socket): void
  us_socket_local_port(socket: us_listen_socket): number
  _cfg(key: 'silent'): void
}
interface HostListener extends Pick<TemplatedApp, 'close'> {
  filter(track: (res: HttpResponse, difference: number) => void): HostListener
  any(pattern: string, handler: (res: HttpResponse, req: HttpRequest) => void): HostListener
  listen(host: string, port: number, options: number, done: (socket: us_listen_socket | false) => void): unknown
}

function listen(app: HostListener, options: ServeOptions, exclusive: number): Promise<us_listen_socket> {
  const { host, port, sharePort = false } = options
  return new Promise((resolve, reject) => {
    app.listen(host, port, sharePort ? 0 : exclusive, (socket) => {
      if (socket) resolve(socket)
      else reject(new ListenError(`cannot listen on ${host}:${port}: the port is in use, or the host is not ours`))
    })
  })
}

/**
 * Where a body ends must be beyond doubt. The library reads the first length and looks at no other, and takes whatever
 * encoding it is told for chunked; a proxy before us may read otherwise, and then each sees other requests.
 */
function isFramedInDoubt(req: HttpRequest): boolean {
  let framings = 0
  let isOdd = false
  req.forEach((name, value) => {
    if (name !== 'content-length' && name !== 'transfer-encoding') return
    framings++
    if (name === 'transfer-encoding' && value.trim().toLowerCase() !== 'chunked') isOdd = true
  })
  return framings > 1 || isOdd
}
