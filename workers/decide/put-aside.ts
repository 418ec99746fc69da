/** Events that cannot be decided for now leave memory for `pending`; an event that no retry will mend is shown to a person. */
import { refOf } from '../../adapters/store/exception-refs.ts'
import type { ExceptionStore, InboxStore } from '../../adapters/store/order-store.ts'
import type { Backlog } from '../intake/backlog.ts'
import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'
import { sampled } from '../process/sampled-log.ts'
import type { EventToDecide } from './batch.ts'

export interface PutAsideContext {
  readonly store: Pick<InboxStore, 'postpone'> & Pick<ExceptionStore, 'raise'>
  readonly backlog: Pick<Backlog, 'leave'>
  readonly metrics: Pick<Metrics, 'postponed'>
  readonly log: Log
}

const undecidableDelayMs = 60_000
const passingDelayMs = 2_000

/** `passing`: Redis or Postgres is away, or others were faster; else it is a bug, or a body that no code gets through. */
export function putAside(
  { store, backlog, metrics, log }: PutAsideContext,
  events: readonly EventToDecide[],
  why: string,
  passing: boolean,
): void {
  metrics.postponed.inc({ passing: String(passing) }, events.length)
  sampled(log).warn({ events: events.length, why, passing }, 'events put aside', why)
  backlog.leave(events.length)
  const keep = async (): Promise<void> => {
    const seqs = events.map((e) => e.seq)
    await store.postpone(seqs, passing ? passingDelayMs : undecidableDelayMs, why)
    if (passing) return
    await store.raise(
      events.map(({ channel, shop, orderId, eventId }) => ({
        kind: 'undecidable_event',
        ref: refOf(channel, shop, eventId),
        detail: { channel, shop, orderId, eventId, why },
      })),
    )
  }
  // When Postgres is away the rows stay as they are, and are read back as they are.
  keep().catch((error: unknown) => log.warn({ code: codeOf(error) }, 'events could not be put aside'))
}
