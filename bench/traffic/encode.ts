/** One event of one order as an HTTP request, signed for the instant at which it is sent. */
import { signJd } from '../../adapters/channels/jd/sign.ts'
import { signTmall } from '../../adapters/channels/tmall/sign.ts'
import { encryptWechat } from '../../adapters/channels/wechat/crypto.ts'
import { mix } from '../../adapters/shared/seeded-random.ts'
import type { EventName, View } from './events.ts'
import { eventNames, viewAt } from './events.ts'
import { orderInfoJson } from './jd.ts'
import type { GeneratedOrder } from './order.ts'
import { refundJson, tradeJson } from './tmall.ts'
import { pushJson } from './wechat.ts'

export interface WireRequest {
  readonly method: 'POST'
  readonly path: string
  /** Without the question mark, percent-encoded. */
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** The body is the same whenever an event is sent; only timestamps and signatures go by `nowMs`. */
export function encode(order: GeneratedOrder, event: EventName, nowMs: number): WireRequest {
  const view = viewAt(order, event)
  if (order.channel === 'tmall') return encodeTmall(order, view, nowMs)
  return order.channel === 'jd' ? encodeJd(order, view, nowMs) : encodeWechat(order, view, nowMs)
}

const json = { 'content-type': 'application/json;charset=utf-8' }
const form = { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' }

type Key<K extends string> = Readonly<Record<K, string>>

function encodeTmall(order: GeneratedOrder, view: View, nowMs: number): WireRequest {
  const { appKey, appSecret } = order.shop.credentials as Key<'appKey' | 'appSecret'>
  const refund = view.event === 'refund_requested' || view.event === 'refund_success'
  const body = Buffer.from(refund ? refundJson(order, view) : tradeJson(order, view))
  // A relay that hands on what these two calls answer: tmall itself pushes ids only.
  const method = refund ? 'taobao.refund.get' : 'taobao.trade.fullinfo.get'
  const query = signTmall({ appKey, appSecret, timestampMs: nowMs, body, method })
  return { method: 'POST', path: `/webhooks/tmall/${order.shop.shop}`, query, headers: json, body }
}

function encodeJd(order: GeneratedOrder, view: View, nowMs: number): WireRequest {
  if (view.paidAt === null) throw new RangeError(`JD does not show an order before it is paid: ${view.event}`)
  const { appKey, appSecret } = order.shop.credentials as Key<'appKey' | 'appSecret'>
  const param = orderInfoJson(order, view)
  const body = signJd({ appKey, appSecret, timestampMs: nowMs, method: 'jingdong.pop.order.enGet', param })
  return { method: 'POST', path: `/webhooks/jd/${order.shop.shop}`, query: '', headers: form, body: Buffer.from(body) }
}

function encodeWechat(order: GeneratedOrder, view: View, nowMs: number): WireRequest {
  const { appId, token, encodingAesKey } = order.shop.credentials as Key<'appId' | 'token' | 'encodingAesKey'>
  const { query, body } = encryptWechat({
    token,
    encodingAesKey,
    appId,
    message: Buffer.from(pushJson(order, view)),
    timestamp: String(Math.floor(nowMs / 1000)),
    nonce: String(1_000_000_000 + (mix(order.index, order.seed) % 1_000_000_000)),
    random: random16(order, view.event),
  })
  return { method: 'POST', path: `/webhooks/wechat/${order.shop.shop}`, query, headers: json, body: Buffer.from(body) }
}

/** The 16 bytes before the message: random at WeChat, here the same for every run. */
function random16(order: GeneratedOrder, event: EventName): Buffer {
  const bytes = Buffer.alloc(16)
  const stream = eventNames.indexOf(event)
  for (let at = 0; at < 16; at += 4) bytes.writeUInt32LE(mix(mix(order.seed, order.index), stream * 4 + at), at)
  return bytes
}
