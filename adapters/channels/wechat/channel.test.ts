import { describe, expect, test } from 'vitest'
import { changed, fixture, fixtureJson, vectors } from '../conformance/fixtures.ts'
import { fetchedOrderEvent, wechat } from './channel.ts'
import { encryptWechat, wechatDigest } from './crypto.ts'

const { token, encodingAESKey: encodingAesKey, appid: appId } = vectors.wechatPush
const credentials = { token, encodingAesKey, appId, appSecret: 'x' }
const push = (message: Uint8Array, format: 'json' | 'xml' = 'json') => {
  const random = Buffer.from('0123456789abcdef')
  const { query, body } = encryptWechat({ ...credentials, message, timestamp: '1', nonce: '2', random, format })
  return wechat.receive({ method: 'POST', query, contentType: '', body: Buffer.from(body) }, credentials, 0)
}

describe('the check of our URL', () => {
  const [{ timestamp, nonce, signature }] = vectors.wechatPlain
  const query = `signature=${signature}&timestamp=${timestamp}&nonce=${nonce}`
  test.each([
    [`${query}&echostr=4375120948345356249`, { outcome: 'echo', body: '4375120948345356249' }],
    [`${query}&echostr=a%2Bb%20c`, { outcome: 'echo', body: 'a+b c' }],
    [query, { outcome: 'refused', code: 'malformed' }],
    [`${query.replace('nonce=1', 'nonce=2')}&echostr=1`, { outcome: 'refused', code: 'bad_signature' }],
    [`${query.replace('signature=f', 'signature=e')}&echostr=1`, { outcome: 'refused', code: 'bad_signature' }],
    ['echostr=1', { outcome: 'refused', code: 'bad_signature' }],
    ['', { outcome: 'refused', code: 'bad_signature' }],
  ])('%s', (given, expected) => {
    const request = { method: 'GET', query: given, contentType: '', body: new Uint8Array() } as const
    expect(wechat.receive(request, credentials, Number(timestamp) * 1000)).toEqual(expected)
  })
})

test.each([
  'channels_ec_order_new',
  'channels_ec_order_pay',
  'channels_ec_order_wait_shipping',
  'channels_ec_order_deliver',
  'channels_ec_order_confirm',
  'channels_ec_order_cancel',
  'channels_ec_order_settle',
  'channels_ec_order_ext_info_update',
  'channels_ec_aftersale_update',
])('%s is a notification', (name) => {
  const received = push(fixture(`samples/wechat.push.${name}.plain.json`))
  expect(received).toMatchObject({ kind: 'notification', orderId: '3705115058471208928' })
  expect(received.outcome === 'event' && received.eventId).toMatch(`:${name}:3705115058471208928`)
  expect(
    received.outcome === 'event' && wechat.normalise('notification', received.payload, { shop: 's1', skuMap: {} }),
  ).toEqual({
    type: 'notification',
    channel: 'wechat',
    shop: 's1',
    orderId: '3705115058471208928',
  })
})

test('two steps of one after-sale within a second are two events', () => {
  const sample = fixtureJson('samples/wechat.push.channels_ec_aftersale_update.plain.json')
  const ids = ['MERCHANT_PROCESSING', 'USER_WAIT_RETURN'].map((status) => {
    const message = changed(sample, (copy) => Object.assign(copy.finder_shop_aftersale_status_update, { status }))
    const received = push(Buffer.from(JSON.stringify(message)))
    return received.outcome === 'event' && received.eventId
  })
  expect(new Set(ids).size).toBe(2)
})

test.each([
  ['channels_ec_order_ext_info_update', 'type', [2, 1]],
  ['channels_ec_order_deliver', 'finish_delivery', [0, 1]],
])('two of %s within a second that differ in %s are two events', (name, field, values) => {
  const sample = fixtureJson(`samples/wechat.push.${name}.plain.json`)
  const ids = values.map((value) => {
    const received = push(
      Buffer.from(JSON.stringify(changed(sample, (copy) => Object.assign(copy.order_info, { [field]: value })))),
    )
    return received.outcome === 'event' && received.eventId
  })
  expect(new Set(ids).size).toBe(2)
})

test('XML says the same as JSON', () => {
  const xml =
    '<xml><ToUserName><![CDATA[gh]]></ToUserName><FromUserName><![CDATA[oUser]]></FromUserName>' +
    '<CreateTime>1794326405</CreateTime><MsgType><![CDATA[event]]></MsgType>' +
    '<Event><![CDATA[channels_ec_order_pay]]></Event>' +
    '<order_info><order_id>3705115058471208928</order_id><pay_time>1794326404</pay_time></order_info></xml>'
  expect(push(Buffer.from(xml), 'xml')).toMatchObject({
    kind: 'notification',
    eventId: 'oUser:1794326405:channels_ec_order_pay:3705115058471208928',
    orderId: '3705115058471208928',
    occurredAt: 1794326405000,
  })
})

