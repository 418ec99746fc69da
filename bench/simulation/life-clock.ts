/** The product's clock in the time of a simulated world, for one life of a process: its timers end with it. */
import type { Clock } from '../../workers/process/clock.ts'
import type { Wire } from './wire.ts'

export function lifeClock({ life, scheduler }: Wire): Clock {
  const now = (): number => scheduler.nowMs
  const later = (ms: number, work: () => void, isWanted: () => boolean): void => {
    scheduler.after(ms, `${life.name} timer`, () => {
      if (!life.alive || !isWanted()) return
      // A process that stands still hears its timers when it goes on.
      const standsMs = life.frozenUntilMs - scheduler.nowMs
      if (standsMs > 0) later(standsMs, work, isWanted)
      else work()
    })
  }
  return {
    now,
    elapsed: now,
    after(ms, work) {
      let isWanted = true
      later(ms, work, () => isWanted)
      return {
        cancel: () => {
          isWanted = false
        },
      }
    },
    soon: (work) =>
      scheduler.soon(`${life.name} turn`, () => {
        if (life.alive) work()
      }),
  }
}
