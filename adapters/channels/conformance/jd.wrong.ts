import { parseForm } from '../../shared/form.ts'
import type { WebhookRequest } from '../channel.ts'
import { jdDigest, signJd } from '../jd/sign.ts'
import { apply, bytes, type Change, changed, fixture, fixtureJson, nowMs, odd } from './fixtures.ts'
import type { SignOptions, Wrong } from './types.ts'

export const credentials = { appKey: 'JDAPPKEY0001', appSecret: 'jdsecret' }
export const message = fixture('samples/jd.pop.order.enGet.response.json')
export const order = fixtureJson('samples/jd.pop.order.enGet.response.json')

/** Bytes that are no text are written into the form as they are, percent-encoded. */
export function sign(param: Uint8Array, options: SignOptions = {}): WebhookRequest {
  const { appKey = '', appSecret = '' } = options.credentials ?? credentials
  const timestampMs = options.timestampMs ?? nowMs
  const method = 'jingdong.pop.order.enGet'
  const template = parseForm(Buffer.from(signJd({ appKey, appSecret, timestampMs, method, param: '-' })))!
  template.set('360buy_param_json', Buffer.from(param))
  return signed(template, appSecret)
}

function signed(params: Map<string, Buffer>, appSecret = credentials.appSecret): WebhookRequest {
  params.delete('sign')
  params.set('sign', Buffer.from(jdDigest(params, appSecret).toUpperCase()))
  const body = [...params].map(([name, value]) => `${name}=${value.toString('hex').replace(/../g, '%$&')}`).join('&')
  return { method: 'POST', query: '', contentType: 'application/x-www-form-urlencoded', body: Buffer.from(body) }
}

const tampered = (change: (body: string) => string) => {
  const request = sign(message)
  return { ...request, body: Buffer.from(change(Buffer.from(request.body).toString('latin1'))) }
}
const signedFields = (fields: Record<string, string>) =>
  signed(new Map(Object.entries(fields).map(([name, value]) => [name, Buffer.from(value)])))

export const info = (change: Change) =>
  changed(order, (copy) => apply(copy.jingdong_pop_order_enGet_responce.orderDetailInfo.orderInfo, change))
export const item = (change: Change) => info((copy) => apply(copy.itemInfoList[0], change))
export const orderInfo = order.jingdong_pop_order_enGet_responce.orderDetailInfo.orderInfo

export const jdWrong: readonly Wrong[] = [
  ['a GET', 'not_supported', () => ({ ...sign(message), method: 'GET' })],
  ['wrong secret', 'bad_signature', () => sign(message, { credentials: { ...credentials, appSecret: 'other' } })],
  ['other app_key, signed', 'bad_signature', () => sign(message, { credentials: { ...credentials, appKey: '2' } })],
  ['tampered param', 'bad_signature', () => tampered((body) => body.replace('%33%31%32', '%33%31%33'))],
  ['tampered field', 'bad_signature', () => tampered((body) => body.replace('v=%32', 'v=%33'))],
  ['added field', 'bad_signature', () => tampered((body) => `${body}&a=1`)],
  ['added query', 'bad_signature', () => ({ ...sign(message), query: 'a=1' })],
  ['a field twice, once in the query', 'malformed', () => ({ ...sign(message), query: 'v=2.0' })],
  ['no sign', 'bad_signature', () => tampered((body) => body.replace(/&sign=.*/, ''))],
  ['short sign', 'bad_signature', () => tampered((body) => body.slice(0, -6))],
  ['long sign', 'bad_signature', () => tampered((body) => `${body}00`)],
  ['half a byte more of sign', 'bad_signature', () => tampered((body) => `${body}0`)],
  ['two signs', 'malformed', () => tampered((body) => `${body}&sign=00`)],
  ['broken percent sign', 'malformed', () => tampered((body) => `${body}&a=%zz`)],
  ['7 minutes old', 'stale_timestamp', () => sign(message, { timestampMs: nowMs - 7 * 60_000 })],
  ['7 minutes early', 'stale_timestamp', () => sign(message, { timestampMs: nowMs + 7 * 60_000 })],
  ['no timestamp', 'stale_timestamp', () => signedFields({ app_key: credentials.appKey })],
  ['no app_key', 'bad_signature', () => signedFields({ timestamp: '2026-11-11 00:10:00' })],
  ['no param', 'malformed', () => signedFields({ app_key: credentials.appKey, timestamp: '2026-11-11 00:10:00' })],
  ['empty body', 'bad_signature', () => ({ ...sign(message), body: new Uint8Array() })],
  ['a JSON body', 'malformed', () => ({ ...sign(message), body: bytes({ 'a\u4e00': 1 }) })],
  ['empty param', 'unintelligible', () => sign(new Uint8Array())],
  ['not UTF-8', 'unintelligible', () => sign(odd.notUtf8)],
  ['not JSON', 'unintelligible', () => sign(odd.notJson)],
  ['deep arrays', 'unintelligible', () => sign(odd.deep)],
  ['deep objects', 'unintelligible', () => sign(odd.deepObjects)],
  ['__proto__', 'unintelligible', () => sign(odd.proto)],
  ['an array', 'unintelligible', () => sign(bytes([orderInfo]))],
  ['orderInfo as an array', 'unintelligible', () => sign(bytes({ orderInfo: [orderInfo] }))],
  ['no orderId', 'unintelligible', () => sign(bytes(info({ orderId: undefined })))],
  ['an error answer', 'unintelligible', () => sign(bytes({ error_response: { code: '19' } }))],
]
