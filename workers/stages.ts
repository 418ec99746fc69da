/**
 * The stages of an order's way in one process, each made after those that it needs; and their end, in reverse. The service
 * builds them on Postgres and threads, the simulation on memory and virtual time.
 */
import type { OrderApis } from '../adapters/channels/order-apis.ts'
import type { InboxStore, OrderStore } from '../adapters/store/order-store.ts'
import type { CatalogWatch } from './catalog/catalog-watch.ts'
import type { DispatchOptions } from './decide/dispatch.ts'
import { eventsInMemoryMax, openDispatch } from './decide/open-dispatch.ts'
import { Backlog } from './intake/backlog.ts'
import { HandOn, type HandOnContext } from './intake/hand-on.ts'
import { Intake } from './intake/intake.ts'
import { pauseMs } from './intake/pace.ts'
import { notifiedAt, OrderFetcher } from './outbound/fetch-orders.ts'
import type { Clock } from './process/clock.ts'
import type { Log } from './process/log.ts'
import type { Metrics } from './process/metrics.ts'
import { Reconciler } from './settle/reconciler.ts'

export interface StagesContext {
  readonly store: OrderStore
  /** On connections of its own: what is to be acknowledged waits for nothing else. */
  readonly intakeStore: Pick<InboxStore, 'storeEvents'>
  readonly catalog: Pick<CatalogWatch, 'current' | 'credentials' | 'fillAvailability'>
  /** While it is broken nothing is acknowledged that a power cut may take back. */
  readonly durability: { readonly isBroken: boolean }
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Gives a batch to a thread. */
  readonly run: DispatchOptions['run']
  readonly apis: OrderApis
  readonly batchMax: number
  /** Batches under way at once. */
  readonly concurrency: number
  readonly backlogMax: number
  /** How long batches under way may take at the end. */
  readonly drainMs: number
  readonly readBack?: Pick<HandOnContext, 'everyMs' | 'olderThanMs'>
}

export type Stages = ReturnType<typeof openStages>

export function openStages(context: StagesContext) {
  const { store, intakeStore, durability, clock, log, metrics, batchMax, concurrency, backlogMax, readBack } = context
  const backlog = new Backlog()
  const reconciler = new Reconciler(context)
  const dispatch = openDispatch({ ...context, backlog, reconciler })
  const intake = new Intake({
    ...{ store: intakeStore, clock, metrics, backlogMax },
    backlog: () => (durability.isBroken ? Number.POSITIVE_INFINITY : backlog.size),
    // Nothing is waited for up to what the threads have in hand, and as much again.
    pauseMs: () => pauseMs(dispatch.size, 2 * batchMax * concurrency, eventsInMemoryMax),
  })
  const fetcher = new OrderFetcher({ ...context, intake })
  const handOn = new HandOn({
    ...{ store, orders: dispatch, notifications: fetcher, clock, log, inMemoryMax: eventsInMemoryMax / 2 },
    ...{ notifiedAt, ...readBack },
  })
  const inMemory = (): number => dispatch.size + fetcher.size
  backlog.watch(inMemory)
  metrics.watch({ inMemory, waiting: () => intake.waiting, batches: () => dispatch.running })
  intake.start((events) => handOn.take(events))
  return {
    ...{ backlog, reconciler, dispatch, intake, fetcher, handOn },
    end: async (): Promise<void> => {
      await fetcher.stop()
      await dispatch.stop(context.drainMs)
      await handOn.stop()
      await reconciler.idle()
    },
  }
}
