/** Lets a bounded number in at a time, and a bounded number wait, first come first served. */
import { WechatApiError } from './errors.ts'

export class Gate {
  readonly #insideMax: number
  readonly #waitingMax: number
  // A Set keeps the order of arrival and gives up one that does not want to wait any more.
  readonly #waiting = new Set<() => void>()
  #inside = 0

  constructor(insideMax: number, waitingMax: number) {
    this.#insideMax = insideMax
    this.#waitingMax = waitingMax
  }

  /** Everyone who came in has to `leave` once. */
  async enter(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw new WechatApiError('wechat_api_aborted')
    if (this.#inside < this.#insideMax) {
      this.#inside++
      return
    }
    if (this.#waiting.size >= this.#waitingMax) throw new WechatApiError('wechat_api_overloaded')
    await new Promise<void>((resolve, reject) => {
      const letIn = () => {
        signal?.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = () => {
        this.#waiting.delete(letIn)
        reject(new WechatApiError('wechat_api_aborted'))
      }
      this.#waiting.add(letIn)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  leave(): void {
    const [next] = this.#waiting
    // The place is handed over, so nobody slips in between.
    if (next === undefined) this.#inside--
    else {
      this.#waiting.delete(next)
      next()
    }
  }
}
