/**
 * Redis' counters, kept in step with Postgres.
 *
 * Asked as `Stock` is asked, without the epoch: this knows it. When Redis is another process than the one that was loaded, was
 * emptied or is behind, the epoch is raised in Postgres, every node is loaded anew, and the question is asked again.
 */

import type { StockOptions } from '../adapters/stock/client.ts'
import type { HeldReservation, ReservationRef, ReserveRequest, SkuAtp } from '../adapters/stock/counters.ts'
import { StockError } from '../adapters/stock/errors.ts'
import { reloadAll } from '../adapters/stock/reload-all.ts'
import { Stock } from '../adapters/stock/stock.ts'
import type { Sql, Transaction } from '../adapters/store/connect.ts'
import { currentEpoch, nodeNames, withEpochLock } from '../adapters/store/epoch.ts'
import type { NodeDelta } from '../adapters/store/move-stock.ts'
import { deltasAfter, figuresOf } from '../adapters/store/stock.ts'

/** Each is asked again at most so often: by then somebody empties Redis faster than we fill it. */
const attemptsMax = 5
// Nodes whose figures are read at once: a few thousand rows.
const reloadChunk = 16

export interface Reserved {
  readonly outcome: 'reserved' | 'already_reserved' | 'exists_with_different_lines' | 'insufficient_stock'
  readonly atp: readonly SkuAtp[]
}

export class StockKeeper {
  readonly #sql: Sql
  readonly #options: StockOptions
  readonly #stock: Stock
  readonly #onReloaded: (node: string, rows: readonly SkuAtp[]) => void
  #epoch = -1
  #recovering: Promise<number> | null = null

  constructor(
    sql: Sql,
    options: StockOptions,
    onReloaded: (node: string, rows: readonly SkuAtp[]) => void = () => undefined,
  ) {
    this.#sql = sql
    this.#options = options
    this.#stock = new Stock(options)
    this.#onReloaded = onReloaded
  }

