/**
 * When an answer is older than what a notification told of: asked for again, a bounded number of times, then believed.
 */

/**
 * A notification is doubted when it is so old, before the answer is believed: a copy that lags catches up meanwhile.
 */
const doubtedAtMs = [10_000, 60_000, 600_000]
/**
 * A push may tell of the very change that the answer already has, and still be stamped up to this much later: the
 * platform does not say which of its clocks it reads first. Then the order is fetched again only once: three more
 * fetches of every such order would be a burden on the shop's limits.
 */
const stampMs = 3_000

export interface Doubts {
  readonly seqs: ReadonlySet<string>
  /** Until the first of them is to be asked for again. */
  readonly delayMs: number
}

export const nothingDoubted: Doubts = { seqs: new Set(), delayMs: 0 }

interface Told {
  readonly seq: string
  /** When it happened by the platform's clock; 0 when it does not say. */
  readonly occurredAt: number
  readonly storedAtMs: number
}

/** Notifications that tell of something later than the answer is, and are not old enough for it to be believed. */
export function doubtsOf(notifications: readonly Told[], answeredAt: number, nowMs: number): Doubts {
  const seqs = new Set<string>()
  let delayMs = Number.POSITIVE_INFINITY
  for (const { seq, occurredAt, storedAtMs } of notifications) {
    const ageMs = nowMs - storedAtMs
    const times = occurredAt - answeredAt <= stampMs ? doubtedAtMs.slice(0, 1) : doubtedAtMs
    const nextMs = times.find((ms) => ms > ageMs)
    if (occurredAt <= answeredAt || nextMs === undefined) continue
    seqs.add(seq)
    delayMs = Math.min(delayMs, Math.ceil(nextMs - ageMs))
  }
  return { seqs, delayMs: Math.min(delayMs, doubtedAtMs.at(-1)!) }
}
