/**
 * Log lines that a flood from outside can cause, told so that the flood does not fill the disk: the first of a reason at
 * once, then at most one line a second and reason, with the count of those that were not told. What is exact is in the
 * metrics; a line is an example.
 *
 * Reasons are ours (a message with a code), never what a stranger sent; so they are few. Should they not be, those above a
 * bound share one.
 */
import type { Log } from './log.ts'

const quietMs = 1_000
// The pairs of a message and a code that this program knows are some dozens.
const reasonsMax = 200
const anyOther = 'other'

interface Reason {
  toldAtMs: number
  untold: number
}

/** When a line is told, pure: time comes in as an argument. */
export class LogSample {
  readonly #reasons = new Map<string, Reason>()

  /** How many of the reason were not told since its last line, this one not counted; null: this one is not told either. */
  note(reason: string, nowMs: number): number | null {
    const key = this.#reasons.has(reason) || this.#reasons.size < reasonsMax ? reason : anyOther
    const known = this.#reasons.get(key)
    if (known !== undefined && nowMs - known.toldAtMs < quietMs) {
      known.untold += 1
      return null
    }
    this.#reasons.set(key, { toldAtMs: nowMs, untold: 0 })
    return known?.untold ?? 0
  }

  /** Nothing is left untold. */
  get isSilent(): boolean {
    return [...this.#reasons.values()].every(({ untold }) => untold === 0)
  }

  /** What was not told, of the reasons whose last line is a second old; it counts as told from now on. */
  rest(nowMs: number): readonly { readonly reason: string; readonly untold: number }[] {
    const due = [...this.#reasons].filter(([, { toldAtMs, untold }]) => untold > 0 && nowMs - toldAtMs >= quietMs)
    for (const [reason] of due) this.#reasons.set(reason, { toldAtMs: nowMs, untold: 0 })
    return due.map(([reason, { untold }]) => ({ reason, untold }))
  }
}

/** By log: the parts of a process share one without knowing each other. */
const samples = new WeakMap<Log, SampledLog>()

export function sampled(log: Log): SampledLog {
  const known = samples.get(log) ?? new SampledLog(log)
  samples.set(log, known)
  return known
}

class SampledLog {
  readonly #log: Log
  readonly #sample = new LogSample()
  #timer: NodeJS.Timeout | null = null

  constructor(log: Log) {
    this.#log = log
  }

  /** The reason is the message with the `code`, where one message has several. */
  warn(fields: object, message: string, code?: string): void {
    this.#tell('warn', fields, message, code)
  }

  error(fields: object, message: string, code?: string): void {
    this.#tell('error', fields, message, code)
  }

  #tell(level: 'warn' | 'error', fields: object, message: string, code?: string): void {
    const untold = this.#sample.note(code === undefined ? message : `${message}: ${code}`, performance.now())
    if (untold !== null) this.#log[level](untold === 0 ? fields : { ...fields, untold }, message)
    else this.#timer ??= setInterval(() => this.#tellRest(), quietMs).unref()
  }

  /** What the end of a flood left untold; each second until there is nothing. */
  #tellRest(): void {
    for (const { reason, untold } of this.#sample.rest(performance.now()))
      this.#log.warn({ reason, untold }, 'and more')
    if (this.#sample.isSilent) {
      clearInterval(this.#timer ?? undefined)
      this.#timer = null
    }
  }
}
