/** JD's entry in the conformance table. */
import { parseForm } from '../../shared/form.ts'
import type { WebhookRequest } from '../channel.ts'
import { jdDigest, signJd } from '../jd/sign.ts'
import { apply, bytes, type Change, changed, fixture, fixtureJson, nowMs, odd } from './fixtures.ts'
import type { ChannelCase, SignOptions } from './types.ts'

const credentials = { appKey: 'JDAPPKEY0001', appSecret: 'jdsecret' }
const message = fixture('samples/jd.pop.order.enGet.response.json')
const order = fixtureJson('samples/jd.pop.order.enGet.response.json')

/** Bytes that are no text are written into the form as they are, percent-encoded. */
function sign(param: Uint8Array, options: SignOptions = {}): WebhookRequest {
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

const info = (change: Change) =>
  changed(order, (copy) => apply(copy.jingdong_pop_order_enGet_responce.orderDetailInfo.orderInfo, change))
const item = (change: Change) => info((copy) => apply(copy.itemInfoList[0], change))
const orderInfo = order.jingdong_pop_order_enGet_responce.orderDetailInfo.orderInfo

export const jdCase: ChannelCase = {
  name: 'jd',
  credentials,
  sign,
  accepted: {
    message,
    named: {
      eventId: 'order:312345678901:2026-11-11 00:00:09:WAIT_SELLER_STOCK_OUT',
      orderId: '312345678901',
      occurredAt: Date.parse('2026-11-10T16:00:09Z'),
      kind: 'order',
    },
  },
  order,
  snapshot: {
    type: 'order',
    channel: 'jd',
    shop: 's1',
    orderId: '312345678901',
    platformState: 'ready',
    platformStateRaw: 'WAIT_SELLER_STOCK_OUT',
    createdAt: Date.parse('2026-11-10T16:00:02Z'),
    paidAt: Date.parse('2026-11-10T16:00:09Z'),
    modifiedAt: Date.parse('2026-11-10T16:00:09Z'),
    shipBy: null,
    lines: [
      {
        lineId: '312345678901-100012345678',
        sku: 'CF-JKT-BLK-L',
        platformSku: '100012345678',
        title: '三合一冲锋衣 黑色 L',
        quantity: 1,
        // 399.00 - 40.00, less its share of 10.00 by 359 : 89.
        paidFen: 35099,
        gift: false,
        giftOf: null,
        refund: 'none',
        readyAt: null,
      },
      {
        lineId: '312345678901-100012345679',
        sku: 'CF-SOCK-GRY',
        platformSku: '100012345679',
        title: '羊毛徒步袜 灰色',
        quantity: 2,
        paidFen: 8701,
        gift: false,
        giftOf: null,
        refund: 'none',
        readyAt: null,
      },
    ],
    freightFen: 0,
    paidFen: 43800,
    receiver: {
      name: '李*',
      phone: '138****8000',
      province: '北京',
      city: '大兴区',
      district: '亦庄经济开发区',
      town: '',
      street: '北京大兴区亦庄经济开发区**路*号',
      postalCode: '',
      oaid: '',
      adcode: null,
      point: null,
    },
    buyerId: 'oBuyerX1y2z3',
    buyerMessage: '尽快发货',
    sellerMemo: '',
    sellerFlag: 0,
    addressUnderReview: false,
    presale: null,
    fetchNumber: 0,
    transactionId: null,
  },
  words: {
    taken: '{"code":"0","msg":"success","data":""}',
    notTaken: /^\{"code":"[1-9]\d*","msg":"[^"]+","data":""\}$/,
    badSignature: '{"code":"401","msg":"invalid sign","data":""}',
  },
  wrong: [
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
  ],
  variants: [
    { name: 'the bare orderInfo', order: orderInfo, expected: { orderId: '312345678901', paidFen: 43800 } },
    { name: 'orderInfo under its name', order: { orderInfo }, expected: { orderId: '312345678901' } },
    {
      name: 'an id above 2^53, whatever it is written as',
      order: info({ orderId: '9007199254740993123' }),
      expected: { orderId: '9007199254740993123', lines: [{ lineId: '9007199254740993123-100012345678' }, {}] },
    },
    ...(
      [
        ['WAIT_SELLER_DELIVERY', 'ready'],
        ['LOCKED', 'on_hold'],
        ['PAUSE', 'on_hold'],
        ['POP_ORDER_PAUSE', 'on_hold'],
        ['UN_KNOWN', 'on_hold'],
        ['DELIVERY_RETURN', 'on_hold'],
        ['WAIT_GOODS_RECEIVE_CONFIRM', 'shipped'],
        ['FINISHED_L', 'completed'],
        ['TRADE_CANCELED', 'closed'],
      ] as const
    ).map(([state, platformState]) => ({
      name: state,
      order: info({ orderState: state }),
      expected: { platformState, platformStateRaw: state },
    })),
    {
      name: 'freight and account balance',
      order: info({ freightPrice: '6.00', balanceUsed: '100.00', orderPayment: '344.00' }),
      expected: { paidFen: 44400, freightFen: 600, lines: [{ paidFen: 35099 }, { paidFen: 8701 }] },
    },
    {
      name: 'the seller\u2019s discount not itemised',
      order: info({ couponDetailList: [], orderPayment: '448.00' }),
      // 50.00 by 399 : 99.
      expected: { paidFen: 44800, lines: [{ paidFen: 35894 }, { paidFen: 8906 }] },
    },
    {
      name: 'a gift',
      order: item({ jdPrice: '0.00' }),
      expected: { lines: [{ gift: true, paidFen: 0 }, { gift: false }] },
    },
    {
      name: 'one SKU on two lines',
      order: info((copy) => {
        copy.itemInfoList[1] = copy.itemInfoList[0]
      }),
      expected: {
        lines: [{ lineId: '312345678901-100012345678' }, { lineId: '312345678901-100012345678-2' }],
      },
    },
    {
      name: 'a platform that contradicts itself keeps its numbers',
      order: info({ orderPayment: '437.99' }),
      expected: { paidFen: 43799, lines: [{ paidFen: 35099 }, { paidFen: 8701 }] },
    },
    {
      name: 'productNo where there is no outerSkuId',
      order: item({ outerSkuId: '' }),
      expected: { lines: [{ sku: 'CF-JKT' }, {}] },
    },
  ],
  nonsense: [
    {
      name: 'a state nobody knows',
      order: info({ orderState: 'WAIT_FOR_GODOT' }),
    },
    {
      name: 'negative quantity',
      order: item({ itemTotal: '-1' }),
    },
    {
      name: 'no quantity',
      order: item({ itemTotal: '0' }),
    },
    {
      name: 'half a piece',
      order: item({ itemTotal: '1.5' }),
    },
    {
      name: 'no price',
      order: item({ jdPrice: undefined }),
    },
    {
      name: 'negative price',
      order: item({ jdPrice: '-1.00' }),
    },
    {
      name: 'more money than there is',
      order: item({ jdPrice: '9999999999.00', itemTotal: '1000' }),
    },
    {
      name: 'payment in words',
      order: info({ orderPayment: 'free' }),
    },
    {
      name: 'no lines',
      order: info({ itemInfoList: [] }),
    },
    {
      name: 'lines that are an object',
      order: info((copy) => {
        copy.itemInfoList = copy.itemInfoList[0]
      }),
    },
    {
      name: 'coupons that are a number',
      order: info({ couponDetailList: 1 }),
    },
    {
      name: 'a time that is none',
      order: info({ modified: '11/11/2026' }),
    },
    {
      name: 'text that is an object',
      order: info((copy) => {
        copy.consigneeInfo.fullname = { a: '李四' }
      }),
    },
  ],
  withSku: (code) => item({ outerSkuId: code }),
  withNote: (note) => info({ orderRemark: note }),
  personal: ['李*', '138****8000', '亦庄', '尽快发货'],
}
