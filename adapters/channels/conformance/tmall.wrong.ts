import type { WebhookRequest } from '../channel.ts'
import { signTmall, type TmallSignMethod, tmallDigest } from '../tmall/sign.ts'
import { apply, bytes, type Change, changed, fixture, fixtureJson, nowMs, odd } from './fixtures.ts'
import type { SignOptions, Wrong } from './types.ts'

export const credentials = { appKey: '12345678', appSecret: 'helloworld' }
export const message = fixture('samples/top.trade.fullinfo.get.response.json')
export const order = fixtureJson('samples/top.trade.fullinfo.get.response.json')
export const presale = fixtureJson('samples/top.trade.presale.step.response.json')
export const tid = '4089823765510044812'

export function sign(body: Uint8Array, options: SignOptions = {}, signMethod: TmallSignMethod = 'md5'): WebhookRequest {
  const { appKey = '', appSecret = '' } = options.credentials ?? credentials
  const timestampMs = options.timestampMs ?? nowMs
  const query = signTmall({ appKey, appSecret, timestampMs, body, method: 'paidan.trade.push', signMethod })
  return { method: 'POST', query, contentType: 'application/json', body }
}

const tampered = (change: (query: string) => string, body: Uint8Array = message) => {
  const request = sign(message)
  return { ...request, query: change(request.query), body }
}
/** Signed as given, whatever is in it. */
const signedQuery = (query: Record<string, string>) => {
  const params = new Map(Object.entries(query))
  params.set('sign', tmallDigest(params, message, credentials.appSecret, 'md5').toUpperCase())
  return { ...sign(message), query: new URLSearchParams([...params]).toString() }
}

export const trade = (change: Change, from = order) =>
  changed(from, (copy) => apply(copy.trade_fullinfo_get_response.trade, change))
export const line = (change: Change) => trade((copy) => apply(copy.orders.order[0], change))
export const unshared = (copy: ReturnType<typeof fixtureJson>) => {
  for (const one of copy.orders.order) delete one.divide_order_fee
}

export const tmallWrong: readonly Wrong[] = [
  ['a GET', 'not_supported', () => ({ ...sign(message), method: 'GET' })],
  ['wrong secret', 'bad_signature', () => sign(message, { credentials: { ...credentials, appSecret: 'other' } })],
  ['other app_key, signed', 'bad_signature', () => sign(message, { credentials: { ...credentials, appKey: '2' } })],
  ['tampered body', 'bad_signature', () => tampered((query) => query, Buffer.concat([message, Buffer.from(' ')]))],
  ['empty body for another', 'bad_signature', () => tampered((query) => query, new Uint8Array())],
  ['tampered query', 'bad_signature', () => tampered((query) => query.replace('v=2.0', 'v=2.1'))],
  ['added parameter', 'bad_signature', () => tampered((query) => `${query}&customerId=1`)],
  ['no query', 'bad_signature', () => tampered(() => '')],
  ['no sign', 'bad_signature', () => tampered((query) => query.replace(/&sign=.*/, ''))],
  ['empty sign', 'bad_signature', () => tampered((query) => query.replace(/&sign=.*/, '&sign='))],
  ['short sign', 'bad_signature', () => tampered((query) => query.slice(0, -2))],
  ['long sign', 'bad_signature', () => tampered((query) => `${query}00`)],
  ['half a byte more of sign', 'bad_signature', () => tampered((query) => `${query}0`)],
  ['sign not hex', 'bad_signature', () => tampered((query) => `${query.slice(0, -1)}Z`)],
  [
    'lower-case sign',
    'bad_signature',
    () => tampered((query) => query.replace(/[A-F0-9]{32}$/, (hex) => hex.toLowerCase())),
  ],
  ['two signs', 'malformed', () => tampered((query) => `${query}&sign=00`)],
  ['broken percent sign', 'malformed', () => tampered((query) => `${query}&a=%zz`)],
  [
    'unknown sign_method',
    'bad_signature',
    () => tampered((query) => query.replace('sign_method=md5', 'sign_method=none')),
  ],
  [
    'another sign_method',
    'bad_signature',
    () => tampered((query) => query.replace('sign_method=md5', 'sign_method=hmac')),
  ],
  ['11 minutes old', 'stale_timestamp', () => sign(message, { timestampMs: nowMs - 11 * 60_000 })],
  ['11 minutes early', 'stale_timestamp', () => sign(message, { timestampMs: nowMs + 11 * 60_000 })],
  ['no timestamp', 'stale_timestamp', () => signedQuery({ app_key: credentials.appKey })],
  ['timestamp in words', 'stale_timestamp', () => signedQuery({ app_key: credentials.appKey, timestamp: 'now' })],
  ['no app_key', 'bad_signature', () => signedQuery({ timestamp: '2026-11-11 00:10:00' })],
  ['empty body', 'unintelligible', () => sign(new Uint8Array())],
  ['not UTF-8', 'unintelligible', () => sign(odd.notUtf8)],
  ['not JSON', 'unintelligible', () => sign(odd.notJson)],
  ['deep arrays', 'unintelligible', () => sign(odd.deep)],
  ['deep objects', 'unintelligible', () => sign(odd.deepObjects)],
  ['__proto__', 'unintelligible', () => sign(odd.proto)],
  ['an array', 'unintelligible', () => sign(bytes([order]))],
  ['null', 'unintelligible', () => sign(bytes(null))],
  ['a trade that is an array', 'unintelligible', () => sign(bytes({ trade_fullinfo_get_response: { trade: [] } }))],
  ['no tid', 'unintelligible', () => sign(bytes(trade({ tid: undefined, tid_str: undefined })))],
  ['an error answer', 'unintelligible', () => sign(bytes({ error_response: { code: 25 } }))],
]
