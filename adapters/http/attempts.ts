/**
 * Slows down whoever tries wrong tokens: a token bucket per remote address, which only failures drain. Memory is
 * bounded: at most `addressesMax` buckets, the longest untouched one goes first.
 *
 * Behind a proxy or a router all callers share one address. A token that was right from there lately is let through
 * even while the address is locked, so that one misconfigured client cannot lock out the warehouse beside it. Only from
 * there: else whoever guesses from anywhere could do so at any speed among the tokens in use. A right one that was never
 * seen from its address waits with the wrong ones for the next free try, seconds when a client retries wrongly, and as
 * long as it lasts when somebody floods from the same address.
 */
export interface Attempts {
  /** Seconds to wait before this address may try this token; 0: now. */
  waitSeconds(address: string, token: string, nowMs: number): number
  failed(address: string, token: string, nowMs: number): void
  succeeded(address: string, token: string): void
}

export interface AttemptLimits {
  /** Wrong attempts at once: enough for a person with three old keys, far too few for guessing. */
  readonly burst: number
  /** Some 170,000 a day against keys of 16 characters and more. */
  readonly perSecond: number
  readonly addressesMax: number
  readonly provenMax: number
}

export const attemptLimits: AttemptLimits = { burst: 20, perSecond: 2, addressesMax: 10_000, provenMax: 20_000 }

export function attempts(digest: (token: string) => string, limits: AttemptLimits = attemptLimits): Attempts {
  const buckets = new Map<string, { left: number; atMs: number }>()
  const proven = new Set<string>()

  function left(address: string, nowMs: number): number {
    const bucket = buckets.get(address)
    if (bucket === undefined) return limits.burst
    // A clock that steps back must not drain the bucket.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs)
    return Math.min(limits.burst, bucket.left + (elapsedMs / 1000) * limits.perSecond)
  }

  const provenKey = (group: string, token: string) => `${group} ${digest(token)}`

  return {
    waitSeconds(address, token, nowMs) {
      const group = addressGroup(address)
      const have = left(group, nowMs)
      if (have >= 1 || proven.has(provenKey(group, token))) return 0
      return Math.ceil((1 - have) / limits.perSecond)
    },
    failed(address, token, nowMs) {
      const group = addressGroup(address)
      proven.delete(provenKey(group, token))
      const have = left(group, nowMs)
      buckets.delete(group)
      buckets.set(group, { left: Math.max(0, have - 1), atMs: nowMs })
      if (buckets.size > limits.addressesMax) buckets.delete(buckets.keys().next().value!)
    },
    succeeded(address, token) {
      const key = provenKey(addressGroup(address), token)
      if (proven.has(key)) return
      proven.add(key)
      if (proven.size > limits.provenMax) proven.delete(proven.values().next().value!)
    },
  }
}

/** A /64 is one customer in IPv6: its 2^64 addresses share a bucket. */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address
  if (/^(0000:){5}ffff:/i.test(address) || address.includes('.')) return address
  return address.split(':').slice(0, 4).join(':')
}
