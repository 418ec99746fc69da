/**
 * WeChat mini-programs and shops (微信小店). A push is encrypted and only says that something changed at an order; the
 * order is fetched (./api.ts) and enters as an event of its own (`fetchedOrderEvent`).
 *
 * The platform states no time limit. It sends a push again for 3.6 hours and does not say whether it signs anew, so a
 * signed time may be some hours old, but hardly ahead of ours. A replay inside that time is harmless: it is the same
 * event, and a notification holds no state.
 */
import { parseQuery } from '../../shared/form.ts'
import { sameDigest } from '../../shared/same.ts'
import { skim, skimmedObject } from '../../shared/skim.ts'
import {
  type Channel,
  type Credentials,
  type EventKind,
  type Received,
  type ReceivedEvent,
  type ShopSettings,
  Unintelligible,
  type WebhookRequest,
} from '../channel.ts'
import { fingerprint, refusalStatus, refused, unintelligibleEvent, utf8 } from '../event.ts'
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
} from '../read.ts'
import { decryptWechat, isEncodingAesKey, wechatDigest } from './crypto.ts'
import { encryptedIn, parseMessage } from './message.ts'
import { wechatOrder } from './order.ts'

export const wechat: Channel = {
  name: 'wechat',
  credentialKeys: ['appId', 'token', 'encodingAesKey', 'appSecret'],
  flawOf,
  receive,
  normalise,
  fetch: { notifiedAt, eventOf: fetchedOrderEvent, numberOf: fetchNumberOf },
  acknowledgement: { status: 200, contentType: 'text/plain;charset=utf-8', body: 'success' },
  // Anything but 200 with `success` makes the platform send it again.
  refusal: (code) => ({ status: refusalStatus[code], contentType: 'text/plain;charset=utf-8', body: code }),
}

function flawOf({ encodingAesKey = '' }: Credentials): string | null {
  if (isEncodingAesKey(encodingAesKey)) return null
  const found = encodingAesKey.length === 43 ? 'this one holds others' : `this one has ${encodingAesKey.length}`
  return `encodingAesKey: must be 43 letters and digits, ${found}. Copy EncodingAESKey again from the message push settings.`
}

/** Ten pushes at 0 s, 0 s, 10 s, 1, 5, 30, 60, 60 and 60 min; the rest is for queues on the way. */
const redeliveredMs = 6 * 3_600_000
/** Clocks that differ. */
const aheadMsDefault = 10 * 60_000

function isTimely(timestamp: string, nowMs: number, toleranceMs: number | undefined): boolean {
  // Seconds; the platform writes ten digits until the year 2286.
  if (!/^\d{1,10}$/.test(timestamp)) return false
  const ageMs = nowMs - Number(timestamp) * 1000
  return ageMs <= Math.max(redeliveredMs, toleranceMs ?? 0) && ageMs >= -(toleranceMs ?? aheadMsDefault)
}

function receive(request: WebhookRequest, credentials: Credentials, nowMs: number, toleranceMs?: number): Received {
  const { appId, token, encodingAesKey } = credentials
  const query = parseQuery(request.query)
  if (query === null) return refused('malformed')
  // With an empty token any caller could sign.
  if (!appId || !token || !encodingAesKey) return refused('bad_signature')
  const text = (name: string) => query.get(name)?.toString() ?? ''
  const [timestamp, nonce] = [text('timestamp'), text('nonce')]
  if (request.method === 'GET') {
    if (!sameDigest(wechatDigest(token, timestamp, nonce), text('signature'), hex)) return refused('bad_signature')
    if (!isTimely(timestamp, nowMs, toleranceMs)) return refused('stale_timestamp')
    return query.has('echostr') ? { outcome: 'echo', body: text('echostr') } : refused('malformed')
  }
  // In the plain mode the signature does not cover the body: a caller that saw one request could forge others.
  if (text('encrypt_type') !== 'aes') return refused('not_supported')
  const encrypted = encryptedIn(request.body)
  if (encrypted === null) return refused('malformed')
  const expected = wechatDigest(token, timestamp, nonce, encrypted)
  const signature = text('msg_signature')
  if (!sameDigest(expected, signature, hex)) return refused('bad_signature')
  if (!isTimely(timestamp, nowMs, toleranceMs)) return refused('stale_timestamp')
  const decrypted = decryptWechat(encrypted, encodingAesKey, appId)
  switch (decrypted.outcome) {
    case 'message': {
      const named = nameEvent(decrypted.message)
      return named.outcome === 'event' ? { ...named, signature } : named
    }
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
    return { outcome: 'event', eventId, orderId: subject.orderId, occurredAt, kind: 'notification', payload }
  } catch {
    return unintelligibleEvent(payload)
  }
}

