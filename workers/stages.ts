/** The stages of an order's way in one process, each made after those that it needs; and their end, in reverse. */
import { openOrderApis } from '../adapters/channels/order-apis.ts'
import { newOwner } from './counters/stock-keeper.ts'
import { eventsInMemoryMax, openDispatch } from './decide/open-dispatch.ts'
import { openThreads } from './decide/threads.ts'
import type { Foundation } from './foundation.ts'
import { Backlog } from './intake/backlog.ts'
import { HandOn } from './intake/hand-on.ts'
import { Intake } from './intake/intake.ts'
import { pauseMs } from './intake/pace.ts'
import { notifiedAt, OrderFetcher } from './outbound/fetch-orders.ts'
import { openBills } from './settle/bills.ts'
import { Reconciler } from './settle/reconciler.ts'

export type Stages = ReturnType<typeof openStages>

export function openStages(foundation: Foundation) {
  const { config, log, clock, store, catalog, durability, metrics, databaseUrl, redisUrl, keyPrefix } = foundation
  const { batchMax, threadConcurrency } = config
  const concurrency = config.threads * threadConcurrency
  const drainMs = config.drainSeconds * 1000

  const backlog = new Backlog()
  const reconciler = new Reconciler(foundation)
  const threads = openThreads({
    settings: { databaseUrl, redisUrl, keyPrefix, owner: newOwner(), logLevel: config.logLevel },
    ...{ threads: config.threads, concurrency: threadConcurrency, metrics, log },
    current: () => ({ catalogVersion: catalog.current.version, availability: catalog.availability.shape }),
  })
  const run = threads.run
  const dispatch = openDispatch({ ...foundation, backlog, reconciler, run, batchMax, concurrency })
  const intake = new Intake({
    ...{ store: foundation.intakeStore, clock, metrics, backlogMax: config.backlogMax },
    // Nothing is acknowledged that a power cut may take back.
    backlog: () => (durability.isBroken ? Number.POSITIVE_INFINITY : backlog.size),
    // Nothing is waited for up to what the threads have in hand, and as much again.
    pauseMs: () => pauseMs(dispatch.size, 2 * batchMax * concurrency, eventsInMemoryMax),
  })
  const fetcher = new OrderFetcher({ ...foundation, apis: openOrderApis(), intake })
  const handOn = new HandOn({
    ...{ store, orders: dispatch, notifications: fetcher, clock, log, inMemoryMax: eventsInMemoryMax / 2 },
    notifiedAt,
  })
  const bills = openBills(databaseUrl)

  const inMemory = (): number => dispatch.size + fetcher.size
  backlog.watch(inMemory)
  metrics.watch({ inMemory, waiting: () => intake.waiting, batches: () => dispatch.running })
  intake.start((events) => handOn.take(events))
  return {
    ...{ backlog, reconciler, dispatch, intake, fetcher, handOn, bills },
    end: async (): Promise<void> => {
      await fetcher.stop()
      await dispatch.stop(drainMs)
      await handOn.stop()
      await reconciler.idle()
      await Promise.all([threads.close(), bills.close()])
    },
  }
}
