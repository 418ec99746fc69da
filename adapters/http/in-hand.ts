/** The requests that are being read, worked on or answered. */
import type { Exchange, ExchangeLimits } from './exchange.ts'

export class InHand {
  readonly #exchanges = new Set<Exchange>()
  #drained = (): void => undefined

  get size(): number {
    return this.#exchanges.size
  }

  add(exchange: Exchange): void {
    this.#exchanges.add(exchange)
  }

  delete(exchange: Exchange): void {
    this.#exchanges.delete(exchange)
    if (this.#exchanges.size === 0) this.#drained()
  }

  /** Ends what takes too long. */
  sweep(nowMs: number, limits: ExchangeLimits): void {
    for (const exchange of this.#exchanges) exchange.sweep(nowMs, limits)
  }

  /** Tells every handler that its caller will not wait; resolves when all have answered, at the latest after `deadlineMs`. */
  async drained(deadlineMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(resolve, deadlineMs)
      this.#drained = () => {
        clearTimeout(deadline)
        resolve()
      }
      for (const exchange of this.#exchanges) exchange.request.abort()
      if (this.#exchanges.size === 0) this.#drained()
    })
  }
}
