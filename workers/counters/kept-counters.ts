/** What a keeper asks of Redis: the counters' verbs, and the recovery that loads all of them anew. */
import type { StockOptions } from '../../adapters/stock/client.ts'
import type { StockCounters } from '../../adapters/stock/counters.ts'
import type { NodeFigures } from '../../adapters/stock/figures-feed.ts'
import { type NodeStock, type ReloadAllOutcome, reloadAll } from '../../adapters/stock/reload-all.ts'
import { Stock } from '../../adapters/stock/stock.ts'

export interface KeptCounters extends StockCounters {
  connect(): Promise<void>
  /** false: this is not the process that was loaded. */
  scriptsLoaded(): Promise<boolean>
  /** Loads every node, then the scripts: before that no other call finds counters that it could use. */
  reloadAll(epoch: number, nodes: AsyncIterable<NodeStock>): Promise<ReloadAllOutcome>
  /** The other processes, of figures that were answered to this one. Whether they hear it does not matter. */
  tellOthers(owner: string, figures: readonly NodeFigures[]): void
  close(): void
}

export class RedisCounters extends Stock implements KeptCounters {
  readonly #options: StockOptions

  constructor(options: StockOptions) {
    super(options)
    this.#options = options
  }

  reloadAll(epoch: number, nodes: AsyncIterable<NodeStock>): Promise<ReloadAllOutcome> {
    return reloadAll(this.#options, epoch, nodes)
  }
}
