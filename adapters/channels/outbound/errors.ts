/** Why an order could not be pulled. The code is stable; neither tokens, nor addresses, nor answers are in the message. */
export type WechatApiErrorCode =
  /** No connection, a time-out, or an answer cut off. */
  | 'wechat_api_unreachable'
  /** 5xx, 408, 425, 429, errcode -1 or a rate limit. */
  | 'wechat_api_busy'
  /** An answer that is no JSON. */
  | 'wechat_api_bad_answer'
  | 'wechat_api_answer_too_large'
  /** Wrong appid or secret, address not allowed, API not granted, another 4xx: a person has to change something. */
  | 'wechat_api_denied'
  /** Too many calls wait for this shop. */
  | 'wechat_api_overloaded'
  /** The caller's signal, or the client was closed. */
  | 'wechat_api_aborted'

export class WechatApiError extends Error {
  readonly code: WechatApiErrorCode
  readonly retryable: boolean
  /** The platform's own number, where it gave one. */
  readonly errcode: number | null
  /** HTTP status, where there was an answer. */
  readonly status: number | null

  constructor(code: WechatApiErrorCode, about: { errcode?: number; status?: number; cause?: unknown } = {}) {
    const { errcode = null, status = null, cause } = about
    super(`${code}${status === null ? '' : ` (HTTP ${status})`}${errcode === null ? '' : ` (errcode ${errcode})`}`, {
      cause,
    })
    this.name = 'WechatApiError'
    this.code = code
    this.retryable = retryable.has(code)
    this.errcode = errcode
    this.status = status
  }
}

const retryable: ReadonlySet<WechatApiErrorCode> = new Set([
  'wechat_api_unreachable',
  'wechat_api_busy',
  'wechat_api_bad_answer',
  'wechat_api_overloaded',
  'wechat_api_aborted',
])
