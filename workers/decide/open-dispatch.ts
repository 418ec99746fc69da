/** The dispatch of a process: its threads, what becomes of an event that was decided, and of one that could not be. */
import { closableStates } from '../../router/reconcile/types.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import type { Clock } from '../process/clock.ts'
import { codeOf } from '../process/error-code.ts'
import type { Metrics } from '../process/metrics.ts'
import { sampled } from '../process/sampled-log.ts'
import type { Reconciler } from '../settle/reconciler.ts'
import type { Decided } from './batch.ts'
import { Dispatch, type DispatchOptions, type QueuedEvent } from './dispatch.ts'
import { type PutAsideContext, putAside } from './put-aside.ts'

export interface DispatchContext extends PutAsideContext {
  readonly run: DispatchOptions['run']
  readonly batchMax: number
  /** Batches under way at once. */
  readonly concurrency: number
  readonly catalog: Pick<CatalogWatch, 'fillAvailability'>
  readonly reconciler: Pick<Reconciler, 'soon'>
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'postponed' | 'decided' | 'decision'>
}

// Two seconds' work and more. Bodies are some 3 KB, and what stands around them as much again: 50 MB at the most.
export const eventsInMemoryMax = 8_000
// Bodies may be eighty times as large.
const eventBytesInMemoryMax = 128 * 1024 * 1024
// A full batch of everyday orders is three quarters of it. What is made of a wholesaler's, of 24 lines each, is six
// times as much an order, and would outlive every collection of the young.
const batchBytesMax = 1280 * 1024

const closable: ReadonlySet<string> = new Set(closableStates)

export function openDispatch(context: DispatchContext): Dispatch {
  const { run, batchMax, concurrency, clock } = context
  return new Dispatch({
    ...{ run, batchMax, concurrency, clock, batchBytesMax },
    memoryMax: eventsInMemoryMax,
    memoryBytesMax: eventBytesInMemoryMax,
    onDecided: (event, decided) => noteDecided(context, event, decided),
    onFailed: (events, error) => noteFailed(context, events, error),
    putAside: (events, why, passing) => putAside(context, events, why, passing),
  })
}

function noteDecided({ metrics, reconciler, clock }: DispatchContext, event: QueuedEvent, decided: Decided): void {
  if (!decided.done) return
  metrics.decided.inc({ outcome: decided.outcome })
  if (event.readBack !== true) metrics.decision.observe((clock.now() - event.storedAtMs) / 1000)
  if (decided.order !== null && closable.has(decided.outcome)) reconciler.soon([decided.order])
}

function noteFailed({ log, catalog }: DispatchContext, events: readonly QueuedEvent[], error: unknown): void {
  sampled(log).error({ events: events.length, code: codeOf(error), err: error }, 'a batch failed', codeOf(error))
  // A dead thread subtracted units that it may never have reserved. Without this its events would find none left.
  catalog.fillAvailability().catch((failure: unknown) => {
    log.warn({ code: codeOf(failure) }, 'availability not read again')
  })
}
