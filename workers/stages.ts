/**
 * The stages of an order's way in one process, each made after those that it needs; and their end, in reverse. A service
 * gives them connections and threads, a simulation stores in memory and virtual time: the stages are the same.
 */
import type { OrderApis } from '../adapters/channels/order-apis.ts'
import type { InboxStore, OrderStore } from '../adapters/store/order-store.ts'
import type { DispatchContext } from './decide/open-dispatch.ts'
import { eventsInMemoryMax, openDispatch } from './decide/open-dispatch.ts'
import { Backlog } from './intake/backlog.ts'
import { HandOn, type HandOnContext } from './intake/hand-on.ts'
import { Intake, type IntakeOptions } from './intake/intake.ts'
import { pauseMs } from './intake/pace.ts'
import { type FetcherContext, notifiedAt, OrderFetcher } from './outbound/fetch-orders.ts'
import type { Clock } from './process/clock.ts'
import type { Config } from './process/config.ts'
import type { DurabilityWatch } from './process/durability.ts'
import type { Log } from './process/log.ts'
import type { Metrics } from './process/metrics.ts'
import { Reconciler, type ReconcilerContext } from './settle/reconciler.ts'

export interface StagesContext {
  readonly config: Pick<Config, 'batchMax' | 'threads' | 'threadConcurrency' | 'drainSeconds' | 'backlogMax'>
  readonly clock: Clock
  readonly log: Log
  readonly store: OrderStore
  /** Connections of its own: one commit runs while the next one gathers. */
  readonly intakeStore: Pick<InboxStore, 'storeEvents'>
  readonly catalog: FetcherContext['catalog'] & DispatchContext['catalog']
  readonly durability: Pick<DurabilityWatch, 'isBroken'>
  readonly metrics: Pick<Metrics, 'watch'> &
    DispatchContext['metrics'] &
    IntakeOptions['metrics'] &
    FetcherContext['metrics'] &
    ReconcilerContext['metrics']
  /** What decides a batch. */
  readonly run: DispatchContext['run']
  /** What asks each platform for one order. */
  readonly apis: OrderApis
  readonly readBack?: Pick<HandOnContext, 'everyMs' | 'olderThanMs'>
}

export type Stages = ReturnType<typeof openStages>

export function openStages(context: StagesContext) {
  const { config, store, clock, log, catalog, durability, metrics, run, apis, readBack = {} } = context
  const { batchMax, threadConcurrency, backlogMax } = config
  const concurrency = config.threads * threadConcurrency
  const drainMs = config.drainSeconds * 1000

  const backlog = new Backlog()
  const reconciler = new Reconciler({ store, log, metrics })
  const dispatch = openDispatch({
    ...{ store, catalog, clock, log, metrics, backlog, reconciler, run, batchMax, concurrency },
  })
  const intake = new Intake({
    ...{ store: context.intakeStore, clock, metrics, backlogMax },
    // Nothing is acknowledged that a power cut may take back.
    backlog: () => (durability.isBroken ? Number.POSITIVE_INFINITY : backlog.size),
    // Nothing is waited for up to what the threads have in hand, and as much again.
    pauseMs: () => pauseMs(dispatch.size, 2 * batchMax * concurrency, eventsInMemoryMax),
  })
  const fetcher = new OrderFetcher({ store, catalog, clock, log, metrics, apis, intake })
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
      await dispatch.stop(drainMs)
      await handOn.stop()
      await reconciler.idle()
    },
  }
}
