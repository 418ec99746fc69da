/**
 * The ways in which Redis fails us, by what the asker has to do. Texts never carry what was sent: only Redis' own words.
 */
const meanings = {
  /** No answer, or Redis says "not now". Whether the call took effect is unknown: ask again with the same ids. */
  redis_unavailable: { retryable: true, needsRecovery: false },
  /** This Redis is not the one that our scripts were loaded into: restarted, failed over, restored. */
  stock_doubted: { retryable: true, needsRecovery: true },
  /** A key holds what no script of ours writes. Nothing was changed. */
  stock_corrupt: { retryable: true, needsRecovery: true },
  /** Redis will refuse the same call again: a password, a permission, a version. */
  redis_refused: { retryable: false, needsRecovery: false },
} as const

export type StockErrorCode = keyof typeof meanings

export class StockError extends Error {
  override readonly name = 'StockError'
  readonly code: StockErrorCode
  readonly retryable: boolean
  /** Raise the epoch in Postgres and reload every node before asking again. */
  readonly needsRecovery: boolean

  constructor(code: StockErrorCode, detail: string) {
    super(`${code}: ${detail}`)
    this.code = code
    this.retryable = meanings[code].retryable
    this.needsRecovery = meanings[code].needsRecovery
  }
}

/** First words of Redis' error replies. What is not here, and looks like a reply, will be refused again. */
const replyCodes: Readonly<Record<string, StockErrorCode>> = {
  NOSCRIPT: 'stock_doubted',
  STOCK_CORRUPT: 'stock_corrupt',
  WRONGTYPE: 'stock_corrupt',
  LOADING: 'redis_unavailable',
  BUSY: 'redis_unavailable',
  OOM: 'redis_unavailable',
  MISCONF: 'redis_unavailable',
  READONLY: 'redis_unavailable',
  MASTERDOWN: 'redis_unavailable',
  NOREPLICAS: 'redis_unavailable',
  CLUSTERDOWN: 'redis_unavailable',
  TRYAGAIN: 'redis_unavailable',
}

export function toStockError(error: unknown): StockError {
  if (error instanceof StockError) return error
  if (!(error instanceof Error)) return new StockError('redis_unavailable', String(error))
  // ioredis gives error replies as ReplyError; all else (time-out, closed, not connected) never reached an answer.
  if (error.name !== 'ReplyError') return new StockError('redis_unavailable', wordsOf(error))
  const firstWord = error.message.split(' ', 1)[0] ?? ''
  const code = Object.hasOwn(replyCodes, firstWord) ? replyCodes[firstWord]! : 'redis_refused'
  return new StockError(code, error.message)
}

/** A name with several addresses fails with several errors, and no words of its own. */
function wordsOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message
  return error.errors.map((one: unknown) => (one instanceof Error ? one.message : String(one))).join('; ')
}

/** Of several failures the one that asks most of the caller. */
export function worstOf(errors: readonly StockError[]): StockError | undefined {
  const order: readonly StockErrorCode[] = ['stock_doubted', 'stock_corrupt', 'redis_refused', 'redis_unavailable']
  return order.map((code) => errors.find((error) => error.code === code)).find((error) => error !== undefined)
}
