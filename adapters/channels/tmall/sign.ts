/**
 * The SPI signature of Taobao's open platform, for requests with a raw body: the decoded query without `sign`, sorted
 * by name, as name+value; then the body's bytes; MD5 between the secret twice, or an HMAC keyed by it. Upper hex on the wire.
 * Headers take part only where `top-sign-list` names them, which our callers do not do.
 */
import { createHmac } from 'node:crypto'
import { hexDigest } from '../../shared/digest.ts'
import { formatForm } from '../../shared/form.ts'
import { formatGmt8 } from '../../shared/time.ts'

export const tmallSignMethods = ['md5', 'hmac', 'hmac-sha256'] as const
export type TmallSignMethod = (typeof tmallSignMethods)[number]

export function tmallDigest(
  query: ReadonlyMap<string, Uint8Array | string>,
  body: Uint8Array,
  appSecret: string,
  signMethod: TmallSignMethod,
): string {
  const parts: string[] = []
  for (const name of [...query.keys()].sort()) if (name !== 'sign') parts.push(name, String(query.get(name)))
  const base = parts.join('')
  if (signMethod === 'md5') return hexDigest('md5', appSecret, base, body, appSecret)
  const algorithm = signMethod === 'hmac' ? 'md5' : 'sha256'
  return createHmac(algorithm, appSecret).update(base).update(body).digest('hex')
}

export interface TmallSigning {
  readonly appKey: string
  readonly appSecret: string
  /** Epoch milliseconds; the platform writes whole seconds. */
  readonly timestampMs: number
  readonly body: Uint8Array
  /** The SPI's name. */
  readonly method: string
  readonly signMethod?: TmallSignMethod
}

/** The complete query string, signed, without the question mark. */
export function signTmall({ appKey, appSecret, timestampMs, body, method, signMethod = 'md5' }: TmallSigning): string {
  const query = new Map([
    ['method', method],
    ['app_key', appKey],
    ['timestamp', formatGmt8(timestampMs)],
    ['format', 'json'],
    ['v', '2.0'],
    ['sign_method', signMethod],
  ])
  query.set('sign', tmallDigest(query, body, appSecret, signMethod).toUpperCase())
  return formatForm(query)
}
