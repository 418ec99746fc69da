/**
 * What all requests of a process hold in memory together: bodies that come in, bodies that are worked on, answers that
 * slow readers have not taken. Each has its own limit; ten thousand at their limit would still be more than there is.
 *
 * Above the common limit the slowest give way to those who are quick: strangers' bodies in the order in which they
 * began, then answers that the client does not read, then bodies of callers who are known. What a handler has is never
 * taken from it.
 */
export interface Holder {
  /** Answers or hangs up; has to give up what it holds before it returns. */
  giveWay(): void
}

/** Who gives way first; `never`: a handler has it. */
export const patience = ['stranger', 'reader', 'caller', 'never'] as const
export type Patience = (typeof patience)[number]

interface Part {
  readonly bytes: number
  readonly patience: Patience
}

export class Held {
  readonly #bytesMax: number
  readonly #parts = new Map<Holder, Part>()
  readonly #waiting: Readonly<Record<Patience, Set<Holder>>> = {
    stranger: new Set(),
    reader: new Set(),
    caller: new Set(),
    never: new Set(),
  }
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** What `holder` holds from now on. May make it, and others, give way at once. */
  set(holder: Holder, bytes: number, patience: Patience): void {
    const before = this.#parts.get(holder)
    if (before !== undefined && before.patience !== patience) this.#waiting[before.patience].delete(holder)
    this.#bytes += bytes - (before?.bytes ?? 0)
    this.#parts.set(holder, { bytes, patience })
    this.#waiting[patience].add(holder)
    if (this.#bytes > this.#bytesMax) this.#makeRoom()
  }

  delete(holder: Holder): void {
    const part = this.#parts.get(holder)
    if (part === undefined) return
    this.#bytes -= part.bytes
    this.#parts.delete(holder)
    this.#waiting[part.patience].delete(holder)
  }

  #makeRoom(): void {
    for (const who of ['stranger', 'reader', 'caller'] as const) {
      for (const holder of this.#waiting[who]) {
        if (this.#bytes <= this.#bytesMax) return
        holder.giveWay()
        // Whatever it does, it is not asked twice.
        this.delete(holder)
      }
    }
  }
}
