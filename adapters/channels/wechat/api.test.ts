import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { ApiShop } from '../order-api.ts'
import { OutboundError } from '../outbound/errors.ts'
import { WechatApi, type WechatApiOptions } from './api.ts'

const credentials = { appId: 'wx1', appSecret: 'secret-1' }

type Handler = (response: ServerResponse, request: { path: string; token: string | null; body: string }) => void

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A real server; each path takes its handlers in turn and stays with the last one. */
async function platform(handlers: Record<string, Handler | Handler[]>) {
  const calls: { path: string; token: string | null; body: string }[] = []
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = ''
    for await (const piece of request) body += piece
    const url = new URL(request.url ?? '', 'http://x')
    const call = { path: url.pathname, token: url.searchParams.get('access_token'), body }
    calls.push(call)
    const handler = handlers[call.path]
    const turn = calls.filter((made) => made.path === call.path).length - 1
    if (handler === undefined) response.writeHead(404).end()
    else (Array.isArray(handler) ? handler[Math.min(turn, handler.length - 1)]! : handler)(response, call)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const apiBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { calls, shop: { shop: 's1', apiBaseUrl, credentials } satisfies ApiShop }
}

function client(options: Partial<WechatApiOptions> = {}) {
  const api = new WechatApi({ pauseMs: 1, attemptsMax: 3, random: () => 0, ...options })
  closing.push(() => api.close())
  return api
}

const json =
  (body: unknown, status = 200): Handler =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const orderPath = '/channels/ec/order/get'
const tokenPath = '/cgi-bin/stable_token'
const token = (value: string) => json({ access_token: value, expires_in: 7200 })
const order = json({ errcode: 0, errmsg: 'ok', order: { order_id: '3705115058471208928' } })
const silent: Handler = () => {}
const cutOff: Handler = (response) => {
  response.writeHead(200, { 'content-length': '1000' })
  response.write('{"errcode":0')
  setImmediate(() => response.destroy())
}
const dripping: Handler = (response) => {
  const timer = setInterval(() => response.write(' '), 10)
  response.on('close', () => clearInterval(timer))
}
const huge: Handler = (response) => {
  response.on('error', () => {})
  response.end(`{"errcode":0,"order":"${'x'.repeat(100_000)}"}`)
}
const getOrder = (api: WechatApi, shop: ApiShop, signal?: AbortSignal) =>
  api.getOrder(shop, '3705115058471208928', signal)
const errorOf = async (call: Promise<unknown>): Promise<OutboundError> => {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof OutboundError)) throw new Error('expected a OutboundError')
  return error
}

test('an order: the token is asked for once, the answer is given byte for byte', async () => {
  const { calls, shop } = await platform({ [tokenPath]: token('T1'), [orderPath]: order })
  const api = client()
  const fetched = await Promise.all([getOrder(api, shop), getOrder(api, shop)])
  const body = Buffer.from('{"errcode":0,"errmsg":"ok","order":{"order_id":"3705115058471208928"}}')
  for (const one of fetched) expect(one.outcome === 'order' && body.equals(one.body)).toBe(true)
  expect(calls.map((call) => [call.path, call.token])).toEqual([
    [tokenPath, null],
    [orderPath, 'T1'],
    [orderPath, 'T1'],
  ])
  expect(JSON.parse(calls[0]!.body)).toEqual({ grant_type: 'client_credential', appid: 'wx1', secret: 'secret-1' })
  expect(calls[1]!.body).toBe('{"order_id":"3705115058471208928"}')
})

test('a base URL with a path keeps it', async () => {
  const { calls, shop } = await platform({ [`/relay${tokenPath}`]: token('T1'), [`/relay${orderPath}`]: order })
  await getOrder(client(), { ...shop, apiBaseUrl: `${shop.apiBaseUrl}/relay/` })
  expect(calls.map((call) => call.path)).toEqual([`/relay${tokenPath}`, `/relay${orderPath}`])
})

