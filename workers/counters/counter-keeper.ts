/**
 * Redis' counters, kept in step with Postgres. A caller gives no epoch, since the keeper knows the current one. When
 * Redis is another process than the one that was loaded, was emptied or is behind, the keeper raises the epoch in
 * Postgres, loads every node anew, and asks again. All that changes a counter in Redis comes through here:
 *
 *   reserve, release        decide/source-and-reserve.ts, before the commit; release: what a refused plan took
 *   confirm, tell, release  decide/decide-batch.ts, after the commit: new tasks, releases with corrections, conflicts
 *   tell, catchUp           stock/posting.ts: receipts and counts; operate/settings.ts: safety stock, a new node
 *   catchUp, recover        decide/reload-counters.ts: Postgres refused what Redis promised
 *   all but reserve         stock/sweep-stock.ts: what Redis missed, shipments above a count, old reservations, drift
 *   all but reserve         operate/audit/mend.ts
 */

import type {
  HeldReservation,
  ReleaseRequest,
  ReservationRef,
  ReserveRequest,
  SkuAtp,
} from '../../adapters/stock/counters.ts'
import { StockError } from '../../adapters/stock/errors.ts'
import type { LockedBooks, StockBooks } from '../../adapters/store/order-store.ts'
import type { NodeDelta } from '../../router/stock.ts'
import { figuresInTurn } from './figures-in-turn.ts'
import type { KeptCounters } from './kept-counters.ts'

/** A question is asked at most five times: after that Redis is emptied faster than it is filled. */
const attemptsMax = 5

export interface Reserved {
  readonly outcome: 'reserved' | 'already_reserved' | 'exists_with_different_lines' | 'insufficient_stock'
  readonly atp: readonly SkuAtp[]
}

export interface ReservedAt {
  readonly epoch: number
  /** Of the records; with it a release leaves what was asked for again since. */
  readonly madeAtMs: number
  readonly answers: readonly Reserved[]
}

export class CounterKeeper {
  readonly #books: StockBooks
  readonly #stock: KeptCounters
  readonly #onReloaded: (node: string, rows: readonly SkuAtp[]) => void
  /**
   * Part of the ids of what is reserved through this keeper. Two processes may decide one order at the same time: with
   * ids in common, one would give back or take a second time what the other one has just committed.
   */
  readonly owner: string
  #epoch = -1
  #recovering: Promise<number> | null = null

  constructor(
    books: StockBooks,
    counters: KeptCounters,
    owner: string,
    onReloaded: (node: string, rows: readonly SkuAtp[]) => void = () => undefined,
  ) {
    this.#books = books
    this.#stock = counters
    this.owner = owner
    this.#onReloaded = onReloaded
  }

