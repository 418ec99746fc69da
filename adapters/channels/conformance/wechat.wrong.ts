/** How WeChat signs, and each way in which a request of its can be wrong. */
import { createCipheriv } from 'node:crypto'
import { formatForm } from '../../shared/form.ts'
import type { WebhookRequest } from '../channel.ts'
import { encryptWechat, wechatDigest } from '../wechat/crypto.ts'
import { apply, bytes, type Change, changed, fixture, fixtureJson, nowMs, odd } from './fixtures.ts'
import type { SignOptions, Wrong } from './types.ts'

const key = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG'
export const credentials = {
  appId: 'wxbad0b45542aa0b5e',
  token: 'AAAAA',
  encodingAesKey: key,
  appSecret: 'unused here',
}
export const message = fixture('samples/wechat.push.channels_ec_order_pay.plain.json')
export const push = fixtureJson('samples/wechat.push.channels_ec_order_pay.plain.json')
export const order = fixtureJson('samples/wechat.channels.order.get.response.json')
const nonce = '1514711492'

export function sign(content: Uint8Array, options: SignOptions = {}, format: 'json' | 'xml' = 'json'): WebhookRequest {
  const { appId = '', token = '', encodingAesKey = '' } = options.credentials ?? credentials
  const sealed = encryptWechat({
    token,
    encodingAesKey: encodingAesKey || key,
    appId,
    message: content,
    timestamp: String(Math.floor((options.timestampMs ?? nowMs) / 1000)),
    nonce,
    random: Buffer.from('0123456789abcdef'),
    format,
  })
  return { method: 'POST', query: sealed.query, contentType: 'application/json', body: Buffer.from(sealed.body) }
}

/** A properly signed envelope around whatever ciphertext. */
function envelope(encrypted: string): WebhookRequest {
  const timestamp = '1794326401'
  const query = formatForm([
    ['timestamp', timestamp],
    ['nonce', nonce],
    ['encrypt_type', 'aes'],
    ['msg_signature', wechatDigest(credentials.token, timestamp, nonce, encrypted)],
  ])
  return { method: 'POST', query, contentType: '', body: bytes({ ToUserName: 'x', Encrypt: encrypted }) }
}

/** Plain bytes, a multiple of 16, sealed as they are. */
function sealedRaw(plain: Uint8Array): WebhookRequest {
  const aes = Buffer.from(`${key}=`, 'base64')
  const cipher = createCipheriv('aes-256-cbc', aes, aes.subarray(0, 16)).setAutoPadding(false)
  return envelope(Buffer.concat([cipher.update(plain), cipher.final()]).toString('base64'))
}

const encryptedOf = (request: WebhookRequest): string => JSON.parse(Buffer.from(request.body).toString()).Encrypt
const tampered = (change: (query: string) => string) => {
  const request = sign(message)
  return { ...request, query: change(request.query) }
}
const event = (change: Change) => sign(bytes(changed(push, (copy) => apply(copy, change))))
export const pulled = (change: Change) => changed(order, (copy) => apply(copy.order, change))
export const product = (change: Change) => pulled((copy) => apply(copy.order_detail.product_infos[0], change))

