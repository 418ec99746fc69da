import { createHash } from 'node:crypto'

/** As tokens are kept. A lookup by digest tells a guesser nothing: the next guess has another one. */
export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The token of "Authorization: Bearer <token>"; null when there is none. Visible ASCII, at most 512 characters. */
export function bearerToken(authorization: string): string | null {
  return /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(authorization)?.[1] ?? null
}
