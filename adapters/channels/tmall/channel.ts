/**
 * Tmall and Taobao. The platform has no order push over HTTP of its own: merchants get rows into their RDS, and a relay
 * posts them on, SPI-signed. The body is the JSON of `taobao.trade.fullinfo.get` or `taobao.refund.get`, also as
 * `simplify=true` gives it.
 */
import { parseQuery } from '../../shared/form.ts'
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
import { hasExactIds, tmallOrder, tradeId } from './order.ts'
import { tmallRefund } from './refund.ts'
import { tmallDigest, tmallSignMethods } from './sign.ts'

/** What the platform documents for its own gateway, either way. */
const toleranceMsDefault = 10 * 60_000

export const tmall: Channel = {
  name: 'tmall',
  credentialKeys: ['appKey', 'appSecret'],
  receive,
  normalise,
  acknowledgement: jsonAnswer(200, { success: true }),
  refusal: (code) => jsonAnswer(refusalStatus[code], { success: false, ...refusals[code] }),
}

function receive(
  request: WebhookRequest,
  credentials: Credentials,
  nowMs: number,
  toleranceMs: number = toleranceMsDefault,
): Received {
  if (request.method !== 'POST') return refused('not_supported')
  const { appKey, appSecret } = credentials
  const query = parseQuery(request.query)
  if (query === null) return refused('malformed')
  const signMethod = query.get('sign_method')?.toString() ?? 'md5'
  const known = tmallSignMethods.find((method) => method === signMethod)
  const sign = query.get('sign')?.toString() ?? ''
  // With an empty secret any caller could sign.
  if (!appKey || !appSecret || known === undefined) return refused('bad_signature')
  if (!sameDigest(tmallDigest(query, request.body, appSecret, known), sign, upperHex)) return refused('bad_signature')
  // The signature covers it, and it is no secret.
  if (appKey !== query.get('app_key')?.toString()) return refused('bad_signature')
  const signedAt = parseGmt8(query.get('timestamp')?.toString() ?? '')
  if (signedAt === null || Math.abs(nowMs - signedAt) > toleranceMs) return refused('stale_timestamp')
  return { ...nameEvent(request.body), signature: sign }
}

const upperHex = /^[0-9A-F]+$/

function nameEvent(payload: Uint8Array): ReceivedEvent {
  try {
    const glanced = glance(payload)
    if (glanced !== null) return nameTrade(glanced, payload)
    const { kind, entity } = parseEntity(payload, JSON.parse)
    return kind === 'order' ? nameTrade(entity, payload) : nameRefund(payload)
  } catch {
    return unintelligibleEvent(payload)
  }
}

/** What names a trade, where it stands as the platform writes it. */
function glance(payload: Uint8Array): Json | null {
  const [tid_str, status, step_trade_status, modified] = skim(payload, namingPaths) ?? []
  return typeof tid_str === 'string' ? { tid_str, status, step_trade_status, modified } : null
}

const namingPaths = ['tid_str', 'status', 'step_trade_status', 'modified'].map((name) => [
  'trade_fullinfo_get_response',
  'trade',
  name,
])

/** A platform second can hold two changes of one trade, so its states are part of the name. */
function nameTrade(parsed: Json, payload: Uint8Array): ReceivedEvent {
  // The text of the id is nearly always there; where it is not, the numbers have to be read without rounding.
  const trade = typeof parsed.tid_str === 'string' ? parsed : parseEntity(payload, parseJson).entity
  const orderId = tradeId(trade)
  const status = wordIn(trade, 'status')
  const step = trade.step_trade_status === undefined ? '' : wordIn(trade, 'step_trade_status')
  const occurredAt = gmt8In(trade, 'modified')
  const when = occurredAt === null ? fingerprint(payload) : String(trade.modified)
  const eventId = `trade:${orderId}:${when}:${status}:${step}`
  return { outcome: 'event', eventId, orderId, occurredAt: occurredAt ?? 0, kind: 'order', payload }
}

function nameRefund(payload: Uint8Array): ReceivedEvent {
  const refund = parseEntity(payload, parseJson).entity
  const orderId = requiredIdIn(refund, 'tid')
  const occurredAt = gmt8In(refund, 'modified')
  const when = occurredAt === null ? fingerprint(payload) : String(refund.modified)
  const eventId = `refund:${requiredIdIn(refund, 'refund_id')}:${when}:${wordIn(refund, 'status')}`
  return { outcome: 'event', eventId, orderId, occurredAt: occurredAt ?? 0, kind: 'refund', payload }
}

function normalise(kind: EventKind, payload: Uint8Array, settings: ShopSettings) {
  let parsed = parseEntity(payload, JSON.parse)
  if (!(parsed.kind === 'order' && hasExactIds(parsed.entity))) parsed = parseEntity(payload, parseJson)
  if (parsed.kind !== kind) throw new Unintelligible(`a ${parsed.kind} was kept as ${kind}`)
  return parsed.kind === 'order' ? tmallOrder(parsed.entity, settings) : tmallRefund(parsed.entity, settings)
}

/** `simplify=true` leaves out the response's name. */
function parseEntity(
  payload: Uint8Array,
  parse: (text: string) => unknown,
): { kind: 'order' | 'refund'; entity: Json } {
  const text = utf8(payload)
  if (text === null) unintelligible('body')
  let root: unknown
  try {
    root = parse(text)
  } catch {
    unintelligible('body')
  }
  if (!isObject(root)) unintelligible('body')
  const trade = (root.trade_fullinfo_get_response ?? root) as Json
  if (isObject(trade) && isObject(trade.trade)) return { kind: 'order', entity: trade.trade }
  const refund = (root.refund_get_response ?? root) as Json
  if (isObject(refund) && isObject(refund.refund)) return { kind: 'refund', entity: refund.refund }
  unintelligible('trade_fullinfo_get_response')
}

const refusals: Readonly<Record<RefusalCode, { error_code: string; error_message: string }>> = {
  bad_signature: { error_code: 'sign-check-failure', error_message: 'Illegal request' },
  stale_timestamp: { error_code: 'invalid-timestamp', error_message: 'The timestamp is too far from the present' },
  malformed: { error_code: 'invalid-request', error_message: 'The request cannot be read' },
  unknown_shop: { error_code: 'unknown-shop', error_message: 'No such shop' },
  not_supported: { error_code: 'not-supported', error_message: 'Post the JSON of a trade or a refund' },
  body_too_large: { error_code: 'body-too-large', error_message: 'The body is too large' },
  try_again: { error_code: 'try-again', error_message: 'Not taken, send it again later' },
}
