/**
 * Slows down whoever tries wrong tokens: a token bucket per remote address, which only failures drain. Memory is
 * bounded: at most `addressesMax` buckets, the longest untouched one goes first.
 *
 * Behind a proxy all callers share one address; tokens that were right lately are therefore let through even while
 * their address is locked, so that one misconfigured client cannot lock out the warehouse beside it.
 */
export interface Attempts {
  /** Seconds to wait before this address may try this token; 0: now. */
  waitSeconds(address: string, token: string, nowMs: number): number
  failed(address: string, token: string, nowMs: number): void
  succeeded(token: string): void
}

export interface AttemptLimits {
  /** Wrong attempts at once: enough for a person with three old keys, far too few for guessing. */
  readonly burst: number
  readonly perSecond: number
  readonly addressesMax: number
  readonly provenMax: number
}

export const attemptLimits: AttemptLimits = { burst: 20, perSecond: 0.5, addressesMax: 10_000, provenMax: 20_000 }

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

  return {
    waitSeconds(address, token, nowMs) {
      const have = left(addressGroup(address), nowMs)
      if (have >= 1 || proven.has(digest(token))) return 0
      return Math.ceil((1 - have) / limits.perSecond)
    },
    failed(address, token, nowMs) {
      proven.delete(digest(token))
      const group = addressGroup(address)
      const have = left(group, nowMs)
      buckets.delete(group)
      buckets.set(group, { left: Math.max(0, have - 1), atMs: nowMs })
      if (buckets.size > limits.addressesMax) buckets.delete(buckets.keys().next().value!)
    },
    succeeded(token) {
      const key = digest(token)
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