  /** Connects, and makes sure that the counters are Postgres' own. Throws StockError when Redis cannot be reached. */
  async open(): Promise<void> {
    await this.#stock.connect()
    this.#epoch = await currentEpoch(this.#sql)
    if (this.#epoch === 0 || !(await this.#stock.scriptsLoaded())) await this.recover(this.#epoch)
  }

  close(): void {
    this.#stock.close()
  }

  /** Throws StockError when Redis does not answer. */
  async ping(): Promise<void> {
    await this.#stock.scriptsLoaded()
  }

  get epoch(): number {
    return this.#epoch
  }

  /** All answers are of one epoch, which is told: another batch may raise it at any time, and makes them void then. */
  async reserve(
    nowMs: number,
    requests: readonly ReserveRequest[],
  ): Promise<{ readonly epoch: number; readonly answers: readonly Reserved[] }> {
    return await this.#asking(async (epoch) => {
      const outcomes = await this.#stock.reserve(epoch, nowMs, requests)
      return outcomes.some((o) => o.outcome === 'stale_epoch') ? null : { epoch, answers: outcomes as Reserved[] }
    })
  }

  /** The units stay taken; what Redis has forgotten meanwhile it was told by the reload. */
  async confirm(reservations: readonly ReservationRef[]): Promise<void> {
    if (reservations.length > 0) await this.#stock.confirm(this.#epoch, reservations)
  }

  async release(reservations: readonly ReservationRef[]): Promise<void> {
    if (reservations.length > 0) await this.#stock.release(this.#epoch, reservations)
  }

  /** Tells Redis what Postgres changed first. Gives what is available now, as far as it was told. */
  async tell(deltas: readonly NodeDelta[]): Promise<void> {
    const nodes = new Map<string, NodeDelta[]>()
    for (const delta of deltas) nodes.set(delta.node, [...(nodes.get(delta.node) ?? []), delta])
    for (const [node, ofNode] of nodes) {
      ofNode.sort((a, b) => a.seq - b.seq)
      const done = await this.#stock.apply(this.#epoch, node, ofNode[0]!.seq, ofNode)
      if (done.outcome === 'applied') this.#onReloaded(node, done.atp)
      else if (done.outcome !== 'already_applied') await this.catchUp(node)
    }
  }

  /** Tells Redis everything about a node that it has not heard yet. */
  async catchUp(node: string): Promise<void> {
    await this.#asking((epoch) => this.#catchUp(node, epoch))
  }

  async #catchUp(node: string, epoch: number): Promise<true | null> {
    const known = await this.#stock.inspect(epoch, node, [])
    if (known.outcome === 'stale_epoch') {
      const loaded = await this.#loadIfNew(node, epoch, known.currentEpoch)
      // What their figures did not have yet is told as to any other node.
      return loaded === 'by_another' ? await this.#catchUp(node, epoch) : loaded
    }
    for (const delta of await deltasAfter(this.#sql, node, known.seq)) {
      const done = await this.#stock.apply(epoch, node, delta.seq, [delta])
      if (done.outcome === 'stale_epoch') return null
      if (done.outcome === 'applied') this.#onReloaded(node, done.atp)
    }
    return true
  }

  /** A node that Redis never heard of in this epoch was made after the epoch began: only it has to be loaded. */
  async #loadIfNew(node: string, epoch: number, known: number | null): Promise<true | 'by_another' | null> {
    if (known !== null || !(await this.#stock.scriptsLoaded())) return null
    const [figures] = await figuresOf(this.#sql, [node])
    if (figures === undefined) return true
    const [reserved] = await this.#sql`select 1 from stock where node = ${node} and reserved > 0 limit 1`
    if (reserved !== undefined) return null
    const rows = figures.available.map((r) => ({ sku: r.sku, atp: r.available }))
    const done = await this.#stock.reload(epoch, node, figures.seq, rows)
    if (done.outcome === 'stale_epoch') return done.currentEpoch === epoch ? 'by_another' : null
    if (done.outcome === 'reloaded') this.#onReloaded(node, rows)
    return true
  }

  /** What Redis says of a node now. */
  async look(
    node: string,
  ): Promise<{ seq: number; atp: ReadonlyMap<string, number>; held: readonly HeldReservation[] }> {
    return await this.#asking(async (epoch) => {
      const seen = await this.#stock.inspect(epoch, node)
      return seen.outcome === 'stale_epoch' ? null : seen
    })
  }

  /** Raises the epoch above `seen` and loads every node, unless somebody else just did. */
  async recover(seen: number): Promise<number> {
    this.#recovering ??= this.#recover(seen).finally(() => {
      this.#recovering = null
    })
    this.#epoch = await this.#recovering
    return this.#epoch
  }

  async #recover(seen: number): Promise<number> {
    return await withEpochLock(this.#sql, async (tx, epoch) => {
      if (epoch > seen && (await this.#stock.scriptsLoaded())) return null
      let next = epoch + 1
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const done = await reloadAll(this.#options, next, this.#figures(tx))
        if (done.outcome === 'reloaded') return next
        // Redis knows a later epoch than Postgres: a recovery that was cut off before its commit.
        next = Math.max(next, done.outcome === 'stale_epoch' ? (done.currentEpoch ?? next) : next) + 1
      }
      throw new StockError('redis_unavailable', 'the counters could not be loaded')
    })
  }

  async *#figures(tx: Transaction) {
    const nodes = await nodeNames(tx)
    for (let at = 0; at < nodes.length; at += reloadChunk) {
      for (const { node, seq, available } of await figuresOf(tx, nodes.slice(at, at + reloadChunk))) {
        const rows = available.map((r) => ({ sku: r.sku, atp: r.available }))
        this.#onReloaded(node, rows)
        yield { node, seq, rows }
      }
    }
  }

  /** Asks until the answer is of the current epoch; null is "stale". */
  async #asking<T>(ask: (epoch: number) => Promise<T | null>): Promise<T> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const epoch = this.#epoch
      try {
        const answer = await ask(epoch)
        if (answer !== null) return answer
      } catch (error) {
        if (!(error instanceof StockError) || !error.needsRecovery) throw error
      }
      await this.#renew(epoch)
    }
    throw new StockError('redis_unavailable', 'the counters did not settle')
  }

  async #renew(seen: number): Promise<void> {
    const epoch = await currentEpoch(this.#sql)
    if (epoch > seen && (await this.#stock.scriptsLoaded())) this.#epoch = epoch
    else await this.recover(seen)
  }
}
