/**
 * Durable intake: whatever arrived while the last commit ran goes in with the next one, many events a fsync. A caller
 * is answered when its event is committed, refused when the queue is full or Postgres is away: then nothing was taken.
 */
import { hashed, type InboxEvent, type Stored } from '../../adapters/store/inbox/event.ts'
import type { InboxStore } from '../../adapters/store/order-store.ts'
import { type Clock, sleep, type Timer } from '../process/clock.ts'
import type { Metrics } from '../process/metrics.ts'

export interface EventToStore extends Omit<InboxEvent, 'bodyHash'> {
  /** Made here when absent. */
  readonly bodyHash?: string
}

/** What is left to decide: it may wait for long, so it holds nothing that only the storing needed. */
export interface StoredEvent extends Omit<InboxEvent, 'bodyHash' | 'answers'> {
  readonly seq: string
  readonly storedAtMs: number
}

export interface IntakeOptions {
  readonly store: Pick<InboxStore, 'storeEvents'>
  readonly clock: Clock
  /** Undecided events beyond which new ones are refused. */
  readonly backlogMax: number
  readonly backlog: () => number
  readonly metrics: Pick<Metrics, 'intakeRows' | 'intakeCommit'>
  /** What to wait before the next commit, milliseconds; 0: nothing. */
  readonly pauseMs: () => number
}

/** The platform shall try again: nothing was stored. */
export class IntakeRefused extends Error {
  readonly code = 'try_again'
  readonly retryable = true
}

// The most that one commit takes: the parameters of a statement stay far below Postgres' 1 GiB, and the ones behind
// wait no longer than a few fsyncs.
const rowsMax = 1_000
const bytesMax = 8 * 1024 * 1024
// A second's worth of the fastest intake ever measured; beyond it an ACK would come too late for its platform.
const waitingMax = 20_000
const waitingBytesMax = 64 * 1024 * 1024
// WeChat, the least patient, hangs up after 5 s and sends the event again: a later answer reaches no caller. What is being
// committed by then may still be stored; its redelivery is a duplicate.
const answerMsMax = 4_000

// A commit of five costs as much as one of fifty. At half of what the machine can do, waiting so long made a third as many
// commits, and the slowest ACKs a fifth quicker; twice as long gained nothing more.
const gatherMs = 2
const gatherFor = 64

interface Waiting {
  readonly event: InboxEvent
  readonly resolve: (stored: Stored) => void
  readonly reject: (error: unknown) => void
  readonly sinceMs: number
}

