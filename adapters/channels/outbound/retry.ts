/** Calls again what may pass at a later try. */
import { OutboundError } from './errors.ts'
import { pause } from './pause.ts'

export interface RetryOptions {
  readonly attemptsMax: number
  /** First pause; doubles with each attempt up to `pauseMsMax`, and a random part of it is waited. */
  readonly pauseMs: number
  readonly pauseMsMax: number
  /** From 0 up to 1. */
  readonly random: () => number
}

/** Only for calls that may be made twice. The last error is thrown as it came. */
export async function retried<T>(
  service: string,
  { attemptsMax, pauseMs, pauseMsMax, random }: RetryOptions,
  call: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      const again = error instanceof OutboundError && error.retryable && error.reason !== 'aborted'
      if (!again || attempt >= attemptsMax) throw error
      const longestMs = Math.min(pauseMs * 2 ** (attempt - 1), pauseMsMax)
      await pause(service, longestMs * (0.5 + random() / 2), signal)
    }
  }
}