test('a token lapses, early', async () => {
  let now = 1_000_000
  const { calls, shop } = await platform({ [tokenPath]: [token('T1'), token('T2')], [orderPath]: order })
  const api = client({ now: () => now })
  for (const step of [0, 7_100_000, 60_000]) {
    now += step
    await getOrder(api, shop)
  }
  expect(calls.filter((call) => call.path === orderPath).map((call) => call.token)).toEqual(['T1', 'T1', 'T2'])
})

test.each([40001, 40014, 42001])('errcode %i: the token is fetched anew, once', async (errcode) => {
  const { calls, shop } = await platform({
    [tokenPath]: [token('T1'), token('T2')],
    [orderPath]: [json({ errcode }), order],
  })
  expect((await getOrder(client(), shop)).outcome).toBe('order')
  expect(calls.filter((call) => call.path === orderPath).map((call) => call.token)).toEqual(['T1', 'T2'])
})

test('a token that is refused again: denied, and no more tried', async () => {
  const { calls, shop } = await platform({ [tokenPath]: token('T1'), [orderPath]: json({ errcode: 40001 }) })
  expect(await errorOf(getOrder(client(), shop))).toMatchObject({ code: 'wechat_api_denied', retryable: false })
  expect(calls.filter((call) => call.path === orderPath).length).toBe(2)
})

test('a relay that adds the token: no token, and it is not asked for again until later', async () => {
  let now = 0
  const { calls, shop } = await platform({ [orderPath]: order })
  const api = client({ now: () => now })
  await getOrder(api, shop)
  await getOrder(api, shop)
  now += 3_600_000
  await getOrder(api, shop)
  expect(calls.map((call) => [call.path, call.token])).toEqual([
    [tokenPath, null],
    [orderPath, null],
    [orderPath, null],
    [tokenPath, null],
    [orderPath, null],
  ])
})

test('another errcode: the platform does not give this order', async () => {
  const { shop } = await platform({ [tokenPath]: token('T1'), [orderPath]: json({ errcode: 10020002 }) })
  expect(await getOrder(client(), shop)).toEqual({ outcome: 'not_found', platformCode: 10020002 })
})

describe('what passes is tried again', () => {
  test.each<[name: string, first: Handler]>([
    ['500', json({}, 500)],
    ['503', json({}, 503)],
    ['429', json({}, 429)],
    ['errcode -1', json({ errcode: -1 })],
    ['errcode 45011', json({ errcode: 45011 })],
    ['cut off', cutOff],
    ['no JSON', (response) => response.end('<html>')],
    ['not UTF-8', (response) => response.end(Buffer.from([0x7b, 0xff, 0x7d]))],
    ['an array', json([])],
    ['an errcode in words', json({ errcode: 'ok' })],
    ['silence', silent],
    ['drip by drip', dripping],
  ])('%s', async (_name, first) => {
    const { calls, shop } = await platform({ [tokenPath]: token('T1'), [orderPath]: [first, order] })
    expect((await getOrder(client({ callTimeoutMs: 200 }), shop)).outcome).toBe('order')
    expect(calls.filter((call) => call.path === orderPath).length).toBe(2)
  })
  test('also when the token is asked for', async () => {
    const { shop } = await platform({
      [tokenPath]: [json({}, 502), json({ errcode: -1 }), token('T')],
      [orderPath]: order,
    })
    expect((await getOrder(client(), shop)).outcome).toBe('order')
  })
})

