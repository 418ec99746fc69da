/**
 * Sockets go first. A platform waits for its ACK and hangs up; no one notices a decision that comes some
 * milliseconds later. On a machine with fewer cores than there is work, a thread that plans a whole batch would keep every
 * answer waiting until its time slice is over.
 */
import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

/** For the thread that calls. Linux gives each thread a priority of its own; elsewhere nothing happens. */
export function standBack(): void {
  try {
    const own = Number(/\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1])
    if (own > 0) setPriority(own, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // No such thing here, or not allowed: all threads are equal then, which is only slower.
  }
}