describe('a fetched order', () => {
  const body = fixture('samples/wechat.channels.order.get.response.json')
  test('is named by id, time, status, its bytes and the fetch', () => {
    const event = fetchedOrderEvent(body, '70')
    expect(event).toMatchObject({ kind: 'order', orderId: '3705115058471208928', occurredAt: 1794326405000 })
    expect(event.eventId).toMatch(/^order:3705115058471208928:1794326405:20:[0-9a-f]{16}@70$/)
    expect(event.payload).toBe(body)
    expect(fetchedOrderEvent(Buffer.from(body), '70').eventId).toBe(event.eventId)
    expect(wechat.fetch!.numberOf(event.eventId)).toBe(70)
  })
  test('that is the same again, asked for later, is another event', () => {
    expect(fetchedOrderEvent(body, '70').eventId).not.toBe(fetchedOrderEvent(body, '71').eventId)
  })
  test('that was named before fetches had numbers has none', () => {
    expect(wechat.fetch!.numberOf('order:3705115058471208928:1794326405:20:1234567890123456')).toBe(0)
  })
  test('changed within its update_time is another event', () => {
    const sample = fixtureJson('samples/wechat.channels.order.get.response.json')
    const other = changed(sample, (copy) => {
      copy.order.order_detail.product_infos[0].on_aftersale_sku_cnt = 1
    })
    const ids = [sample, other].map((one) => fetchedOrderEvent(Buffer.from(JSON.stringify(one)), '1').eventId)
    expect(new Set(ids).size).toBe(2)
  })
  test.each(['', '{', '{"errcode":40001}', '{"errcode":0,"order":{}}', '[]', '<xml><order/></xml>'])(
    'that is none is kept for a person: %s',
    (text) => {
      expect(fetchedOrderEvent(Buffer.from(text), '1')).toMatchObject({ kind: 'unintelligible', orderId: '' })
    },
  )
})

describe('the signed time', () => {
  const nowMs = 1_794_326_400_000
  const hour = 3_600_000
  const sent = (atMs: number, toleranceMs?: number) => {
    const timestamp = String(Math.floor(atMs / 1000))
    const message = fixture('samples/wechat.push.channels_ec_order_pay.plain.json')
    const random = Buffer.alloc(16)
    const { query, body } = encryptWechat({ ...credentials, message, timestamp, nonce: '2', random })
    const request = { method: 'POST', query, contentType: '', body: Buffer.from(body) } as const
    const received = wechat.receive(request, credentials, nowMs, toleranceMs)
    return received.outcome === 'refused' ? received.code : received.outcome
  }
  test.each<[offMs: number, toleranceMs: number | undefined, outcome: string]>([
    [0, undefined, 'event'],
    // The last of ten pushes comes after 3.6 hours, perhaps signed when the first was.
    [-4 * hour, undefined, 'event'],
    [-6 * hour, undefined, 'event'],
    [-6 * hour - 1000, undefined, 'stale_timestamp'],
    [600_000, undefined, 'event'],
    [601_000, undefined, 'stale_timestamp'],
    // A tolerance may widen both ways, and narrow only what no redelivery needs.
    [-7 * hour, 8 * hour, 'event'],
    [-4 * hour, 1000, 'event'],
    [2000, 1000, 'stale_timestamp'],
  ])('%i ms off with a tolerance of %s ms: %s', (offMs, toleranceMs, outcome) => {
    expect(sent(nowMs + offMs, toleranceMs)).toBe(outcome)
  })
  test.each(['', '-1', '1e9', '0x10', '99999999999', ' 1', 'NaN'])('that is none, signed: %j', (timestamp) => {
    const query = new URLSearchParams({ timestamp, nonce: 'n', echostr: 'x' })
    query.set('signature', wechatDigest(token, timestamp, 'n'))
    const request = { method: 'GET', query: query.toString(), contentType: '', body: new Uint8Array() } as const
    expect(wechat.receive(request, credentials, 0)).toEqual({ outcome: 'refused', code: 'stale_timestamp' })
  })
})

test.each<[encodingAesKey: string, flaw: string | null]>([
  [encodingAesKey, null],
  [encodingAesKey.slice(1), 'encodingAesKey: must be 43 letters and digits, this one has 42. '],
  [`${encodingAesKey}=`, 'encodingAesKey: must be 43 letters and digits, this one has 44. '],
  ['!'.repeat(43), 'encodingAesKey: must be 43 letters and digits, this one holds others. '],
])('an EncodingAESKey %s is told to be wrong: %s', (key, flaw) => {
  const told = wechat.flawOf!({ ...credentials, encodingAesKey: key })
  if (flaw === null) expect(told).toBeNull()
  else expect(told).toContain(flaw)
  expect(told ?? '').not.toContain(key)
})
