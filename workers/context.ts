/** What the parts of one process share. */
import type { Sql } from '../adapters/store/postgres/connect.ts'
import type { Vault } from '../adapters/store/secrets/vault.ts'
import type { CatalogWatch } from './catalog/catalog-watch.ts'
import type { StockKeeper } from './counters/stock-keeper.ts'
import type { Dispatch } from './decide/dispatch.ts'
import type { Intake } from './intake/intake.ts'
import type { OrderFetcher } from './outbound/fetch-orders.ts'
import type { Config } from './process/config.ts'
import type { DurabilityWatch } from './process/durability.ts'
import type { Log } from './process/log.ts'
import type { Metrics } from './process/metrics.ts'
import type { BillToImport, ImportedBill } from './settle/import-bill.ts'
import type { Reconciler } from './settle/reconciler.ts'

export interface Service {
  readonly config: Config
  readonly log: Log
  /** For requests and background work; intake and threads have connections of their own. */
  readonly sql: Sql
  readonly keeper: StockKeeper
  readonly catalog: CatalogWatch
  readonly intake: Intake
  readonly dispatch: Dispatch
  readonly fetcher: OrderFetcher
  readonly reconciler: Reconciler
  /** One at a time, in a thread of its own. */
  readonly importBill: (bill: BillToImport) => Promise<ImportedBill>
  readonly metrics: Metrics
  readonly durability: DurabilityWatch
  readonly vault: Vault
  /** Undecided events that are only in the database, as of the last count. */
  pendingCount: number
  stopping: boolean
}
