/**
 * The clock of one life of a process, in virtual time. A dead process' timers never fire; those of one that stands still fire
 * when it goes on.
 */
import type { Clock, Timer } from '../../workers/process/clock.ts'
import type { Scheduled, Scheduler } from './scheduler.ts'
import type { Life } from './wire.ts'

export function clockOf(life: Life, scheduler: Scheduler): Clock {
  const when = (schedule: (run: () => void) => Scheduled, work: () => void): Timer => {
    let scheduled: Scheduled
    const fire = (): void => {
      if (!life.alive) return
      const frozenMs = life.frozenUntilMs - scheduler.nowMs
      if (frozenMs > 0) scheduled = scheduler.after(frozenMs, `${life.name} goes on`, fire)
      else work()
    }
    scheduled = schedule(fire)
    return { cancel: () => scheduled.cancel() }
  }
  return {
    now: () => scheduler.nowMs,
    elapsed: () => scheduler.nowMs,
    after: (ms, work) => when((run) => scheduler.after(ms, `${life.name} ${ms} ms later`, run), work),
    soon: (work) => void when((run) => scheduler.soon(`${life.name} in the next turn`, run), work),
  }
}
