/**
 * Time and order of a simulated world. Whatever waits for something from outside becomes ready here, and which of those that
 * are ready goes next is the seed's choice. Between two steps everything that can run has run.
 */
import type { Random } from '../../adapters/shared/seeded-random.ts'

// A step is a message's way: mostly shorter than the world's timers, so that many fit between two of them.
const stepMsMax = 10

interface Step {
  readonly label: string
  readonly run: () => void
  isCancelled: boolean
}

interface Timer {
  readonly dueMs: number
  readonly step: Step
}

export interface Scheduled {
  cancel(): void
}

export class Scheduler {
  readonly #random: Random
  #ready: Step[] = []
  #timers: Timer[] = []
  #timersDirty = false
  nowMs: number
  steps = 0
  /** Of every step's label, in their order: equal for equal runs. */
  hash = 0x811c9dc5
  readonly #onStep: (label: string) => void

  constructor(random: Random, startMs: number, onStep: (label: string) => void = () => undefined) {
    this.#random = random
    this.nowMs = startMs
    this.#onStep = onStep
  }

  soon(label: string, run: () => void): Scheduled {
    const step = { label, run, isCancelled: false }
    this.#ready.push(step)
    return cancelling(step)
  }

  after(delayMs: number, label: string, run: () => void): Scheduled {
    const step = { label, run, isCancelled: false }
    this.#timers.push({ dueMs: this.nowMs + delayMs, step })
    this.#timersDirty = true
    return cancelling(step)
  }

  turn(label: string): Promise<void> {
    return new Promise((resolve) => void this.soon(label, resolve))
  }

  sleep(delayMs: number, label: string): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, label, resolve))
  }

  /** One step; false when nothing is left to happen. */
  async step(): Promise<boolean> {
    this.nowMs += this.#random.below(stepMsMax + 1)
    const step = this.#next()
    if (step === null) return false
    this.steps += 1
    this.note(step.label)
    step.run()
    await new Promise<void>((resolve) => setImmediate(resolve))
    return true
  }

  /** What was cancelled is not there: it takes no step, and time does not run to it. */
  #next(): Step | null {
    for (;;) {
      this.#wake()
      if (this.#ready.length === 0) {
        const next = this.#timers.find(({ step }) => !step.isCancelled)
        if (next === undefined) return null
        this.nowMs = Math.max(this.nowMs, next.dueMs)
        this.#wake()
      }
      const at = this.#random.below(this.#ready.length)
      const step = this.#ready[at]!
      this.#ready[at] = this.#ready.at(-1)!
      this.#ready.pop()
      if (!step.isCancelled) return step
    }
  }

  /** Into the hash and the trace. */
  note(text: string): void {
    let hash = this.hash
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    this.hash = hash
    this.#onStep(text)
  }

  #wake(): void {
    if (this.#timersDirty) {
      this.#timers = this.#timers.filter(({ step }) => !step.isCancelled)
      this.#timers.sort((a, b) => a.dueMs - b.dueMs)
    }
    this.#timersDirty = false
    let due = 0
    while (due < this.#timers.length && this.#timers[due]!.dueMs <= this.nowMs) {
      const { step } = this.#timers[due]!
      if (!step.isCancelled) this.#ready.push(step)
      due += 1
    }
    if (due > 0) this.#timers.splice(0, due)
  }
}

function cancelling(step: Step): Scheduled {
  return {
    cancel: () => {
      step.isCancelled = true
    },
  }
}
