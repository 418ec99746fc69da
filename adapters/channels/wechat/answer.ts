/**
 * The answers of WeChat's APIs: JSON with an `errcode`. -1 is busy; 40001, 40014, 42001 are the token; 45009, 45011 the
 * rate; 40013, 40125, 40164, 48001 the credentials, the caller's address, or the grant.
 */
import { utf8 } from '../event.ts'
import { OutboundError } from '../outbound/errors.ts'
import type { HttpAnswer } from '../outbound/http.ts'

/** What errors of WeChat's API are named after. */
export const service = 'wechat_api'

export const tokenErrcodes: ReadonlySet<number> = new Set([40001, 40014, 42001])
export const busyErrcodes: ReadonlySet<number> = new Set([-1, 45009, 45011])
export const deniedErrcodes: ReadonlySet<number> = new Set([40013, 40125, 40164, 48001])

/** As the platform writes every good answer: its order is parsed once, by the stage that reads the order. */
const goodAnswer = Buffer.from('{"errcode":0,')
const closingBrace = 0x7d

/** True only for a good answer that is written as usual; the others have to be parsed. */
export function isGood(body: Uint8Array): boolean {
  return body.at(-1) === closingBrace && goodAnswer.equals(body.subarray(0, goodAnswer.length))
}

/** Only the errcode and the token are read from this, so rounded ids do no harm. */
export function parseAnswer(answer: HttpAnswer): Record<string, unknown> {
  const text = utf8(answer.body)
  try {
    const parsed: unknown = text === null ? null : JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>
  } catch {
    // Falls through: the parser's own message would quote the answer.
  }
  throw new OutboundError(service, 'bad_answer', { status: answer.status })
}

/** A good answer may leave its errcode out. */
export function errcodeOf(answer: Record<string, unknown>): number {
  const errcode = answer.errcode ?? 0
  if (typeof errcode !== 'number' || !Number.isSafeInteger(errcode)) throw new OutboundError(service, 'bad_answer')
  return errcode
}
