/**
 * WeChat mini-programs and shops (微信小店). A push is encrypted and only says that something changed at an order; the
 * order is pulled (./wechat-api.ts) and enters as an event of its own (`pulledOrderEvent`).
 *
 * Pushes have no time limit of their own: the platform sends one again for hours, and says nothing of a new timestamp.
 * A replay is harmless, since it is the same event, and a hint holds no state.
 */
import { parseQuery } from '../shared/form.ts'
import {
  type Channel,
  type Credentials,
  type EventKind,
  type Received,
  type ReceivedEvent,
  type ShopSettings,
  Unintelligible,
  type WebhookRequest,
} from './channel.ts'
import { digestEquals, fingerprint, refusalStatus, refused, unintelligibleEvent, utf8 } from './event.ts'
import {
  epochSecondsIn,
  idIn,
  isObject,
  type Json,
  objectIn,
  optionalObjectIn,
  requiredIdIn,
  textIn,
  unintelligible,
  wholeIn,
} from './read.ts'
import { decryptWechat, wechatDigest } from './wechat-crypto.ts'
import { encryptedIn, parseMessage } from './wechat-message.ts'
import { wechatOrder } from './wechat-order.ts'

export const wechat: Channel = {
  name: 'wechat',
  credentialKeys: ['appId', 'token', 'encodingAesKey', 'appSecret'],
  receive,
  normalise,
  acknowledgement: { status: 200, contentType: 'text/plain;charset=utf-8', body: 'success' },
  // Anything but 200 with `success` makes the platform send it again.
  refusal: (code) => ({ status: refusalStatus[code], contentType: 'text/plain;charset=utf-8', body: code }),
}

function receive(request: WebhookRequest, credentials: Credentials): Received {
  const { appId, token, encodingAesKey } = credentials
  const query = parseQuery(request.query)
  if (query === null) return refused('malformed')
  // An empty token would let anybody in.
  if (!appId || !token || !encodingAesKey) return refused('bad_signature')
  const text = (name: string) => query.get(name)?.toString() ?? ''
  const [timestamp, nonce] = [text('timestamp'), text('nonce')]
  if (request.method === 'GET') {
    if (!digestEquals(wechatDigest(token, timestamp, nonce), text('signature'), hex)) return refused('bad_signature')
    return query.has('echostr') ? { outcome: 'echo', body: text('echostr') } : refused('malformed')
  }
  // In the plain mode the signature does not cover the body: whoever saw one request could write any other.
  if (text('encrypt_type') !== 'aes') return refused('not_supported')
  const encrypted = encryptedIn(request.body)
  if (encrypted === null) return refused('malformed')
  const expected = wechatDigest(token, timestamp, nonce, encrypted)
  if (!digestEquals(expected, text('msg_signature'), hex)) return refused('bad_signature')
  const decrypted = decryptWechat(encrypted, encodingAesKey, appId)
  switch (decrypted.outcome) {
    case 'message':
      return nameEvent(decrypted.message)
    case 'malformed':
      return refused('malformed')
    case 'wrong_appid':
      return refused('bad_signature')
  }
}

const hex = /^[0-9a-f]+$/

function nameEvent(payload: Uint8Array): Received {
  try {
    const message = parseMessage(payload)
    const event = textIn(message, 'Event')
    const subject = subjectOf(message, event)
    if (subject === null) return { outcome: 'ignored' }
    const from = requiredIdIn(message, 'FromUserName')
    const occurredAt = epochSecondsIn(message, 'CreateTime') ?? unintelligible('CreateTime')
    const eventId = `${from}:${occurredAt / 1000}:${event}:${subject.orderId}${subject.detail}`
    if (eventId.length > 200) unintelligible('Event')
    return { outcome: 'event', eventId, orderId: subject.orderId, occurredAt, kind: 'hint', payload }
  } catch {
    return unintelligibleEvent(payload)
  }
}

/** The order that a message is about, and what tells it from another of the same second; null: not about an order. */
function subjectOf(message: Json, event: string): { orderId: string; detail: string } | null {
  if (event === 'channels_ec_aftersale_update') {
    const update = objectIn(message, 'finder_shop_aftersale_status_update')
    const detail = `:${idIn(update, 'after_sale_order_id') ?? ''}:${idIn(update, 'status') ?? ''}`
    return { orderId: requiredIdIn(update, 'order_id'), detail }
  }
  if (!/^channels_ec_order_\w+$/.test(event)) return null
  return { orderId: requiredIdIn(objectIn(message, 'order_info'), 'order_id'), detail: '' }
}

function normalise(kind: EventKind, payload: Uint8Array, settings: ShopSettings) {
  if (kind === 'order') return wechatOrder(pulledOrder(payload), settings)
  if (kind !== 'hint') throw new Unintelligible(`a message was kept as ${kind}`)
  const message = parseMessage(payload)
  const subject = subjectOf(message, textIn(message, 'Event'))
  if (subject === null) unintelligible('Event')
  return { type: 'hint', channel: 'wechat', shop: settings.shop, orderId: subject.orderId } as const
}

/**
 * Names a pulled order for the inbox; `body` is the whole answer of `/channels/ec/order/get`. An order can change within
 * its `update_time` (after-sale counts, an address under review), and an answer is what holds now, so the name ends in
 * the bytes' fingerprint: the same answer is the same event, and another one never counts as a forged repetition.
 */
export function pulledOrderEvent(body: Uint8Array): ReceivedEvent {
  try {
    const order = pulledOrder(body)
    const orderId = requiredIdIn(order, 'order_id')
    const occurredAt = epochSecondsIn(order, 'update_time') ?? epochSecondsIn(order, 'create_time') ?? 0
    const status = wholeIn(order, 'status', 0, 999) ?? unintelligible('status')
    const eventId = `order:${orderId}:${occurredAt / 1000}:${status}:${fingerprint(body)}`
    return { outcome: 'event', eventId, orderId, occurredAt, kind: 'order', payload: body }
  } catch {
    return unintelligibleEvent(body)
  }
}

function pulledOrder(body: Uint8Array): Json {
  if (utf8(body)?.trimStart().startsWith('<')) unintelligible('order')
  const response = parseMessage(body)
  if ((wholeIn(response, 'errcode', -1e9, 1e9) ?? 0) !== 0) unintelligible('errcode')
  const order = optionalObjectIn(response, 'order')
  return isObject(order.order_detail) ? order : unintelligible('order')
}