export class Intake {
  readonly #options: IntakeOptions
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #committing: readonly Waiting[] = []
  #impatience: Timer
  #running = 0
  #stopped = false
  #endPause: () => void = () => undefined
  #take: (events: readonly StoredEvent[]) => void = () => undefined

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#impatience = this.#lookForLate()
  }

  /** `take` is called with what is new, after it is durable and before its callers are answered. */
  start(take: (events: readonly StoredEvent[]) => void): void {
    this.#take = take
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Of the bodies of those that wait. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Resolves when the event is durable. Throws IntakeRefused. */
  store(event: EventToStore): Promise<Stored> {
    const refusal = this.#refusal()
    return refusal === null ? this.storeOwn(event) : Promise.reject(new IntakeRefused(refusal))
  }

  #refusal(): string | null {
    if (this.#stopped) return 'stopping'
    // Bodies that wait for a database that does not answer are memory, and their senders have long hung up.
    if (this.#waiting.length >= waitingMax || this.#waitingBytes >= waitingBytesMax) return 'commits are not keeping up'
    if (this.#options.backlog() + this.#waiting.length >= this.#options.backlogMax) return 'the backlog is at its limit'
    return null
  }

  /** For what the backlog itself leads to (a pulled order, a command): refusing it would only keep the backlog. */
  storeOwn(event: EventToStore): Promise<Stored> {
    const { bodyHash } = event
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        event: bodyHash === undefined ? hashed(event) : { ...event, bodyHash },
        resolve,
        reject,
        sinceMs: this.#options.clock.elapsed(),
      })
      this.#waitingBytes += event.body.length
      if (this.#isHurried()) this.#endPause()
      // The next turn: whatever the sockets bring in this one goes along.
      if (this.#running === 0) {
        this.#running = 1
        this.#options.clock.soon(() => void this.#run())
      }
    })
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < gatherFor && !this.#stopped) await sleep(this.#options.clock, gatherMs)
      const batch = this.#next()
      // While it gathered, all that waited may have been told that it takes too long.
      if (batch.length === 0) break
      await this.#commit(batch)
      await this.#pause()
    }
    this.#running = 0
  }

  /**
   * Until it is over, or as many wait as one commit takes: they do not depend on our ACKs, and the backlog has room for them.
   * When it is half full all are slowed down, before any sender has to be refused: a refused sender comes again, and refusing costs
   * as much as deciding.
   */
  async #pause(): Promise<void> {
    const pauseMs = this.#stopped || this.#isHurried() ? 0 : this.#options.pauseMs()
    if (pauseMs <= 0) return
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(pauseMs, resolve)
      this.#endPause = () => {
        timer.cancel()
        resolve()
      }
    })
    this.#endPause = () => undefined
  }

  #isHurried(): boolean {
    const { backlog, backlogMax } = this.#options
    const isCommitFull = this.#waiting.length >= rowsMax || this.#waitingBytes >= bytesMax
    return isCommitFull && backlog() + this.#waiting.length < backlogMax / 2
  }

  #next(): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && count < rowsMax && bytes < bytesMax) {
      bytes += this.#waiting[count]!.event.body.length
      count += 1
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  #lookForLate(): Timer {
    return this.#options.clock.after(answerMsMax / 8, () => {
      this.#refuseLate()
      if (!this.#stopped) this.#impatience = this.#lookForLate()
    })
  }

  /** Postgres is silent: no caller waits for it longer than the platform waits for us. */
  #refuseLate(): void {
    const late = this.#options.clock.elapsed() - answerMsMax
    for (const { reject, sinceMs } of this.#committing) {
      if (sinceMs < late) reject(new IntakeRefused('the commit takes too long'))
    }
    const count = this.#waiting.findIndex((w) => w.sinceMs >= late)
    const given = this.#waiting.splice(0, count === -1 ? this.#waiting.length : count)
    for (const { event, reject } of given) {
      this.#waitingBytes -= event.body.length
      reject(new IntakeRefused('commits are not keeping up'))
    }
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    this.#committing = batch
    const { store, clock, metrics } = this.#options
    const started = clock.elapsed()
    let outcomes: readonly Stored[]
    try {
      outcomes = await store.storeEvents(batch.map((w) => w.event))
    } catch (error) {
      for (const { reject } of batch) reject(new IntakeRefused('the event could not be stored', { cause: error }))
      return
    }
    metrics.intakeRows.observe(batch.length)
    metrics.intakeCommit.observe((clock.elapsed() - started) / 1000)
    const storedAtMs = clock.now()
    const fresh: StoredEvent[] = []
    outcomes.forEach((stored, i) => {
      if (stored.outcome !== 'new') return
      const { channel, shop, eventId, orderId, kind, occurredAt, body } = batch[i]!.event
      fresh.push({ seq: stored.seq, channel, shop, eventId, orderId, kind, occurredAt, body, storedAtMs })
    })
    if (fresh.length > 0) this.#take(fresh)
    batch.forEach(({ resolve }, i) => {
      resolve(outcomes[i]!)
    })
  }

  /** Takes nothing new; resolves when what was taken is durable or refused. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#endPause()
    this.#impatience.cancel()
    while (this.#running > 0) await new Promise<void>((resolve) => this.#options.clock.soon(resolve))
  }
}
