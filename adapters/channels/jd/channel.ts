/**
 * JD's POP shops. The platform lets orders be polled or reads them into the merchant's RDS; a relay posts them on as a
 * JOS-signed form whose `360buy_param_json` holds the answer of `jingdong.pop.order.enGet`, or only its `orderInfo`.
 */
import { parseForm, parseQuery } from '../../shared/form.ts'
import { parseJson } from '../../shared/json.ts'
import { sameDigest } from '../../shared/same.ts'
import { skim } from '../../shared/skim.ts'
import { parseGmt8 } from '../../shared/time.ts'
import {
  type Channel,
  type Credentials,
  type EventKind,
  type Received,
  type ReceivedEvent,
  type RefusalCode,
  type ShopSettings,
  Unintelligible,
  type WebhookRequest,
} from '../channel.ts'
import { fingerprint, jsonAnswer, refusalStatus, refused, unintelligibleEvent, utf8 } from '../event.ts'
import { gmt8In, isObject, type Json, requiredIdIn, unintelligible, wordIn } from '../read.ts'
import { jdOrder } from './order.ts'
import { jdDigest, jdParamName } from './sign.ts'

/** What the platform documents for its own gateway, either way. */
const toleranceMsDefault = 6 * 60_000

export const jd: Channel = {
  name: 'jd',
  credentialKeys: ['appKey', 'appSecret'],
  receive,
  normalise,
  acknowledgement: jsonAnswer(200, { code: '0', msg: 'success', data: '' }),
  // Any code but 0 means "not taken"; ours are the HTTP status, so that both say the same.
  refusal: (code) =>
    jsonAnswer(refusalStatus[code], { code: String(refusalStatus[code]), msg: refusals[code], data: '' }),
}

function receive(
  request: WebhookRequest,
  credentials: Credentials,
  nowMs: number,
  toleranceMs: number = toleranceMsDefault,
): Received {
  if (request.method !== 'POST') return refused('not_supported')
  const { appKey, appSecret } = credentials
  const params = paramsOf(request)
  if (params === null) return refused('malformed')
  // With an empty secret any caller could sign.
  if (!appKey || !appSecret) return refused('bad_signature')
  const text = (name: string) => params.get(name)?.toString() ?? ''
  const sign = text('sign')
  if (!sameDigest(jdDigest(params, appSecret), sign, upperHex)) return refused('bad_signature')
  // The signature covers it, and it is no secret.
  if (appKey !== text('app_key')) return refused('bad_signature')
  const signedAt = parseGmt8(text('timestamp'))
  if (signedAt === null || Math.abs(nowMs - signedAt) > toleranceMs) return refused('stale_timestamp')
  const param = params.get(jdParamName)
  if (param === undefined) return refused('malformed')
  // What is left of the form, three times as large, is not kept for as long as the payload waits.
  return { ...nameOrder(Buffer.from(param)), signature: sign }
}

const upperHex = /^[0-9A-F]+$/

/** JD's own clients put the system parameters into the query and the business ones into the body; all are signed. */
function paramsOf(request: WebhookRequest): Map<string, Buffer> | null {
  const params = parseForm(request.body)
  if (params === null || request.query === '') return params
  const fromQuery = parseQuery(request.query)
  if (fromQuery === null) return null
  for (const [name, value] of fromQuery) {
    if (params.has(name)) return null
    params.set(name, value)
  }
  return params
}

/** A platform second can hold two changes of one order, so its state is part of the name. */
function nameOrder(payload: Uint8Array): ReceivedEvent {
  try {
    const order = glance(payload) ?? parseOrder(payload)
    const orderId = requiredIdIn(order, 'orderId')
    const occurredAt = gmt8In(order, 'modified')
    const when = occurredAt === null ? fingerprint(payload) : String(order.modified)
    const eventId = `order:${orderId}:${when}:${wordIn(order, 'orderState')}`
    return { outcome: 'event', eventId, orderId, occurredAt: occurredAt ?? 0, kind: 'order', payload }
  } catch {
    return unintelligibleEvent(payload)
  }
}

/** What names an order, where it stands as the platform writes it. */
function glance(payload: Uint8Array): Json | null {
  const [orderId, modified, orderState] = skim(payload, namingPaths) ?? []
  return orderId === undefined ? null : { orderId, modified, orderState }
}

const namingPaths = ['orderId', 'modified', 'orderState'].map((name) => [
  'jingdong_pop_order_enGet_responce',
  'orderDetailInfo',
  'orderInfo',
  name,
])

function normalise(kind: EventKind, payload: Uint8Array, settings: ShopSettings) {
  if (kind !== 'order') throw new Unintelligible(`an order was kept as ${kind}`)
  return jdOrder(parseOrder(payload), settings)
}

function parseOrder(payload: Uint8Array): Json {
  const text = utf8(payload)
  if (text === null) unintelligible(jdParamName)
  let root: unknown
  try {
    root = parseJson(text)
  } catch {
    unintelligible(jdParamName)
  }
  if (!isObject(root)) unintelligible(jdParamName)
  // "responce" is how the platform spells it.
  const response = root.jingdong_pop_order_enGet_responce
  const detail = isObject(response) ? response.orderDetailInfo : root
  const order = isObject(detail) ? (detail.orderInfo ?? detail) : null
  return isObject(order) ? order : unintelligible('orderInfo')
}

const refusals: Readonly<Record<RefusalCode, string>> = {
  bad_signature: 'invalid sign',
  stale_timestamp: 'the timestamp is too far from the present',
  malformed: 'the request cannot be read',
  unknown_shop: 'no such shop',
  not_supported: 'post a signed form with 360buy_param_json',
  body_too_large: 'the body is too large',
  try_again: 'not taken, send it again later',
}
