/**
 * kuaidi100's track push (resultv2): POST form with `param`, a JSON text, and `sign`, upper-case hex of
 * MD5(param + salt) over the decoded text. A push holds the parcel's whole track, newest step first, and may come
 * again, late, or after a newer one: `router/track.ts` says which word stands.
 *
 * The signature holds no time and no account, so a push that was seen may be sent again for ever: it says what it said,
 * and an older word never replaces a newer one.
 *
 * Anything but the acknowledgement is sent again, three times, every half hour.
 */
import type { TrackState } from '../../router/track.ts'
import { hexDigest } from '../shared/digest.ts'
import { parseInstant } from '../shared/instant.ts'
import { sameDigest } from '../shared/same.ts'
import type { Carrier, CarrierAnswer, CarrierPush, CarrierRefusalCode } from './carrier.ts'

export const kuaidi100: Carrier = {
  name: 'kuaidi100',
  credentialKeys: ['salt'],
  receive: ({ body }, { salt = '' }) => receiveKuaidi100(body, salt),
  acknowledgement: {
    status: 200,
    contentType: 'application/json;charset=utf-8',
    body: '{"result":true,"returnCode":"200","message":"成功"}',
  },
  refusal,
}

/** Throws nothing, whatever the bytes. */
export function receiveKuaidi100(body: Uint8Array, salt: string): CarrierPush {
  const form = new URLSearchParams(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  const param = form.get('param')
  if (param === null) return { outcome: 'refused', code: 'malformed' }
  // With an empty salt any caller could sign.
  if (salt === '' || !sameDigest(digestOf(param, salt), form.get('sign') ?? '', eitherCase))
    return { outcome: 'refused', code: 'bad_signature' }
  return readParam(param)
}

/** Upper-case hex MD5 of the text and the account's salt. */
export function signKuaidi100(param: string, salt: string): string {
  return digestOf(param, salt).toUpperCase()
}

function digestOf(param: string, salt: string): string {
  return hexDigest('md5', param, salt)
}

const eitherCase = /^[0-9A-Fa-f]+$/

function readParam(param: string): CarrierPush {
  const malformed = { outcome: 'refused', code: 'malformed' } as const
  const push = objectOf(readJson(param))
  const result = objectOf(push?.lastResult)
  const [old, renamed] = [textOf(push?.comOld), textOf(push?.comNew)]
  const carrier = textOf(result?.com) ?? renamed ?? old
  const waybill = textOf(result?.nu)
  if (push === null || carrier === null || waybill === null) return malformed
  if (push.status === 'abort') {
    // The code that was wrong, by whichever field it comes: `com` may hold either.
    const stopped = old ?? carrier
    return { outcome: 'stopped', carrier: stopped, waybill, carrierNew: renamed === stopped ? null : renamed }
  }
  if (push.status !== 'polling' && push.status !== 'shutdown' && push.status !== 'updateall') return malformed
  const steps = result?.data
  if (!Array.isArray(steps)) return malformed
  if (steps.length === 0) return { outcome: 'ignored' }
  const newest = objectOf(steps[0])
  const occurredAt = parseInstant(textOf(newest?.ftime) ?? textOf(newest?.time) ?? '')
  const state = result?.state
  if (occurredAt === null || (typeof state !== 'string' && typeof state !== 'number')) return malformed
  const track = { carrier, waybill, state: trackStateOf(String(state)), occurredAt }
  return { outcome: 'track', track, body: param, carrierOld: renamed === carrier && old !== carrier ? old : null }
}

const states: Readonly<Record<string, TrackState>> = {
  0: 'in_transit',
  1: 'collected',
  2: 'exception',
  3: 'delivered',
  4: 'returned',
  5: 'out_for_delivery',
  6: 'returning',
  7: 'forwarded',
  // Customs: waiting, in, through; 13 is stuck there.
  8: 'in_transit',
  10: 'in_transit',
  11: 'in_transit',
  12: 'in_transit',
  13: 'exception',
  14: 'rejected',
  // Sub-codes whose first digit would mislead: ordered and waiting for collection; long-haul steps; waybill voided.
  101: 'created',
  102: 'created',
  401: 'exception',
  1001: 'in_transit',
  1002: 'in_transit',
  1003: 'in_transit',
}

/** A state or one of its three- and four-digit sub-codes; unknown ones by their first digit, else on the way. */
export function trackStateOf(code: string): TrackState {
  return lookUp(code) ?? (/^\d{3,4}$/.test(code) ? lookUp(code[0]!) : undefined) ?? 'in_transit'
}

function lookUp(code: string): TrackState | undefined {
  return Object.hasOwn(states, code) ? states[code] : undefined
}

const refusals: Readonly<Record<CarrierRefusalCode, { status: number; returnCode: string; message: string }>> = {
  bad_signature: { status: 401, returnCode: '401', message: '签名错误' },
  malformed: { status: 400, returnCode: '400', message: '参数错误' },
  unknown_account: { status: 404, returnCode: '404', message: '账号不存在' },
  body_too_large: { status: 413, returnCode: '413', message: '内容过大' },
  try_again: { status: 503, returnCode: '500', message: '服务暂不可用' },
}

/** kuaidi100 reads `result` and `returnCode`: any of these makes it push again. */
function refusal(code: CarrierRefusalCode): CarrierAnswer {
  const { status, returnCode, message } = refusals[code]
  return {
    status,
    contentType: kuaidi100.acknowledgement.contentType,
    body: JSON.stringify({ result: false, returnCode, message }),
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}

// Waybills and carrier codes go into keys: short, and of what Postgres keeps as it is.
function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= 64 && !/[\p{Cc}\p{Cs}]/u.test(value)
    ? value
    : null
}