export const wechatWrong: readonly Wrong[] = [
  ['wrong token', 'bad_signature', () => sign(message, { credentials: { ...credentials, token: 'BBBBB' } })],
  ['wrong appid', 'bad_signature', () => sign(message, { credentials: { ...credentials, appId: 'wx2' } })],
  [
    'longer appid',
    'bad_signature',
    () => sign(message, { credentials: { ...credentials, appId: `${credentials.appId}x` } }),
  ],
  ['no appid', 'bad_signature', () => sign(message, { credentials: { ...credentials, appId: '' } })],
  [
    'wrong key',
    'malformed',
    () => sign(message, { credentials: { ...credentials, encodingAesKey: `B${key.slice(1)}` } }),
  ],
  ['tampered timestamp', 'bad_signature', () => tampered((query) => query.replace('timestamp=1', 'timestamp=2'))],
  ['tampered nonce', 'bad_signature', () => tampered((query) => query.replace('nonce=1', 'nonce=2'))],
  ['another ciphertext', 'bad_signature', () => ({ ...sign(message), body: sign(bytes(order)).body })],
  ['no msg_signature', 'bad_signature', () => tampered((query) => query.replace(/&msg_signature=.*/, ''))],
  ['short msg_signature', 'bad_signature', () => tampered((query) => query.slice(0, -2))],
  ['long msg_signature', 'bad_signature', () => tampered((query) => `${query}00`)],
  ['half a byte more of msg_signature', 'bad_signature', () => tampered((query) => `${query}0`)],
  ['msg_signature not hex', 'bad_signature', () => tampered((query) => `${query.slice(0, -1)}z`)],
  ['two signatures', 'malformed', () => tampered((query) => `${query}&msg_signature=00`)],
  [
    'the plain mode',
    'not_supported',
    () => ({ ...tampered((query) => query.replace('encrypt_type=aes&', '')), body: message }),
  ],
  ['no Encrypt', 'malformed', () => ({ ...sign(message), body: bytes({ ToUserName: 'x' }) })],
  ['Encrypt as an object', 'malformed', () => ({ ...sign(message), body: bytes({ Encrypt: {} }) })],
  ['an array', 'malformed', () => ({ ...sign(message), body: bytes([]) })],
  ['empty body', 'malformed', () => ({ ...sign(message), body: new Uint8Array() })],
  ['body not UTF-8', 'malformed', () => ({ ...sign(message), body: odd.notUtf8 })],
  ['body deep', 'malformed', () => ({ ...sign(message), body: odd.deep })],
  ['XML without an end', 'malformed', () => ({ ...sign(message), body: Buffer.from('<xml><Encrypt>abc') })],
  ['ciphertext cut off inside a block', 'malformed', () => envelope(encryptedOf(sign(message)).slice(0, -8))],
  [
    'ciphertext cut off at a block',
    'malformed',
    () =>
      envelope(
        Buffer.from(encryptedOf(sign(message)), 'base64')
          .subarray(0, -32)
          .toString('base64'),
      ),
  ],
  ['empty ciphertext', 'malformed', () => envelope('')],
  ['ciphertext not base64', 'malformed', () => envelope('****')],
  ['padding of nothing', 'malformed', () => sealedRaw(Buffer.alloc(64))],
  ['padding longer than a block', 'malformed', () => sealedRaw(Buffer.alloc(64, 33))],
  ['padding junk', 'malformed', () => sealedRaw(Buffer.concat([Buffer.alloc(61), Buffer.from([1, 2, 3])]))],
  ['nothing but padding', 'malformed', () => sealedRaw(Buffer.alloc(32, 32))],
  [
    'a length beyond the end',
    'malformed',
    () => sealedRaw(Buffer.concat([Buffer.alloc(16), Buffer.from([255, 255, 255, 255]), Buffer.alloc(12, 12)])),
  ],
  ['empty message', 'unintelligible', () => sign(new Uint8Array())],
  ['message not UTF-8', 'unintelligible', () => sign(odd.notUtf8)],
  ['message not JSON', 'unintelligible', () => sign(odd.notJson)],
  ['message deep', 'unintelligible', () => sign(odd.deep)],
  [
    'message deep XML',
    'unintelligible',
    () => sign(Buffer.from(`<xml>${'<a>'.repeat(20_000)}${'</a>'.repeat(20_000)}</xml>`)),
  ],
  ['message of broken XML', 'unintelligible', () => sign(Buffer.from('<xml><Event>channels_ec_order_pay'))],
  [
    'message with a document type',
    'unintelligible',
    () => sign(Buffer.from('<!DOCTYPE xml [<!ENTITY a "b">]><xml><Event>&a;</Event></xml>')),
  ],
  ['message an array', 'unintelligible', () => sign(bytes([push]))],
  [
    'no order id',
    'unintelligible',
    () =>
      event((copy) => {
        delete copy.order_info.order_id
      }),
  ],
  ['no order_info', 'unintelligible', () => event({ order_info: [] })],
  ['no sender', 'unintelligible', () => event({ FromUserName: undefined })],
  ['no time', 'unintelligible', () => event({ CreateTime: 0 })],
  ['a time in 10^20 s', 'unintelligible', () => event({ CreateTime: 1e20 })],
  [
    'an event name without end',
    'unintelligible',
    () =>
      event((copy) => {
        copy.Event += 'x'.repeat(200)
      }),
  ],
  ['__proto__', 'ignored', () => sign(odd.proto)],
  ['another event', 'ignored', () => event({ Event: 'subscribe' })],
  ['a waybill event', 'ignored', () => sign(fixture('samples/wechat.push.ewaybill_push_path.plain.json'))],
  [
    'a settlement event',
    'ignored',
    () => sign(fixture('samples/wechat.push.trade_manage_order_settlement.plain.json')),
  ],
  ['an XML waybill event', 'ignored', () => sign(fixture('samples/wechat.push.add_express_path.plain.xml'), {}, 'xml')],
]
