/** What is made of a request before its route sees it. */
import type { Request } from './bound.ts'
import { decodePercent } from './query.ts'

// Our longest code is 64 characters: 576 when each is three bytes, percent-encoded.
const segmentCharactersMax = 1024

/** False where a value is no percent-encoded text, or too long for any of ours. */
export function decodeAll(names: readonly string[], values: readonly string[], into: Record<string, string>): boolean {
  for (let i = 0; i < names.length; i++) {
    const value = values[i]!.length > segmentCharactersMax ? null : decodePercent(values[i]!)
    if (value === null) return false
    into[names[i]!] = value
  }
  return true
}

/** The signal costs nothing until a handler asks for it. */
export function lazySignal(): Pick<Request, 'signal' | 'abort'> {
  let controller: AbortController | null = null
  let aborted = false
  return {
    signal() {
      controller ??= new AbortController()
      if (aborted) controller.abort()
      return controller.signal
    },
    abort() {
      aborted = true
      controller?.abort()
    },
  }
}
