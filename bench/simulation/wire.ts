/**
 * Every call of a simulated process to Postgres or Redis: a request on its way, the effect, an answer on its way. Each of the
 * two ways may be the end of the call (nothing happened; it happened and nobody learns of it), and between them the process
 * may die: what it had sent may still land, what would have come back reaches nobody.
 */
import { StockError } from '../../adapters/stock/errors.ts'
import type { Random } from '../../workers/demo/random.ts'
import type { Scheduler } from './scheduler.ts'

export interface Faults {
  /** Of a request, and as often of an answer, 0 … 1. */
  lostByRedis: number
  lostByPostgres: number
  /** An answer that takes long, up to slowMsMax. */
  slow: number
  slowMsMax: number
}

export const noFaults: Faults = { lostByRedis: 0, lostByPostgres: 0, slow: 0, slowMsMax: 1 }

/** One life of a process: from its start to its crash. */
export class Life {
  readonly name: string
  alive = true
  /** Stopped until then: it hears nothing, and says nothing that it has not said. */
  frozenUntilMs = 0
  readonly died: Promise<never>
  #die: (error: Error) => void = () => undefined

  constructor(name: string) {
    this.name = name
    this.died = new Promise<never>((_, reject) => {
      this.#die = reject
    })
    this.died.catch(() => undefined)
  }

  end(): void {
    this.alive = false
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

  call<T>(name: string, lost: () => Error, effect: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.scheduler.soon(`${this.life.name} ▶ ${name}`, () => {
        // Half of what a process had sent when it died still arrives.
        if (!this.life.alive && this.#random.chance(0.5)) return
        if (this.life.alive && this.#loses(name)) {
          this.scheduler.note(`${this.life.name} ✗ ${name}: the request is lost`)
          reject(lost())
          return
        }
        effect().then(
          (answer) => this.#answer(name, lost, answer, resolve, reject),
          (error: unknown) => this.#back(`${name}: ${nameOf(error)}`, () => reject(error)),
        )
      })
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
    if (this.#random.chance(this.#faults.slow)) {
      this.scheduler.after(this.#random.between(1, this.#faults.slowMsMax), label, arrive)
    } else this.scheduler.soon(label, arrive)
  }

  /** Resolves later, in this life only. */
  sleep(delayMs: number, why: string): Promise<void> {
    return new Promise((resolve) => {
      this.scheduler.after(delayMs, `${this.life.name} ${why}`, () => {
        if (this.life.alive) resolve()
      })
    })
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
