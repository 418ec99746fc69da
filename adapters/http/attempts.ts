/**
 * Slows down a caller that tries wrong tokens: a token bucket per remote address. A try drains the bucket before the
 * token is looked up, and a right token fills it again, so a thousand tries at once gain nothing over a thousand one
 * after the other. Memory is bounded: at most `addressesMax` buckets, the longest untouched one goes first.
 *
 * Behind a proxy or a router all callers share one address. A token that was right from there lately is let through
 * even while the address is locked, so that one misconfigured client cannot lock out the warehouse beside it. Only from
 * there: else an attacker at any address could guess at any speed among the tokens in use. A right token that was never
 * seen from its address waits with the wrong ones for the next free try: seconds when a client retries wrongly, and as
 * long as the flood lasts when an attacker floods from the same address.
 */
export interface Attempts {
  begin(address: string, token: string, nowMs: number): Attempt
}

export interface Attempt {
  /** Seconds to wait before this address may try this token; 0: now, and then one of the three below is called, once. */
  readonly waitSeconds: number
  /**
   * Set when the try has to wait while tries of this address are being looked up: resolves when one of them is decided,
   * and then the try may begin again. All of them may be right: a service that has just started knows no proven token.
   */
  readonly othersDecided: Promise<void> | null
  failed(nowMs: number): void
  succeeded(nowMs: number): void
  /** The look-up failed, so the token is neither right nor wrong: the try does not count. */
  undecided(nowMs: number): void
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
  /** By address: tries that are being looked up, and the tries that wait for one of them. */
  const looking = new Map<string, { tries: number; waiting: (() => void)[] }>()

  function left(address: string, nowMs: number): number {
    const bucket = buckets.get(address)
    if (bucket === undefined) return limits.burst
    // A clock that steps back must not drain the bucket.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs)
    return Math.min(limits.burst, bucket.left + (elapsedMs / 1000) * limits.perSecond)
  }

  const provenKey = (group: string, token: string) => `${group} ${digest(token)}`

  function put(group: string, have: number, nowMs: number): void {
    buckets.delete(group)
    // A full bucket is not kept: an address without a bucket counts as full.
    if (have >= limits.burst) return
    buckets.set(group, { left: Math.max(0, have), atMs: nowMs })
    if (buckets.size > limits.addressesMax) buckets.delete(buckets.keys().next().value!)
  }

  function beginLooking(group: string): void {
    const now = looking.get(group)
    if (now === undefined) looking.set(group, { tries: 1, waiting: [] })
    else now.tries += 1
  }

  function othersDecided(group: string): Promise<void> | null {
    const now = looking.get(group)
    return now === undefined ? null : new Promise((resolve) => now.waiting.push(resolve))
  }

  function endLooking(group: string): void {
    const now = looking.get(group)!
    now.tries -= 1
    if (now.tries === 0) looking.delete(group)
    for (const resolve of now.waiting.splice(0)) resolve()
  }

  return {
    begin(address, token, nowMs) {
      const group = addressGroup(address)
      const key = provenKey(group, token)
      const have = left(group, nowMs)
      const wasProven = proven.has(key)
      const waitSeconds = wasProven || have >= 1 ? 0 : Math.ceil((1 - have) / limits.perSecond)
      const isTaken = !wasProven && waitSeconds === 0
      if (isTaken) {
        put(group, have - 1, nowMs)
        beginLooking(group)
      }
      const giveBack = (atMs: number): void => {
        if (isTaken) put(group, left(group, atMs) + 1, atMs)
      }
      return {
        waitSeconds,
        othersDecided: waitSeconds > 0 ? othersDecided(group) : null,
        failed(atMs) {
          proven.delete(key)
          if (isTaken) endLooking(group)
          else put(group, left(group, atMs) - 1, atMs)
        },
        succeeded(atMs) {
          giveBack(atMs)
          proven.add(key)
          if (proven.size > limits.provenMax) proven.delete(proven.values().next().value!)
          if (isTaken) endLooking(group)
        },
        undecided(atMs) {
          giveBack(atMs)
          if (isTaken) endLooking(group)
        },
      }
    },
  }
}

/** A /64 is one customer in IPv6: its 2^64 addresses share a bucket. */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address
  if (/^(0000:){5}ffff:/i.test(address) || address.includes('.')) return address
  return address.split(':').slice(0, 4).join(':')
}
