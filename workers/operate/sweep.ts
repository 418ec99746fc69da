/**
 * The sweep: it finds and puts right what a crash, a lost message or the passing of time left behind, a little every
 * few seconds. No decision depends on it: without it decisions stay correct, but what a crash left would stay as it is.
 *
 * What a round reads grows with what has changed, not with what there is: of every node it reads only `node.seq`, the
 * number of the node's last change.
 */
import { type Clock, repeat } from '../process/clock.ts'
import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'

/** One thing that a round looks at. `isStopped`: the round is to end soon. */
export interface SweepPart {
  readonly name: string
  readonly round: (isStopped: () => boolean) => Promise<void>
}

export interface SweepContext {
  /** In the sequence in which a round goes through them; each part fails alone. */
  readonly parts: readonly SweepPart[]
  readonly everyMs: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'sweep'>
}

export class Sweep {
  readonly #context: SweepContext
  #repeating: { stop(): Promise<void> } | null = null
  #isStopped = false

  constructor(context: SweepContext) {
    this.#context = context
  }

  start(): void {
    const { clock, everyMs } = this.#context
    this.#repeating = repeat(clock, everyMs, () => this.round())
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#repeating?.stop()
  }

  /** One round of everything. */
  async round(): Promise<void> {
    const { parts, clock, metrics, log } = this.#context
    for (const { name, round } of parts) {
      if (this.#isStopped) return
      const started = clock.elapsed()
      try {
        await round(() => this.#isStopped)
      } catch (error) {
        log.warn({ part: name, code: codeOf(error) }, 'a part of the sweep failed: next round')
      }
      metrics.sweep.observe({ part: name }, (clock.elapsed() - started) / 1000)
    }
  }
}
