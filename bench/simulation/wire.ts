/**
 * Every call of a simulated process to Postgres or Redis: a request on its way, the effect, an answer on its way. Each
 * of the two ways may be the end of the call (nothing happened; or it happened, and no caller gets the answer), and
 * between them the process may die: what it had sent may still land, its answer is lost.
 */

import type { Random } from '../../adapters/shared/seeded-random.ts'
import { StockError } from '../../adapters/stock/errors.ts'
import type { Scheduler } from './scheduler.ts'

export interface Faults {
  /** Of a request, and as often of an answer, 0 … 1. */
  lostByRedis: number
  lostByPostgres: number
  /** Of requests whose caller was told that they failed: they land later all the same. */
  late: number
  lateMsMax: number
  /** An answer that takes long, up to slowMsMax. */
  slow: number
  /** Of threads as well. */
  slowThreads: boolean
  slowMsMax: number
  /** Until then Postgres takes requests and carries none out. */
  silentUntilMs: number
}

export const noFaults: Faults = {
  ...{
    lostByRedis: 0,
    lostByPostgres: 0,
    late: 0.3,
    lateMsMax: 1_000,
    slow: 0,
    slowThreads: true,
    slowMsMax: 1,
    silentUntilMs: 0,
  },
}

/** One life of a process, from its start to its crash; or of a thread, which ends and stands still with its process. */
export class Life {
  readonly name: string
  readonly isThread: boolean
  readonly died: Promise<never>
  readonly #threads = new Set<Life>()
  #alive = true
  #frozenUntilMs = 0
  #die: (error: Error) => void = () => undefined

  constructor(name: string, isThread = false) {
    this.name = name
    this.isThread = isThread
    this.died = new Promise<never>((_, reject) => {
      this.#die = reject
    })
    this.died.catch(() => undefined)
  }

  get alive(): boolean {
    return this.#alive
  }

  /** Stopped until then: it hears nothing, and says nothing that it has not said. */
  get frozenUntilMs(): number {
    return this.#frozenUntilMs
  }

  freeze(untilMs: number): void {
    this.#frozenUntilMs = untilMs
    for (const thread of this.#threads) thread.freeze(untilMs)
  }

  thread(name: string): Life {
    const thread = new Life(`${this.name}.${name}`, true)
    thread.freeze(this.#frozenUntilMs)
    this.#threads.add(thread)
    thread.died.catch(() => this.#threads.delete(thread))
    return thread
  }

  end(): void {
    this.#alive = false
    for (const thread of this.#threads) thread.end()
    this.#die(lostConnection())
  }
}

export function lostConnection(): Error {
  return Object.assign(new Error('the connection is gone'), { code: 'CONNECTION_CLOSED' })
}

export function lostRedis(): Error {
  return new StockError('redis_unavailable', 'the connection is gone')
}

export class Wire {
  readonly life: Life
  readonly scheduler: Scheduler
  readonly #random: Random
  readonly #faults: Faults

  constructor(life: Life, scheduler: Scheduler, random: Random, faults: Faults) {
    this.life = life
    this.scheduler = scheduler
    this.#random = random
    this.#faults = faults
  }

  /** `isWhole`: all of it is one request, which the server carries out whether or not somebody waits for the answer. */
  call<T>(name: string, lost: () => Error, effect: () => Promise<T>, isWhole = true): Promise<T> {
    return new Promise((resolve, reject) => {
      const label = `${this.life.name} ▶ ${name}`
      const arrive = (): void => {
        const silentMs = name.startsWith('postgres') ? this.#faults.silentUntilMs - this.scheduler.nowMs : 0
        if (silentMs > 0) {
          this.scheduler.after(silentMs, label, arrive)
          return
        }
        // Half of what a process had sent when it died still arrives.
        if (!this.life.alive && this.#random.chance(0.5)) return
        if (this.life.alive && this.#loses(name)) {
          const isLate = isWhole && this.#random.chance(this.#faults.late)
          this.scheduler.note(`${this.life.name} ✗ ${name}: the request is ${isLate ? 'late' : 'lost'}`)
          reject(lost())
          if (isLate) this.#landLater(name, effect)
          return
        }
        effect().then(
          (answer) => this.#answer(name, lost, answer, resolve, reject),
          (error: unknown) => this.#back(`${name}: ${nameOf(error)}`, () => reject(error)),
        )
      }
      this.scheduler.soon(label, arrive)
    })
  }

  /** The connection broke while the server was at work, or waited for a lock: nobody hears what comes of it. */
  #landLater(name: string, effect: () => Promise<unknown>): void {
    this.scheduler.after(this.#random.between(1, this.#faults.lateMsMax), `${this.life.name} ▶ ${name}, late`, () => {
      effect().catch(() => undefined)
    })
  }

  #answer<T>(
    name: string,
    lost: () => Error,
    answer: T,
    resolve: (answer: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const text = `${name}${told(answer)}`
    if (this.life.alive && this.#loses(name)) {
      this.#back(`${text}: the answer is lost`, () => reject(lost()))
    } else this.#back(text, () => resolve(answer))
  }

  #loses(name: string): boolean {
    const { lostByRedis, lostByPostgres } = this.#faults
    return this.#random.chance(name.startsWith('redis') ? lostByRedis : lostByPostgres)
  }

  #back(text: string, deliver: () => void): void {
    const arrive = (): void => {
      const { frozenUntilMs } = this.life
      if (frozenUntilMs > this.scheduler.nowMs)
        this.scheduler.after(frozenUntilMs - this.scheduler.nowMs, `${this.life.name} thaws`, arrive)
      else if (this.life.alive) deliver()
    }
    const label = `${this.life.name} ◀ ${text}`
    this.scheduler.note(`${this.life.name} ● ${text}`)
    const { slow, slowThreads } = this.#faults
    if (this.#random.chance(this.life.isThread && !slowThreads ? 0 : slow)) {
      this.scheduler.after(this.#random.between(1, this.#faults.slowMsMax), label, arrive)
    } else this.scheduler.soon(label, arrive)
  }
}

function nameOf(error: unknown): string {
  const { name, code } = error as { name?: string; code?: string }
  return code ?? name ?? 'error'
}

/** What an answer says, in a word or two. */
function told(answer: unknown): string {
  if (Array.isArray(answer)) return answer.length === 0 ? ' → nothing' : ` →${answer.map(word).join(',')}`
  return word(answer) === '' ? '' : ` →${word(answer)}`
}

function word(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return ` ${String(value)}`
  if (typeof value !== 'object' || value === undefined) return ''
  const { outcome, conflicts, taskId, fence, seq } = value as Record<string, unknown>
  const parts = [outcome, taskId, fence, outcome === 'new' ? seq : undefined].filter((part) => part !== undefined)
  if (Array.isArray(conflicts) && conflicts.length > 0) parts.push(`${conflicts.length} conflicts`)
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`
}
