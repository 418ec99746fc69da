/**
 * Hands committed events to the threads, in batches, never two of one order at a time. It holds nothing that is not in
 * `pending`: what does not fit, or was stored by a process that died, is read back from there.
 */
import { keyOf } from '../../adapters/store/orders/load.ts'
import { type Clock, sleep } from '../process/clock.ts'
import type { BatchResult, Decided, EventToDecide } from './batch.ts'

export interface QueuedEvent extends EventToDecide {
  /** From `pending`, where it may have waited for another process. */
  readonly readBack?: true
}

export interface DispatchOptions {
  readonly clock: Clock
  readonly run: (events: readonly EventToDecide[]) => Promise<BatchResult>
  readonly batchMax: number
  /** And bytes of their bodies; the one that goes over is taken still. */
  readonly batchBytesMax: number
  /** Batches under way at once. */
  readonly concurrency: number
  /** Events in memory at most; the rest waits in `pending`. */
  readonly memoryMax: number
  /** And bytes of their bodies. */
  readonly memoryBytesMax: number
  readonly onDecided: (event: QueuedEvent, decided: Decided) => void
  /** A batch that failed as a whole: the thread died, or a bug. Its events are tried again, then put aside. */
  readonly onFailed: (events: readonly QueuedEvent[], error: unknown) => void
  /** An event that cannot be decided for now is put aside in `pending`, and read back later. */
  readonly putAside: (events: readonly QueuedEvent[], why: string, passing: boolean) => void
}

// Retries from memory after a passing failure (Redis or Postgres restarts); after them the event goes back to
// `pending`.
const retriesMax = 3
const retryDelayMs = 200
const drainLookMs = 10

export class Dispatch {
  readonly #options: DispatchOptions
  readonly #known = new Map<string, number>()
  readonly #busy = new Map<string, QueuedEvent[]>()
  readonly #waiters = new Map<string, (decided: Decided | null) => void>()
  #bytes = 0
  #queue: QueuedEvent[] = []
  #head = 0
  #running = 0
  #stopped = false
  #idle: () => void = () => undefined

  constructor(options: DispatchOptions) {
    this.#options = options
  }

  /** Events in memory: queued or being decided. */
  get size(): number {
    return this.#known.size
  }

  get running(): number {
    return this.#running
  }

  knows(seq: string): boolean {
    return this.#known.has(seq)
  }

  push(events: readonly QueuedEvent[]): void {
    for (const event of events) {
      if (this.#stopped || this.#isFull() || this.#known.has(event.seq)) continue
      this.#known.set(event.seq, 0)
      this.#bytes += event.body.length
      this.#queue.push(event)
    }
    this.#pump()
  }

  #isFull(): boolean {
    const { memoryMax, memoryBytesMax } = this.#options
    return this.#known.size >= memoryMax || this.#bytes >= memoryBytesMax
  }

  #forget(event: QueuedEvent): void {
    if (this.#known.delete(event.seq)) this.#bytes -= event.body.length
  }

  /** Resolves with the outcome when this process decides the event; null when it did not within `timeoutMs`. */
  decided(seq: string, timeoutMs: number): Promise<Decided | null> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(timeoutMs, () => finish(null))
      const finish = (decided: Decided | null): void => {
        timer.cancel()
        this.#waiters.delete(seq)
        resolve(decided)
      }
      this.#waiters.set(seq, finish)
    })
  }

  /** Resolves when everything in memory is decided, or the time is up. */
  async drained(deadlineMs: number): Promise<void> {
    const { clock } = this.#options
    const deadline = clock.elapsed() + deadlineMs
    while (this.size > 0 && clock.elapsed() < deadline) await sleep(clock, drainLookMs)
  }

  /**
   * Starts no further batch; resolves when those under way have ended, or the time is up: a thread that cannot start
   * answers never. What is queued, or not decided by then, stays in `pending`.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true
    if (this.#running > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve
      })
      await Promise.race([idle, sleep(this.#options.clock, deadlineMs)])
    }
    for (const finish of [...this.#waiters.values()]) finish(null)
  }

  #pump(): void {
    while (!this.#stopped && this.#running < this.#options.concurrency) {
      const batch = this.#nextBatch()
      if (batch.length === 0) return
      this.#running += 1
      void this.#decide(batch)
    }
  }

  #nextBatch(): QueuedEvent[] {
    const batch: QueuedEvent[] = []
    const ours = new Set<string>()
    const { batchMax, batchBytesMax } = this.#options
    let bytes = 0
    while (this.#head < this.#queue.length && batch.length < batchMax && bytes < batchBytesMax) {
      const event = this.#queue[this.#head++]!
      const key = keyOf(event)
      const waiting = this.#busy.get(key)
      if (waiting !== undefined && !ours.has(key)) {
        waiting.push(event)
        continue
      }
      if (waiting === undefined) {
        this.#busy.set(key, [])
        ours.add(key)
      }
      batch.push(event)
      bytes += event.body.length
    }
    if (this.#head > 4096 || this.#head === this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return batch
  }

  async #decide(batch: readonly QueuedEvent[]): Promise<void> {
    let decided = new Map<string, Decided>()
    try {
      const result = await this.#options.run(batch)
      decided = new Map(result.decided.map((d) => [d.seq, d]))
    } catch (error) {
      this.#options.onFailed(batch, error)
    }
    const again: QueuedEvent[] = []
    const aside = new Map<string, QueuedEvent[]>()
    for (const event of batch) {
      const outcome = decided.get(event.seq) ?? { seq: event.seq, done: false, why: 'the batch failed', passing: true }
      if (outcome.done) {
        this.#forget(event)
        this.#options.onDecided(event, outcome)
        this.#waiters.get(event.seq)?.(outcome)
        continue
      }
      const retries = this.#known.get(event.seq) ?? 0
      if (outcome.passing && retries < retriesMax && !this.#stopped) {
        this.#known.set(event.seq, retries + 1)
        again.push(event)
        continue
      }
      this.#forget(event)
      const why = `${outcome.passing ? '+' : '-'}${outcome.why}`
      aside.set(why, [...(aside.get(why) ?? []), event])
    }
    for (const [why, events] of aside) this.#options.putAside(events, why.slice(1), why[0] === '+')
    this.#free(batch)
    if (again.length > 0) {
      const delayMs = retryDelayMs * 2 ** (this.#known.get(again[0]!.seq) ?? 1)
      this.#options.clock.after(delayMs, () => this.#requeue(again))
    }
    this.#running -= 1
    this.#pump()
    if (this.#running === 0) this.#idle()
  }

  #requeue(events: readonly QueuedEvent[]): void {
    this.#queue.push(...events)
    this.#pump()
  }

  /** Lets the orders go; what came for them meanwhile is next. */
  #free(batch: readonly QueuedEvent[]): void {
    const first: QueuedEvent[] = []
    for (const event of batch) {
      const key = keyOf(event)
      const waiting = this.#busy.get(key)
      if (waiting === undefined) continue
      this.#busy.delete(key)
      first.push(...waiting)
    }
    if (first.length > 0) {
      this.#queue = [...first, ...this.#queue.slice(this.#head)]
      this.#head = 0
    }
  }
}
