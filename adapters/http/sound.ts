import type { HttpAnswer } from './answer.ts'

/** Answers come from handlers: a wrong one must become a 500, not a broken stream. */
export function isSound(answer: HttpAnswer): boolean {
  const { status, contentType, body, headers } = answer ?? {}
  if (!Number.isInteger(status) || status < 200 || status > 599) return false
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return false
  if (typeof contentType !== 'string' || lineBreak.test(contentType)) return false
  return headers === undefined || Object.entries(headers).every(([key, value]) => !lineBreak.test(key + value))
}

const lineBreak = /[\r\n\0]/
