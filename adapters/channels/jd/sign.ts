/**
 * The signature of JD's open platform (JOS): the decoded parameters without `sign` and without empty ones, sorted by
 * name, as name+value, between the secret twice; MD5, upper hex.
 */
import { hexDigest } from '../../shared/digest.ts'
import { formatForm } from '../../shared/form.ts'
import { formatGmt8 } from '../../shared/time.ts'

export function jdDigest(params: ReadonlyMap<string, Uint8Array | string>, appSecret: string): string {
  const pieces: (string | Uint8Array)[] = [appSecret]
  for (const name of [...params.keys()].sort()) {
    const value = params.get(name)!
    if (name !== 'sign' && value.length > 0) pieces.push(name, value)
  }
  return hexDigest('md5', ...pieces, appSecret)
}

export interface JdSigning {
  readonly appKey: string
  readonly appSecret: string
  /** Epoch milliseconds; the platform writes whole seconds. */
  readonly timestampMs: number
  readonly method: string
  /** JSON text: what `360buy_param_json` shall hold. */
  readonly param: string
}

/** The complete form body, signed. */
export function signJd({ appKey, appSecret, timestampMs, method, param }: JdSigning): string {
  const params = new Map([
    ['method', method],
    ['app_key', appKey],
    ['timestamp', formatGmt8(timestampMs)],
    ['format', 'json'],
    ['v', '2.0'],
    [jdParamName, param],
  ])
  params.set('sign', jdDigest(params, appSecret).toUpperCase())
  return formatForm(params)
}

export const jdParamName = '360buy_param_json'
