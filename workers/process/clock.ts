/**
 * Time as the stages see it. A stage takes its clock as an argument, so that a simulation can run the same stage in virtual
 * time. Queries of Postgres have their own clock, `now()` of the server.
 */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Milliseconds since some moment; never runs backwards. For durations and deadlines. */
  elapsed(): number
  /** Calls `work` once, `ms` later, unless it is cancelled before. */
  after(ms: number, work: () => void): Timer
  /** Calls `work` in the next turn of the event loop: what arrives in this turn comes first. */
  soon(work: () => void): void
}

export interface Timer {
  cancel(): void
}

/** The clock of the machine. */
export const machineClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  after(ms, work) {
    const timer = setTimeout(work, ms)
    return { cancel: () => clearTimeout(timer) }
  },
  soon: (work) => void setImmediate(work),
}

/** Resolves `ms` later. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve)
  })
}

/** Calls `work` again and again, each time `ms` after its last call has ended. `stop` resolves when no call is under way. */
export function repeat(clock: Clock, ms: number, work: () => Promise<void>): { stop(): Promise<void> } {
  let isStopped = false
  let running: Promise<void> = Promise.resolve()
  let timer: Timer
  const wait = (): void => {
    timer = clock.after(ms, () => {
      running = work().finally(() => {
        if (!isStopped) wait()
      })
    })
  }
  wait()
  return {
    stop: async () => {
      isStopped = true
      timer.cancel()
      await running
    },
  }
}
