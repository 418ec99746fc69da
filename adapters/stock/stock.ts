import { apply } from './apply.ts'
import {
  type Client,
  connect,
  evictionPolicy,
  loadScripts,
  openClient,
  type StockOptions,
  scriptsLoaded,
} from './client.ts'
import { confirm } from './confirm.ts'
import type {
  ApplyOutcome,
  ConfirmOutcome,
  InspectOutcome,
  ReleaseOutcome,
  ReleaseRequest,
  ReloadOutcome,
  ReservationRef,
  ReserveOutcome,
  ReserveRequest,
  SkuAtp,
  StockCounters,
  StockDelta,
} from './counters.ts'
import { FiguresTeller, type NodeFigures } from './figures-feed.ts'
import { inspect } from './inspect.ts'
import { release } from './release.ts'
import { reload } from './reload.ts'
import { reserve } from './reserve.ts'

/**
 * The counters in Redis, on a connection of their own. Calls made at the same time share that connection; requests of
 * one call that go to several nodes are sent at once.
 *
 * Throws `StockError` when Redis does not answer as it should (./errors.ts), `RangeError` on what no caller should ask.
 */
export class Stock implements StockCounters {
  readonly #client: Client
  readonly #teller: FiguresTeller

  constructor(options: StockOptions) {
    this.#client = openClient(options, true)
    this.#teller = new FiguresTeller(this.#client.redis, this.#client.keyPrefix)
  }

  /** Throws `redis_unavailable` when Redis cannot be reached now; the connection is tried again in the background. */
  connect(): Promise<void> {
    return connect(this.#client)
  }

  reserve(epoch: number, nowMs: number, requests: readonly ReserveRequest[]): Promise<ReserveOutcome[]> {
    return reserve(this.#client, epoch, nowMs, requests)
  }

  confirm(epoch: number, requests: readonly ReservationRef[]): Promise<ConfirmOutcome[]> {
    return confirm(this.#client, epoch, requests)
  }

  release(epoch: number, requests: readonly ReleaseRequest[]): Promise<ReleaseOutcome[]> {
    return release(this.#client, epoch, requests)
  }

  apply(epoch: number, node: string, fromSeq: number, deltas: readonly StockDelta[]): Promise<ApplyOutcome> {
    return apply(this.#client, epoch, node, fromSeq, deltas)
  }

  reload(
    epoch: number,
    node: string,
    seq: number,
    rows: Iterable<SkuAtp> | AsyncIterable<SkuAtp>,
  ): Promise<ReloadOutcome> {
    return reload(this.#client, epoch, node, seq, rows)
  }

  inspect(epoch: number, node: string, skus?: readonly string[]): Promise<InspectOutcome> {
    return inspect(this.#client, epoch, node, skus)
  }

  /** Tells the other processes what Redis answered; see ./figures-feed. The caller does not wait for it. */
  tellOthers(owner: string, figures: readonly NodeFigures[]): void {
    this.#teller.tell(owner, figures)
  }

  /**
   * Marks the counters that this Redis process holds as loaded. For recovery use `reloadAll`, which loads the scripts
   * only if the process it reloaded is still the same one.
   */
  loadScripts(): Promise<void> {
    return loadScripts(this.#client)
  }

  /** false: this Redis process is not the one that was loaded, the counters are in doubt. */
  scriptsLoaded(): Promise<boolean> {
    return scriptsLoaded(this.#client)
  }

  /** What Redis does when its memory is full, of `maxmemory-policy`; null: it does not say. */
  evictionPolicy(): Promise<string | null> {
    return evictionPolicy(this.#client)
  }

  /** Calls that are under way fail with `redis_unavailable`. */
  close(): void {
    this.#client.redis.disconnect()
  }
}
