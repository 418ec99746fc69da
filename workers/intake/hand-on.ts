/**
 * Where an acknowledged event goes from the inbox: a notification to the fetcher of orders, everything else to the dispatch.
 * What a process that died, or the full memory of this one, left in `pending` is read back and goes the same way.
 */
import type { InboxStore } from '../../adapters/store/order-store.ts'
import { type Clock, repeat } from '../process/clock.ts'
import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'
import type { StoredEvent } from './intake.ts'

/** An event that a queue takes. `readBack`: from `pending`, where it may have waited for another process. */
export interface HandedEvent extends Omit<StoredEvent, 'occurredAt'> {
  readonly readBack?: true
}

export interface HandedNotification extends HandedEvent {
  /** When it happened by the platform's clock; 0 when the platform does not say. */
  readonly occurredAt: number
  readonly attempts: number
}

interface Queue<Event> {
  push(events: readonly Event[]): void
  /** By an event's number. */
  knows(seq: string): boolean
  /** Events that it holds. */
  readonly size: number
}

export interface HandOnContext {
  readonly store: Pick<InboxStore, 'readPending'>
  readonly orders: Queue<HandedEvent>
  readonly notifications: Queue<HandedNotification>
  /** When a stored notification happened by the platform's clock: `pending` does not say. */
  readonly notifiedAt: (event: { readonly channel: string; readonly body: Uint8Array }) => number
  readonly clock: Clock
  readonly log: Log
  /** Nothing is read back while more events than this are in memory. */
  readonly inMemoryMax: number
  readonly everyMs?: number
  /** Younger rows are in the memory of the process that stored them. */
  readonly olderThanMs?: number
}

const readBackEveryMs = 500
const readBackOlderThanMs = 5_000
const pageRows = 2_000
const pageBytesMax = 32 * 1024 * 1024

export class HandOn {
  readonly #context: HandOnContext
  #cursor = '0'
  #repeating: { stop(): Promise<void> } | null = null
  #isStopped = false

  constructor(context: HandOnContext) {
    this.#context = context
  }

  /** Events that were stored just now. */
  take(events: readonly StoredEvent[]): void {
    const { orders, notifications } = this.#context
    const told = events.filter((e) => e.kind === 'notification')
    if (told.length > 0) notifications.push(told.map((e) => ({ ...e, attempts: 0 })))
    const others = told.length === 0 ? events : events.filter((e) => e.kind !== 'notification')
    if (others.length > 0) orders.push(others)
  }

  /** Reads back as much as the threads want, again and again. The first page is in memory when it resolves. */
  async start(): Promise<void> {
    await this.readBack(0)
    const { clock, log, everyMs = readBackEveryMs } = this.#context
    this.#repeating = repeat(clock, everyMs, async () => {
      try {
        await this.#readAll()
      } catch (error) {
        log.warn({ code: codeOf(error) }, 'pending events could not be read back')
      }
    })
  }

  /** Resolves when nothing is being read any more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#repeating?.stop()
  }

  async #readAll(): Promise<void> {
    const { orders, inMemoryMax, olderThanMs = readBackOlderThanMs } = this.#context
    while (!this.#isStopped && orders.size <= inMemoryMax) {
      if (!(await this.readBack(olderThanMs))) return
    }
  }

  /**
   * One page. True when another one is wanted: this one was full, and some of it was taken. What finds no room now would find
   * none in the next page either.
   */
  async readBack(olderThanMs: number): Promise<boolean> {
    const { store, orders, notifications, notifiedAt } = this.#context
    const page = { afterSeq: this.#cursor, limit: pageRows, bytesMax: pageBytesMax, olderThanMs }
    const rows = await store.readPending(page)
    this.#cursor = rows.at(-1)?.seq ?? '0'
    const isKnown = (seq: string): boolean => orders.knows(seq) || notifications.knows(seq)
    const fresh = rows.filter((r) => !isKnown(r.seq))
    const told = fresh.filter((r) => r.kind === 'notification')
    notifications.push(told.map((r) => ({ ...r, occurredAt: notifiedAt(r), readBack: true as const })))
    orders.push(fresh.filter((r) => r.kind !== 'notification').map((r) => ({ ...r, readBack: true as const })))
    return rows.length === pageRows && fresh.some((r) => isKnown(r.seq))
  }
}
