import { ApiError, type ErrorCode } from './errors.ts'

/** What goes back over the socket. Bodies are whole: nothing here streams. */
export interface HttpAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

// Answers hold orders and keys: no cache on the way may keep them, no browser may guess their type.
const jsonHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return {
    status,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify(body),
    headers: { ...jsonHeaders, ...headers },
  }
}

/** `{"error":{"code","message"}}` with the headers that belong to the code. */
export function errorAnswer(error: ApiError, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  const extra: Record<string, string> = { ...headers }
  if (error.code === 'unauthorized') extra['www-authenticate'] = 'Bearer'
  const seconds = error.retryAfterSeconds ?? (error.status === 503 ? 1 : null)
  if (seconds !== null) extra['retry-after'] = String(seconds)
  return jsonAnswer(error.status, { error: { code: error.code, message: error.message } }, extra)
}

export function codeAnswer(code: ErrorCode, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return errorAnswer(new ApiError(code), headers)
}
