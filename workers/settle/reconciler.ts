/** Orders that have something to close, soon and in batches. What is lost with the process, the sweep finds again. */
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'
import { type Reconciled, reconcileOrders } from './reconcile.ts'

// What is above it, the sweep finds: by its mark in Postgres, or in its turn.
const dueMax = 500_000

export class Reconciler {
  readonly #sql: Sql
  readonly #log: Log
  readonly #metrics: Metrics
  readonly #due = new Set<string>()
  #running: Promise<void> | null = null

  constructor(sql: Sql, log: Log, metrics: Metrics) {
    this.#sql = sql
    this.#log = log
    this.#metrics = metrics
  }

  soon(orderIds: readonly string[]): void {
    for (const id of orderIds) if (this.#due.size < dueMax) this.#due.add(id)
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  async now(orderIds: readonly string[]): Promise<void> {
    this.#count(await reconcileOrders({ sql: this.#sql }, orderIds))
  }

  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#due.size > 0) {
      const ids = [...this.#due]
      this.#due.clear()
      try {
        this.#count(await reconcileOrders({ sql: this.#sql }, ids))
      } catch (error) {
        this.#log.warn(
          { orders: ids.length, code: (error as { code?: string }).code },
          'reconciliation left to the sweep',
        )
      }
    }
  }

  #count(result: Reconciled): void {
    this.#metrics.reconciled.inc({ result: 'closed' }, result.closed.length)
    this.#metrics.reconciled.inc({ result: 'reopened' }, result.reopened.length)
    this.#metrics.reconciled.inc({ result: 'open' }, result.open)
  }
}
