/**
 * Pulls that wait for work. Each looks into Postgres again and again, so that their number is bounded, and the pace of
 * all together: a thousand stores that wait are no more queries than a hundred.
 */

import { type Clock, sleep } from '../process/clock.ts'

export interface WaitingLimits {
  /** More are answered at once with what there is: they ask again. */
  readonly waitingMax: number
  /** Between two looks of one pull, while they are few. */
  readonly lookAgainMs: number
  /** Of all together. */
  readonly looksPerSecondMax: number
}

export const waitingLimits: WaitingLimits = { waitingMax: 5_000, lookAgainMs: 300, looksPerSecondMax: 300 }

export class Waiting {
  readonly #clock: Clock
  readonly #limits: WaitingLimits
  #count = 0

  constructor(clock: Clock, limits: WaitingLimits = waitingLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get count(): number {
    return this.#count
  }

  /** How long the next pause of one of them is. */
  get pauseMs(): number {
    const { lookAgainMs, looksPerSecondMax } = this.#limits
    return Math.max(lookAgainMs, (this.#count / looksPerSecondMax) * 1000)
  }

  /** Resolves when it is time to look again; false when too many wait already. `leftMs`: until the caller's own end. */
  async pause(leftMs: number): Promise<boolean> {
    if (this.#count >= this.#limits.waitingMax) return false
    this.#count += 1
    try {
      await sleep(this.#clock, Math.min(this.pauseMs, leftMs))
    } finally {
      this.#count -= 1
    }
    return true
  }
}
