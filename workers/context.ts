/** What the parts of one process share. */
import type { Sql } from '../adapters/store/connect.ts'
import type { Vault } from '../adapters/store/vault.ts'
import type { CatalogWatch } from './catalog-watch.ts'
import type { Config } from './config.ts'
import type { Dispatch } from './dispatch.ts'
import type { DurabilityWatch } from './durability.ts'
import type { Intake } from './intake.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Puller } from './pull.ts'
import type { Reconciler } from './reconciler.ts'
import type { StockKeeper } from './stock-keeper.ts'
import type { BillToImport, ImportedBill } from './thread/import-bill.ts'

export interface Service {
  readonly config: Config
  readonly log: Log
  /** For requests and background work; intake and threads have connections of their own. */
  readonly sql: Sql
  readonly keeper: StockKeeper
  readonly catalog: CatalogWatch
  readonly intake: Intake
  readonly dispatch: Dispatch
  readonly puller: Puller
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
