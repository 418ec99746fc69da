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
import type { Authenticate } from './admission.ts'
import { codeAnswer, type HttpAnswer } from './answer.ts'
import { type Attempts, attempts } from './attempts.ts'
import type { Bound, Request } from './bound.ts'
import { connectionsMax } from './connections-max.ts'
import type { ErrorCode } from './errors.ts'
import { Exchange, type ExchangeHost, nowhere } from './exchange.ts'
import { Held } from './held.ts'
import { bindJson } from './json-route.ts'
import { matcher } from './match.ts'
import { decodePercent } from './query.ts'
import { bindRaw } from './raw-route.ts'
import { isRaw, type Method, type Route } from './route.ts'
import { sha256 } from './secrets.ts'

export interface ServeOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Several processes listen on one port (SO_REUSEPORT); else a port in use is an error. */
  readonly sharePort?: boolean
  readonly routes: readonly Route[]
  /** Needed as soon as one route asks who calls. */
  readonly authenticate?: Authenticate
  /** For routes that name no limit of their own. Default 256 KiB, the largest webhook there is room for. */
  readonly bodyBytesMax?: number
  /** Default 15 s for a body that trickles below 32 KB/s. */
  readonly bodyMsMax?: number
  /** Default 60 s: twice the longest documented wait of a handler. Then the caller is told to try again. */
  readonly answerMsMax?: number
  /** Default 128 MiB: what all requests hold together; the slowest give way above it. */
  readonly heldBytesMax?: number
  /** Default 20,000 at a time; more are told to try again. */
  readonly requestsMax?: number
  /** Default: 16,384, or what the limit of open files leaves. More are hung up on as they come. */
  readonly connectionsMax?: number
  /** Wrong tokens by address; one made here when absent. */
  readonly attempts?: Attempts
  readonly now?: () => number
  readonly log?: Log
  /** Which failures of handlers pass by themselves: the caller is told to try again. None when absent. */
  readonly passes?: (error: unknown) => boolean
  /** Once an answer, for metrics: the route's path, not the caller's. */
  readonly observe?: (method: string, path: string, status: number, ms: number) => void
  /** For tests: answers are held against their own schemas. */
  readonly checkAnswers?: boolean
}

/** pino's shape. */
export interface Log {
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface Server {
  readonly port: number
  /** Requests being read, worked on or answered. */
  inFlight(): number
  /** Bytes of bodies and answers that they hold together. */
  heldBytes(): number
  connections(): number
  /** Takes nothing new at once, lets running requests finish up to the deadline (10 s), then closes all sockets. */
  close(deadlineMs?: number): Promise<void>
}

export class ListenError extends Error {
  readonly code = 'cannot_listen'
  readonly retryable = false
}

export async function serve(options: ServeOptions): Promise<Server> {
  const uws = await load()
  const { bodyMsMax = 15_000, answerMsMax = 60_000, requestsMax = 20_000, log } = options
  const held = new Held(options.heldBytesMax ?? 128 * 1024 * 1024)
  const connectionsTaken = options.connectionsMax ?? connectionsMax()
  const find = matcher(bindAll(options))
  const active = new Set<Exchange>()
  const idPrefix = randomBytes(4).toString('hex')
  let requests = 0
  let connections = 0
  let closing: Promise<void> | null = null
  let drained = (): void => undefined

  const host: ExchangeHost = {
    held,
    closing: () => closing !== null,
    passes: (error) => options.passes?.(error) ?? false,
    answered(exchange, status) {
      options.observe?.(exchange.request.method, exchange.bound.path, status, performance.now() - exchange.startedMs)
    },
    failed(exchange, error) {
      const { request, bound } = exchange
      log?.error(
        { requestId: request.requestId, method: request.method, path: bound.path, error: errorFields(error) },
        'failed',
      )
    },
    settled(exchange) {
      active.delete(exchange)
      held.delete(exchange)
      if (active.size === 0) drained()
    },
  }

  function take(res: HttpResponse, req: HttpRequest): void {
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
    else if (active.size >= requestsMax) refusal = 'try_again'
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
    active.add(exchange)
    exchange.start(refusal, Number(req.getHeader('content-length')) || 0)
  }

  /** Called as a connection comes and goes. */
  function count(res: HttpResponse, difference: number): void {
    connections += difference > 0 ? 1 : -1
    if (difference > 0 && connections > connectionsTaken) res.close()
  }

  const app = uws.App().filter(count).any('/*', take)
  const socket = await listen(app, options, uws.LIBUS_LISTEN_EXCLUSIVE_PORT)
  const limits = { bodyMsMax, answerMsMax }
  const sweepMs = Math.max(10, Math.min(1000, bodyMsMax / 4, answerMsMax / 4))
  const sweeper = setInterval(() => {
    const nowMs = performance.now()
    for (const exchange of active) exchange.sweep(nowMs, limits)
  }, sweepMs)
  sweeper.unref()

  async function drain(deadlineMs: number): Promise<void> {
    uws.us_listen_socket_close(socket)
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(resolve, deadlineMs)
      drained = () => {
        clearTimeout(deadline)
        resolve()
      }
      for (const exchange of active) exchange.request.abort()
      if (active.size === 0) drained()
    })
    clearInterval(sweeper)
    // One turn of the loop: the last answers leave their buffers before the sockets go.
    await new Promise((resolve) => setImmediate(resolve))
    app.close()
  }

  return {
    port: uws.us_socket_local_port(socket),
    inFlight: () => active.size,
    heldBytes: () => held.bytes,
    connections: () => connections,
    close(deadlineMs = 10_000) {
      closing ??= Promise.resolve().then(() => drain(deadlineMs))
      return closing
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

function bindAll(options: ServeOptions): { method: string; path: string; value: Bound }[] {
  const { bodyBytesMax = 256 * 1024, now = Date.now } = options
  const gate = {
    authenticate: options.authenticate ?? (() => null),
    attempts: options.attempts ?? attempts((token) => sha256(token).toString('base64')),
    now,
    bodyBytesMax,
    checkAnswers: options.checkAnswers ?? false,
  }
  return options.routes.map((route) => ({
    method: route.method,
    path: route.path,
    value: isRaw(route) ? bindRaw(route, bodyBytesMax) : bindJson(route, gate),
  }))
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

// Our longest code is 64 characters: 576 when each is three bytes, percent-encoded.
const segmentCharactersMax = 1024

function decodeAll(names: readonly string[], values: readonly string[], into: Record<string, string>): boolean {
  for (let i = 0; i < names.length; i++) {
    const value = values[i]!.length > segmentCharactersMax ? null : decodePercent(values[i]!)
    if (value === null) return false
    into[names[i]!] = value
  }
  return true
}

function lazySignal(): Pick<Request, 'signal' | 'abort'> {
  let controller: AbortController | null = null
  let aborted = false
  return {
    signal() {
      controller ??= new AbortController()
      if (aborted) controller.abort()
      return controller.signal
    },
    abort() {
      aborted = true
      controller?.abort()
    },
  }
}