describe('and given up', () => {
  test.each<[name: string, handler: Handler, code: string, retryable: boolean, calls: number]>([
    ['always 500', json({}, 500), 'wechat_api_busy', true, 3],
    ['always cut off', cutOff, 'wechat_api_unreachable', true, 3],
    ['never JSON', (response) => response.end('{'), 'wechat_api_bad_answer', true, 3],
    ['silence', silent, 'wechat_api_unreachable', true, 3],
    ['huge', huge, 'wechat_api_answer_too_large', false, 1],
    ['401', json({}, 401), 'wechat_api_denied', false, 1],
    ['404', json({}, 404), 'wechat_api_denied', false, 1],
    ['a redirect', (response) => response.writeHead(302, { location: '/' }).end(), 'wechat_api_denied', false, 1],
    ['not granted', json({ errcode: 48001 }), 'wechat_api_denied', false, 1],
  ])('%s', async (_name, handler, code, retryable, attempts) => {
    const { calls, shop } = await platform({ [tokenPath]: token('T-very-secret'), [orderPath]: handler })
    const error = await errorOf(getOrder(client({ callTimeoutMs: 100, answerBytesMax: 50_000 }), shop))
    expect({ code: error.code, retryable: error.retryable }).toEqual({ code, retryable })
    expect(calls.filter((call) => call.path === orderPath).length).toBe(attempts)
    expect(`${error.message} ${String(error.cause)}`).not.toMatch(/secret|3705115058471208928|127\.0\.0\.1/)
  })
  test('a wrong secret', async () => {
    const { shop } = await platform({ [tokenPath]: json({ errcode: 40125 }), [orderPath]: order })
    expect(await errorOf(getOrder(client(), shop))).toMatchObject({ code: 'wechat_api_denied', platformCode: 40125 })
  })
  test('nobody listens', async () => {
    const shop = { shop: 's', apiBaseUrl: 'http://127.0.0.1:1', credentials }
    expect(await errorOf(getOrder(client(), shop))).toMatchObject({ code: 'wechat_api_unreachable', retryable: true })
  })
  test.each(['', 'ftp://x', 'x'])('base URL %j', async (apiBaseUrl) => {
    const shop = { shop: 's', apiBaseUrl, credentials }
    expect(await errorOf(getOrder(client(), shop))).toMatchObject({ code: 'wechat_api_denied', retryable: false })
  })
})

test('a shop has so many calls at a time, the rest wait, and too many are refused', async () => {
  const held: ServerResponse[] = []
  const { shop } = await platform({
    [tokenPath]: token('T1'),
    [orderPath]: (response) => {
      held.push(response)
      if (held.length === 2) for (const one of held.splice(0)) order(one, { path: '', token: null, body: '' })
    },
  })
  const api = client({ callsPerShopMax: 2, waitingPerShopMax: 2 })
  const calls = [1, 2, 3, 4].map(() => getOrder(api, shop))
  expect(await errorOf(getOrder(api, shop))).toMatchObject({ code: 'wechat_api_overloaded', retryable: true })
  expect((await Promise.all(calls)).map((fetched) => fetched.outcome)).toEqual(['order', 'order', 'order', 'order'])
})

describe('the caller goes away', () => {
  test('before', async () => {
    const { calls, shop } = await platform({})
    expect((await errorOf(getOrder(client(), shop, AbortSignal.abort()))).code).toBe('wechat_api_aborted')
    expect(calls).toEqual([])
  })
  test('while the platform thinks, and while it waits for its turn: its place goes to the next', async () => {
    const controller = new AbortController()
    const { shop } = await platform({
      [tokenPath]: token('T1'),
      [orderPath]: [() => controller.abort(), order],
    })
    const api = client({ callsPerShopMax: 1 })
    const errors = Promise.all([1, 2].map(() => errorOf(getOrder(api, shop, controller.signal))))
    const last = getOrder(api, shop)
    expect((await errors).map((error) => error.code)).toEqual(['wechat_api_aborted', 'wechat_api_aborted'])
    expect((await last).outcome).toBe('order')
  })
  test('between two attempts', async () => {
    const controller = new AbortController()
    const { calls, shop } = await platform({
      [tokenPath]: token('T1'),
      [orderPath]: (response) => {
        response.on('close', () => controller.abort())
        response.writeHead(500, { connection: 'close' }).end()
      },
    })
    const error = await errorOf(getOrder(client({ pauseMs: 60_000 }), shop, controller.signal))
    expect(error.code).toBe('wechat_api_aborted')
    expect(calls.filter((call) => call.path === orderPath).length).toBe(1)
  })
})

test('closed: calls under way end', async () => {
  const api = client({ attemptsMax: 1 })
  const { shop } = await platform({ [tokenPath]: token('T1'), [orderPath]: () => void api.close() })
  expect((await errorOf(getOrder(api, shop))).code).toBe('wechat_api_unreachable')
})
