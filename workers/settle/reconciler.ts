/** Reconciles orders soon, in batches. What is lost with the process, the sweep finds by its mark (mark-due.ts). */
import type { SettleStore } from '../../adapters/store/order-store.ts'
import { codeOf } from '../process/error-code.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'
import { type Reconciled, reconcileOrders } from './reconcile.ts'

// What is above it, the sweep finds: by its mark in Postgres, or in its turn.
const dueMax = 500_000

export interface ReconcilerContext {
  readonly store: Pick<SettleStore, 'reconcileTogether'>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'reconciled'>
}

export class Reconciler {
  readonly #context: ReconcilerContext
  readonly #due = new Set<string>()
  #running: Promise<void> | null = null

  constructor(context: ReconcilerContext) {
    this.#context = context
  }

  soon(orderIds: readonly string[]): void {
    for (const id of orderIds) if (this.#due.size < dueMax) this.#due.add(id)
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  async now(orderIds: readonly string[]): Promise<void> {
    this.#count(await reconcileOrders(this.#context.store, orderIds))
  }

  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#due.size > 0) {
      const ids = [...this.#due]
      this.#due.clear()
      try {
        this.#count(await reconcileOrders(this.#context.store, ids))
      } catch (error) {
        this.#context.log.warn({ orders: ids.length, code: codeOf(error) }, 'reconciliation left to the sweep')
      }
    }
  }

  #count(result: Reconciled): void {
    const { reconciled } = this.#context.metrics
    reconciled.inc({ result: 'closed' }, result.closed.length)
    reconciled.inc({ result: 'reopened' }, result.reopened.length)
    reconciled.inc({ result: 'open' }, result.open)
  }
}