  /** Connects, and makes sure that the counters are Postgres' own. Throws StockError when Redis cannot be reached. */
  async open(): Promise<void> {
    await this.#stock.connect()
    this.#epoch = await this.#books.currentEpoch()
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

  /**
   * All answers are of one epoch, which is in the result: another batch may raise it at any time, and then they are
   * void. `now` (epoch milliseconds) is read each time Redis is asked, since a recovery may come first. It may take
   * longer than the age at which the sweep ends a record.
   */
  async reserve(now: () => number, requests: readonly ReserveRequest[]): Promise<ReservedAt> {
    return await this.#asking(async (epoch) => {
      const madeAtMs = now()
      const outcomes = await this.#stock.reserve(epoch, madeAtMs, requests)
      if (outcomes.some((o) => o.outcome === 'stale_epoch')) return null
      const answers = outcomes as Reserved[]
      this.#stock.tellOthers(
        this.owner,
        answers.map(({ atp }, n) => ({ node: requests[n]!.node, rows: atp })),
      )
      return { epoch, madeAtMs, answers }
    })
  }

  /** The units stay taken; what Redis has forgotten meanwhile it was told by the reload. */
  async confirm(reservations: readonly ReservationRef[]): Promise<void> {
    if (reservations.length > 0) await this.#stock.confirm(this.#epoch, reservations)
  }

  async release(reservations: readonly ReleaseRequest[]): Promise<void> {
    if (reservations.length > 0) await this.#stock.release(this.#epoch, reservations)
  }

  /** Tells Redis what Postgres changed first. Gives what is available now, as far as it was told. */
  async tell(deltas: readonly NodeDelta[]): Promise<void> {
    const nodes = new Map<string, NodeDelta[]>()
    for (const delta of deltas) nodes.set(delta.node, [...(nodes.get(delta.node) ?? []), delta])
    for (const [node, ofNode] of nodes) {
      ofNode.sort((a, b) => a.seq - b.seq)
      const done = await this.#stock.apply(this.#epoch, node, ofNode[0]!.seq, ofNode)
      if (done.outcome === 'applied') {
        this.#onReloaded(node, done.atp)
        this.#stock.tellOthers(this.owner, [{ node, rows: done.atp }])
      } else if (done.outcome !== 'already_applied') await this.catchUp(node)
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
    for (const delta of await this.#books.deltasAfter(node, known.seq)) {
      const done = await this.#stock.apply(epoch, node, delta.seq, [delta])
      if (done.outcome === 'stale_epoch') return null
      if (done.outcome === 'applied') this.#onReloaded(node, done.atp)
    }
    return true
  }

  /** A node that Redis never heard of in this epoch was made after the epoch began: only it has to be loaded. */
  async #loadIfNew(node: string, epoch: number, known: number | null): Promise<true | 'by_another' | null> {
    if (known !== null || !(await this.#stock.scriptsLoaded())) return null
    const [figures] = await this.#books.figuresOf([node])
    if (figures === undefined) return true
    if (await this.#books.hasReserved(node)) return null
    const rows = figures.available.map((r) => ({ sku: r.sku, atp: r.available }))
    const done = await this.#stock.reload(epoch, node, figures.seq, rows)
    if (done.outcome === 'stale_epoch') return done.currentEpoch === epoch ? 'by_another' : null
    if (done.outcome === 'reloaded') this.#onReloaded(node, rows)
    return true
  }

  /** Of some nodes with their numbers in Postgres, those that Redis is behind. */
  async behind(nodes: readonly { readonly node: string; readonly seq: number }[]): Promise<string[]> {
    const seen = await this.#asking((epoch) =>
      Promise.all(nodes.map(({ node }) => this.#stock.inspect(epoch, node, []))),
    )
    return nodes
      .filter(({ seq }, i) => {
        const known = seen[i]!
        return known.outcome === 'stale_epoch' || known.seq < seq
      })
      .map(({ node }) => node)
  }

  /** What Redis says of some SKUs at some nodes now; nodes that are not loaded are left out. */
  async figures(
    places: readonly { readonly node: string; readonly skus: readonly string[] }[],
  ): Promise<{ readonly node: string; readonly atp: ReadonlyMap<string, number> }[]> {
    return await this.#asking(async (epoch) => {
      const seen = await Promise.all(places.map(({ node, skus }) => this.#stock.inspect(epoch, node, skus)))
      return seen.flatMap((one, n) => (one.outcome === 'stale_epoch' ? [] : [{ node: places[n]!.node, atp: one.atp }]))
    })
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

  /** Raises the epoch above `seen` and loads every node, unless another process just did. */
  async recover(seen: number): Promise<number> {
    this.#recovering ??= this.#recover(seen).finally(() => {
      this.#recovering = null
    })
    this.#epoch = await this.#recovering
    return this.#epoch
  }

  async #recover(seen: number): Promise<number> {
    return await this.#books.withEpochLock(async (inside, epoch) => {
      if (epoch > seen && (await this.#stock.scriptsLoaded())) return null
      let next = epoch + 1
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const done = await this.#stock.reloadAll(next, this.#figures(inside))
        if (done.outcome === 'reloaded') return next
        // Redis knows a later epoch than Postgres: a recovery that was cut off before its commit.
        next = Math.max(next, done.outcome === 'stale_epoch' ? (done.currentEpoch ?? next) : next) + 1
      }
      throw new StockError('redis_unavailable', 'the counters could not be loaded')
    })
  }

  async *#figures(inside: LockedBooks) {
    for await (const { node, seq, available } of figuresInTurn(await inside.nodeNames(), (some) =>
      inside.figuresOf(some),
    )) {
      const rows = available.map((r) => ({ sku: r.sku, atp: r.available }))
      this.#onReloaded(node, rows)
      yield { node, seq, rows }
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
    const epoch = await this.#books.currentEpoch()
    if (epoch > seen && (await this.#stock.scriptsLoaded())) this.#epoch = epoch
    else await this.recover(seen)
  }
}
