/** Where the time of a run goes: seconds by part, summed over worlds that may run side by side. */
export const parts = [
  'starting worlds',
  'starting the service',
  'waiting for a moment',
  'faults themselves',
  'recovery',
  'checks after each',
  'settling and complete checks',
  'ending worlds',
] as const
export type Part = (typeof parts)[number]

export type Seconds = Readonly<Record<Part, number>>

export class Spend {
  readonly #ms = new Map<Part, number>()

  /** Each call charges the time since the one before. */
  laps(): (part: Part) => void {
    let since = performance.now()
    return (part) => {
      const now = performance.now()
      this.#ms.set(part, (this.#ms.get(part) ?? 0) + now - since)
      since = now
    }
  }

  get seconds(): Seconds {
    return Object.fromEntries(parts.map((part) => [part, Math.round((this.#ms.get(part) ?? 0) / 1000)])) as Seconds
  }
}
