/**
 * Time and order of a simulated world. Whoever has to wait for something from outside becomes ready here, and which of
 * those that are ready goes next is the seed's choice. Between two steps everything that can run has run.
 */
import type { Random } from '../../adapters/shared/seeded-random.ts'

// A step is a message's way: mostly shorter than the world's timers, so that many fit between two of them.
const stepMsMax = 1

interface Step {
  readonly label: string
  readonly run: () => void
}

interface Timer {
  readonly dueMs: number
  readonly step: Step
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

  soon(label: string, run: () => void): void {
    this.#ready.push({ label, run })
  }

  after(delayMs: number, label: string, run: () => void): void {
    this.#timers.push({ dueMs: this.nowMs + delayMs, step: { label, run } })
    this.#timersDirty = true
  }

  turn(label: string): Promise<void> {
    return new Promise((resolve) => this.soon(label, resolve))
  }

  sleep(delayMs: number, label: string): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, label, resolve))
  }

  /** One step; false when nothing is left to happen. */
  async step(): Promise<boolean> {
    this.nowMs += this.#random.below(stepMsMax + 1)
    this.#wake()
    if (this.#ready.length === 0) {
      const next = this.#timers[0]
      if (next === undefined) return false
      this.nowMs = Math.max(this.nowMs, next.dueMs)
      this.#wake()
    }
    const at = this.#random.below(this.#ready.length)
    const step = this.#ready[at]!
    this.#ready[at] = this.#ready.at(-1)!
    this.#ready.pop()
    this.steps += 1
    this.note(step.label)
    step.run()
    await new Promise<void>((resolve) => setImmediate(resolve))
    return true
  }

  /** Into the hash and the trace. */
  note(text: string): void {
    let hash = this.hash
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    this.hash = hash
    this.#onStep(text)
  }

  #wake(): void {
    if (this.#timersDirty) this.#timers.sort((a, b) => a.dueMs - b.dueMs)
    this.#timersDirty = false
    let due = 0
    while (due < this.#timers.length && this.#timers[due]!.dueMs <= this.nowMs) {
      this.#ready.push(this.#timers[due]!.step)
      due += 1
    }
    if (due > 0) this.#timers.splice(0, due)
  }
}
