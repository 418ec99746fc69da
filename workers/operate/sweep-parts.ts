/** What a round of the sweep goes through, and in which sequence. */
import type { OrderStore } from '../../adapters/store/order-store.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import type { CounterKeeper } from '../counters/counter-keeper.ts'
import type { Dispatch } from '../decide/dispatch.ts'
import { takeBackLapsed } from '../fulfil/lapsed-intercepts.ts'
import type { Backlog } from '../intake/backlog.ts'
import type { Intake } from '../intake/intake.ts'
import type { Clock } from '../process/clock.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'
import { ReconcileSweep } from '../settle/sweep-reconciliations.ts'
import { Restocking, type RestockOptions } from '../stock/restock.ts'
import { ShortageSweep } from '../stock/sweep-shortages.ts'
import { StockSweep, type StockSweepOptions } from '../stock/sweep-stock.ts'
import type { SweepPart } from './sweep.ts'

export interface OrderSweepContext {
  readonly store: OrderStore
  readonly keeper: CounterKeeper
  readonly catalog: Pick<CatalogWatch, 'current' | 'availability' | 'heard' | 'hear' | 'setAvailability'>
  readonly dispatch: Pick<Dispatch, 'push'>
  readonly intake: Pick<Intake, 'storeOwn'>
  readonly backlog: Backlog
  readonly clock: Clock
  /** Never gives the same twice. */
  readonly newId: () => string
  readonly log: Log
  readonly metrics: Pick<Metrics, 'mended' | 'drift' | 'drifts' | 'pending' | 'epoch'>
}

export type SweepOptions = StockSweepOptions & RestockOptions

/** What follows from orders, stock and tasks: every part runs on any store, in any time. */
export function orderSweepParts(context: OrderSweepContext, options: SweepOptions = {}): readonly SweepPart[] {
  const { store, keeper, backlog, metrics } = context
  const restocking = new Restocking(context, options)
  const stock = new StockSweep(context, options, () => restocking.forget())
  const shortages = new ShortageSweep(context, stock)
  const settling = new ReconcileSweep(store)
  return [
    {
      name: 'pending',
      round: async () => {
        backlog.count(await store.countPending())
        metrics.pending.set(backlog.inDatabase)
        metrics.epoch.set(keeper.epoch)
      },
    },
    { name: 'stock', round: (isStopped) => stock.round(isStopped) },
    { name: 'intercepts', round: () => takeBackLapsed(context) },
    { name: 'shortages', round: () => shortages.round() },
    { name: 'exceptions', round: async () => void (await store.endEventExceptions()) },
    { name: 'backorders', round: () => restocking.round() },
    { name: 'reconciliation', round: () => settling.round() },
  ]
}
