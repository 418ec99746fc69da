/**
 * A shop's access token (`POST /cgi-bin/stable_token`). A relay that adds the token itself does not know the address
 * (404): then calls go without one for a while.
 */
import { OutboundError, statusError } from '../outbound/errors.ts'
import { type HttpClient, jsonContent } from '../outbound/http.ts'
import { keptUntil, type Token } from '../outbound/token.ts'
import { busyErrcodes, errcodeOf, parseAnswer, service } from './answer.ts'

/** A relay's 404 can be a mistake of the operator's that is mended while we run. */
const relayMs = 10 * 60_000
/** No token lives longer than a day, whatever the answer says. */
const lifeSecondsMax = 86_400

export interface TokenAccount {
  readonly apiBaseUrl: string
  readonly appId: string
  readonly appSecret: string
}

/** Without a caller's signal: others wait for the same answer. */
export async function askToken(
  http: Pick<HttpClient, 'post'>,
  { apiBaseUrl, appId, appSecret }: TokenAccount,
  now: () => number,
): Promise<Token> {
  const request = jsonContent({ grant_type: 'client_credential', appid: appId, secret: appSecret })
  const answer = await http.post(apiBaseUrl, '/cgi-bin/stable_token', request)
  if (answer.status === 404) return { value: null, until: now() + relayMs }
  if (answer.status !== 200) throw statusError(service, answer.status)
  const parsed = parseAnswer(answer)
  const errcode = errcodeOf(parsed)
  if (busyErrcodes.has(errcode)) throw new OutboundError(service, 'busy', { platformCode: errcode })
  const { access_token: value, expires_in: seconds } = parsed
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,2048}$/.test(value))
    throw new OutboundError(service, 'denied', {
      status: 200,
      ...(typeof parsed.errcode === 'number' && { platformCode: errcode }),
    })
  const lifeMs = typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, lifeSecondsMax) * 1000 : 0
  return { value, until: keptUntil(now(), lifeMs) }
}
