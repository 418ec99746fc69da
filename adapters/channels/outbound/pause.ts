import { OutboundError } from './errors.ts'

/** Waits; ends early, with an error, when the caller gives up. */
export function pause(service: string, durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new OutboundError(service, 'aborted'))
    const onAbort = () => {
      clearTimeout(timer)
      reject(new OutboundError(service, 'aborted'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, durationMs)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
