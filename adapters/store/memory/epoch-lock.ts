/** The lock that a raise of the stock epoch holds alone: see ../stock/epoch.ts. Those who want it wait in line. */
export class EpochLock {
  #last: Promise<unknown> = Promise.resolve()
  #count = 0

  /** Whether it is held or waited for. */
  get isHeld(): boolean {
    return this.#count > 0
  }

  /** Resolves when it is neither held nor waited for. */
  async free(): Promise<void> {
    while (this.isHeld) await this.#last
  }

  /** When `work` throws, the lock is free again. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last
    let release: () => void = () => undefined
    this.#last = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#count += 1
    await before
    try {
      return await work()
    } finally {
      this.#count -= 1
      release()
    }
  }
}
