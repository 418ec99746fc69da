/**
 * Lets a bounded number of calls in at a time, and a bounded number wait, first come first served. Where a platform
 * counts calls a second, calls also begin at that pace: evenly, so that no second holds more than the platform allows.
 */
import { OutboundError } from './errors.ts'
import { pause } from './pause.ts'

export interface GateLimits {
  readonly insideMax: number
  readonly waitingMax: number
  /** Calls that may begin in a second; absent: as many as there is room for. */
  readonly perSecondMax?: number
  /** Epoch or monotonic milliseconds; only read where there is a pace. */
  readonly now?: () => number
}

export class Gate {
  readonly #service: string
  readonly #limits: GateLimits
  // A Set keeps the order of arrival and gives up one that does not want to wait any more.
  readonly #waiting = new Set<() => void>()
  #inside = 0
  /** When the next call may begin. */
  #nextAt = Number.NEGATIVE_INFINITY

  constructor(service: string, limits: GateLimits) {
    this.#service = service
    this.#limits = limits
  }

  /** Every caller that came in has to `leave` once. */
  async enter(signal?: AbortSignal): Promise<void> {
    await this.#takePlace(signal)
    try {
      await this.#keepPace(signal)
    } catch (error) {
      this.leave()
      throw error
    }
  }

  leave(): void {
    const [next] = this.#waiting
    // The place is handed over, so no other call slips in between.
    if (next === undefined) this.#inside--
    else {
      this.#waiting.delete(next)
      next()
    }
  }

  async #takePlace(signal: AbortSignal | undefined): Promise<void> {
    const { insideMax, waitingMax } = this.#limits
    if (signal?.aborted) throw new OutboundError(this.#service, 'aborted')
    if (this.#inside < insideMax) {
      this.#inside++
      return
    }
    if (this.#waiting.size >= waitingMax) throw new OutboundError(this.#service, 'overloaded')
    await new Promise<void>((resolve, reject) => {
      const letIn = () => {
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = () => {
        this.#waiting.delete(letIn)
        reject(new OutboundError(this.#service, 'aborted'))
      }
      this.#waiting.add(letIn)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  async #keepPace(signal: AbortSignal | undefined): Promise<void> {
    const { perSecondMax, now = Date.now } = this.#limits
    if (perSecondMax === undefined) return
    const nowMs = now()
    const beginsAt = Math.max(nowMs, this.#nextAt)
    this.#nextAt = beginsAt + 1000 / perSecondMax
    if (beginsAt > nowMs) await pause(this.#service, beginsAt - nowMs, signal)
  }
}
