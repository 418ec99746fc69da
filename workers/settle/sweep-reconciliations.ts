/** The sweep's part for orders that are to be reconciled: marked ones, and one stretch of all orders a round. */
import type { SettleStore } from '../../adapters/store/order-store.ts'
import { sweepReconciliations } from './reconcile.ts'

const ordersPerRound = 1_000
// Some 40 ms of Postgres, however many orders there are: of a million, each has its turn within ten minutes.
const lookPerRound = 10_000

export class ReconcileSweep {
  readonly #store: SettleStore
  #afterOrderId = '0'

  constructor(store: SettleStore) {
    this.#store = store
  }

  async round(): Promise<void> {
    const swept = await sweepReconciliations(this.#store, this.#afterOrderId, ordersPerRound, lookPerRound)
    this.#afterOrderId = swept.nextOrderId
  }
}
