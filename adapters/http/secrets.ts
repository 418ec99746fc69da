import { createHash, timingSafeEqual } from 'node:crypto'

/** Tokens are kept and compared as digests: the length of neither shows in the time it takes. */
export function sameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(sha256(given), sha256(expected))
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The token of "Authorization: Bearer <token>"; null when there is none. Visible ASCII, at most 512 characters. */
export function bearerToken(authorization: string): string | null {
  return /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(authorization)?.[1] ?? null
}
