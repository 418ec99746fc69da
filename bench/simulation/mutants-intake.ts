/** Faults between the platform and the dispatch. */
import type { Mutant } from './mutant.ts'

const intake = 'workers/intake/intake.js'
const handOn = 'workers/intake/hand-on.js'
const fetcher = 'workers/outbound/fetch-orders.js'

export const intakeMutants: readonly Mutant[] = [
  {
    name: 'events refused by the intake stay in its queue',
    file: intake,
    from: 'this.#waiting.splice(0, count === -1 ?',
    to: 'this.#waiting.slice(0, count === -1 ?',
  },
  {
    name: 'an event is acknowledged though its commit failed',
    file: intake,
    from: "reject(new IntakeRefused('the event could not be stored', { cause: error }))",
    to: "batch.forEach(({ resolve }) => resolve({ outcome: 'duplicate' }))",
  },
  {
    name: 'read-back never begins again',
    file: handOn,
    from: "this.#cursor = rows.at(-1)?.seq ?? '0'",
    to: 'this.#cursor = rows.at(-1)?.seq ?? this.#cursor',
  },
  {
    name: 'the fetcher believes an answer older than its notification',
    file: fetcher,
    from: 'doubtsOf(job.notifications, event.occurredAt, clock.now())',
    to: 'nothingDoubted',
  },
  {
    name: 'the fetcher answers a notification that came while it asked',
    file: fetcher,
    from: 'job.late.push(notification)',
    to: 'job.notifications.push(notification)',
  },
  {
    name: 'an order that was not fetched is never asked for again',
    file: fetcher,
    from: 'await this.#putAside(job, error)',
    to: 'await this.#context.store.postpone(job.notifications.map((n) => n.seq), 1e9, "given up")',
  },
]