/** What was changed, address or remark; and whether all has left. Two of them may come in one second. */
const tellingFields = ['type', 'finish_delivery']

/** The order that a message is about, and what tells it from another of the same second; null: not about an order. */
function subjectOf(message: Json, event: string): { orderId: string; detail: string } | null {
  if (event === 'channels_ec_aftersale_update') {
    const update = objectIn(message, 'finder_shop_aftersale_status_update')
    const detail = `:${idIn(update, 'after_sale_order_id') ?? ''}:${idIn(update, 'status') ?? ''}`
    return { orderId: requiredIdIn(update, 'order_id'), detail }
  }
  if (!/^channels_ec_order_\w+$/.test(event)) return null
  const info = objectIn(message, 'order_info')
  const detail = tellingFields.map((field) => idIn(info, field)).filter((value) => value !== null)
  return { orderId: requiredIdIn(info, 'order_id'), detail: detail.map((value) => `:${value}`).join('') }
}

function normalise(kind: EventKind, payload: Uint8Array, settings: ShopSettings) {
  if (kind === 'order') return wechatOrder(fetchedOrder(payload), settings)
  if (kind !== 'notification') throw new Unintelligible(`a message was kept as ${kind}`)
  const message = parseMessage(payload)
  const subject = subjectOf(message, textIn(message, 'Event'))
  if (subject === null) unintelligible('Event')
  return { type: 'notification', channel: 'wechat', shop: settings.shop, orderId: subject.orderId } as const
}

function notifiedAt(payload: Uint8Array): number {
  const named = nameEvent(payload)
  return named.outcome === 'event' ? named.occurredAt : 0
}

/**
 * Names a fetched order for the inbox; `body` is the whole answer of `/channels/ec/order/get`, `fetch` the number of the fetch.
 * An order can change within its `update_time` (after-sale counts, an address under review), change back as well, and an
 * answer is what holds now. So the name ends in the bytes' fingerprint, by which another answer never counts as a forged
 * repetition, and in the number, by which the same answer to a later fetch is news.
 */
export function fetchedOrderEvent(body: Uint8Array, fetchNumber: string): ReceivedEvent {
  try {
    const order = glance(body) ?? fetchedOrder(body)
    const orderId = requiredIdIn(order, 'order_id')
    const occurredAt = epochSecondsIn(order, 'update_time') ?? epochSecondsIn(order, 'create_time') ?? 0
    const status = wholeIn(order, 'status', 0, 999) ?? unintelligible('status')
    const eventId = `order:${orderId}:${occurredAt / 1000}:${status}:${fingerprint(body)}@${fetchNumber}`
    return { outcome: 'event', eventId, orderId, occurredAt, kind: 'order', payload: body }
  } catch {
    return unintelligibleEvent(body)
  }
}

function fetchNumberOf(eventId: string): number {
  return Number(/@(\d{1,15})$/.exec(eventId)?.[1] ?? 0)
}

/** What names a fetched order, where it stands as the platform writes it. */
function glance(body: Uint8Array): Json | null {
  const [errcode, detail, order_id, update_time, create_time, status] = skim(body, namingPaths) ?? []
  return errcode === 0 && detail === skimmedObject ? { order_id, update_time, create_time, status } : null
}

const namingPaths = [
  ['errcode'],
  ['order', 'order_detail'],
  ['order', 'order_id'],
  ['order', 'update_time'],
  ['order', 'create_time'],
  ['order', 'status'],
]

function fetchedOrder(body: Uint8Array): Json {
  if (utf8(body)?.trimStart().startsWith('<')) unintelligible('order')
  const response = parseMessage(body)
  if ((wholeIn(response, 'errcode', -1e9, 1e9) ?? 0) !== 0) unintelligible('errcode')
  const order = optionalObjectIn(response, 'order')
  return isObject(order.order_detail) ? order : unintelligible('order')
}
