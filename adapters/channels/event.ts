/** What every channel's `receive` ends in. */
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import type { Answer, Received, ReceivedEvent, RefusalCode } from './channel.ts'

export function refused(code: RefusalCode): Received {
  return { outcome: 'refused', code }
}

/** Verified bytes in which no event is found: kept under their own hash, so a redelivery is still a duplicate. */
export function unintelligibleEvent(payload: Uint8Array): ReceivedEvent {
  const eventId = `sha256:${hash('sha256', payload)}`
  return { outcome: 'event', eventId, orderId: '', occurredAt: 0, kind: 'unintelligible', payload }
}

/** Sixteen hex digits of the bytes' SHA-256: tells two bodies apart where the platform's own fields do not. */
export function fingerprint(payload: Uint8Array): string {
  return hash('sha256', payload).slice(0, 16)
}

/** Null when the bytes are no UTF-8. */
export function utf8(bytes: Uint8Array): string | null {
  if (!isUtf8(bytes)) return null
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** HTTP status of a refusal: platforms and people look at it before they look at the body. */
export const refusalStatus: Readonly<Record<RefusalCode, number>> = {
  bad_signature: 401,
  stale_timestamp: 401,
  malformed: 400,
  unknown_shop: 404,
  not_supported: 405,
  body_too_large: 413,
  try_again: 503,
}

export function jsonAnswer(status: number, body: unknown): Answer {
  return { status, contentType: 'application/json;charset=utf-8', body: JSON.stringify(body) }
}
