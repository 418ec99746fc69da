/**
 * The sweep's part that compares Redis with Postgres: tells Redis what it missed, ends reservations that no decision
 * will commit, and compares every counter, a stretch of nodes a round.
 *
 * What a crash leaves (reservations without a commit, changes that were not told) is mended and counted. A counter that
 * is wrong although Redis was told everything is drift: a bug, or a person changed it. The sweep raises `stock_drift`
 * with the figures, loads all counters anew, and resolves the exception, which stays in the list with the time that it
 * took.
 */

import type { CommittedReservations, ExceptionStore, StockWatch } from '../../adapters/store/order-store.ts'
import type { NodeSeq } from '../../adapters/store/stock/watch-stock.ts'
import type { StockKey } from '../../router/types.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import { type Compared, compareStock, type StockDifference } from '../counters/compare-stock.ts'
import type { CounterKeeper } from '../counters/counter-keeper.ts'
import { endReservations } from '../counters/end-reservations.ts'
import type { Clock } from '../process/clock.ts'
import type { Log } from '../process/log.ts'
import type { Metrics } from '../process/metrics.ts'

// A decision takes milliseconds from reservation to commit; so long after, its process is gone or has forgotten.
const heldMsMaxDefault = 30_000
// A large node is 2,000 counters: a millisecond of Redis and a few of ours. Of 10,000 such nodes each has its turn in
// half an hour, since a round also stops when it has taken long enough.
const nodesPerRoundMaxDefault = 64
const reloadEveryMsDefault = 60_000
// Nodes that are compared in one round, however long they take.
const nodesPerRoundMin = 8
const comparingMsMax = 200
// After a crash every node may have something to be told: the rest is heard in the next round.
const hearingMsMax = 2_000
// Nodes that are told at once: the connections are those of the requests too.
const atOnce = 6
const nodesPerQuery = 256
const examplesMax = 20

interface Difference {
  readonly units: number
  /** SKU and by how much Redis differs. */
  readonly seen: ReadonlyMap<string, number>
}

export interface StockSweepContext {
  readonly store: StockWatch & CommittedReservations & Pick<ExceptionStore, 'raise' | 'resolve'>
  readonly keeper: CounterKeeper
  readonly catalog: Pick<CatalogWatch, 'heard' | 'hear' | 'setAvailability'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'mended' | 'drift' | 'drifts'>
}

export interface StockSweepOptions {
  /** How old a reservation has to be before no decision can be about to commit it any more. */
  readonly heldMsMax?: number
  /** Nodes that one round compares, at most. */
  readonly nodesPerRoundMax?: number
  /** All counters are loaded anew for one that is wrong: not again within this time. */
  readonly reloadEveryMs?: number
}

export class StockSweep {
  readonly #context: StockSweepContext
  readonly #heldMsMax: number
  readonly #nodesPerRoundMax: number
  readonly #reloadEveryMs: number
  readonly #onFreed: () => void
  #nextNode = 0
  /** Seen to differ once: their second look is the next round's. */
  #lookAgain = new Set<string>()
  #turn: readonly string[] = []
  #short: StockKey[] = []
  #reloadedAt = Number.NEGATIVE_INFINITY
  readonly #differences = new Map<string, Difference>()

  /** `onFreed`: units came free that no figure shows. */
  constructor(context: StockSweepContext, options: StockSweepOptions, onFreed: () => void) {
    this.#context = context
    this.#heldMsMax = options.heldMsMax ?? heldMsMaxDefault
    this.#nodesPerRoundMax = options.nodesPerRoundMax ?? nodesPerRoundMaxDefault
    this.#reloadEveryMs = options.reloadEveryMs ?? reloadEveryMsDefault
    this.#onFreed = onFreed
  }

  /** Nodes that the last round looked at whole. */
  get turn(): readonly string[] {
    return this.#turn
  }

  /** Places that changed since the last call, and that promise more than there is. */
  takeShort(): readonly StockKey[] {
    const short = this.#short
    this.#short = []
    return short
  }

  async round(isStopped: () => boolean): Promise<void> {
    const { store, clock, metrics } = this.#context
    const seqs = await store.nodeSeqs()
    if (seqs.length === 0) return
    await this.#hear(seqs, isStopped)
    const again = this.#lookAgain
    this.#lookAgain = new Set()
    const turn: string[] = []
    const look = async (node: string) => {
      turn.push(node)
      await this.#node(node)
    }
    const until = clock.elapsed() + comparingMsMax
    try {
      for (const node of again) if (!isStopped()) await look(node)
      for (let i = 0; i < Math.min(this.#nodesPerRoundMax, seqs.length) && !isStopped(); i++) {
        if (i >= nodesPerRoundMin && clock.elapsed() > until) break
        this.#nextNode = (this.#nextNode + 1) % seqs.length
        const { node } = seqs[this.#nextNode]!
        if (!again.has(node)) await look(node)
      }
    } finally {
      this.#turn = turn
      const units = [...this.#differences.values()].reduce((sum, d) => sum + d.units, 0)
      metrics.drift.set(units)
    }
  }

  /** Nodes whose number has risen: what is available now is a figure of ours too, and Redis is told what it missed. */
  async #hear(seqs: readonly NodeSeq[], isStopped: () => boolean): Promise<void> {
    const { store, keeper, catalog, clock } = this.#context
    const moved = seqs.filter(({ node, seq }) => catalog.heard(node) !== seq)
    const until = clock.elapsed() + hearingMsMax
    for (const some of chunks(moved, nodesPerQuery)) {
      if (isStopped() || clock.elapsed() > until) return
      const since = some.map(({ node }) => ({ node, seq: catalog.heard(node) }))
      for (const { node, sku, available, isShort } of await store.changedSince(since)) {
        catalog.setAvailability(node, [{ sku, atp: available }])
        if (isShort) this.#short.push({ node, sku })
      }
      // Nearly always the process that made the change has told Redis long ago.
      const behind = await keeper.behind(some)
      for (const few of chunks(behind, atOnce)) await Promise.all(few.map((node) => keeper.catchUp(node)))
      for (const { node, seq } of some) catalog.hear(node, seq)
    }
  }

  async #node(node: string): Promise<void> {
    const { store, keeper, catalog, clock, metrics, log } = this.#context
    const epoch = keeper.epoch
    await keeper.catchUp(node)
    let seen = await keeper.look(node)
    const old = seen.held.filter((h) => h.madeAtMs < clock.now() - this.#heldMsMax)
    if (old.length > 0) {
      const refs = old.map(({ reservationId, madeAtMs }) => ({ node, reservationId, madeAtMs }))
      const { confirmed, released } = await endReservations(store, keeper, refs)
      metrics.mended.inc({ how: 'confirmed' }, confirmed)
      metrics.mended.inc({ how: 'released' }, released)
      log.warn({ node, confirmed, released }, 'reservations mended')
      // Backorders that found nothing while these units were held may find them now.
      this.#onFreed()
      seen = await keeper.look(node)
    }
    catalog.setAvailability(
      node,
      [...seen.atp].map(([sku, atp]) => ({ sku, atp })),
    )
    await this.#judge(node, epoch, await compareStock(store, (of) => keeper.look(of), node, seen))
  }

  /** The same difference in two rounds is no accident of the moment: Redis is made anew from Postgres. */
  async #judge(node: string, epoch: number, compared: Compared): Promise<void> {
    const { store, keeper, clock, log, metrics } = this.#context
    if (compared.outcome !== 'compared') return
    const known = this.#differences.get(node)
    const { different, moving } = compared
    if (different.length === 0) {
      // What moves just now may be what differed.
      if (moving > 0) return
      // Also one that an earlier process raised.
      const wasRaised = known !== undefined || this.#isUntold(node)
      this.#differences.delete(node)
      if (wasRaised) await store.resolve('stock_drift', [node])
      return
    }
    const units = different.reduce((sum, d) => sum + Math.abs(d.redis - d.postgres), 0)
    const seen = new Map(different.map((d) => [d.sku, d.redis - d.postgres]))
    this.#differences.set(node, { units, seen })
    this.#lookAgain.add(node)
    const twice = different.filter((d) => known?.seen.get(d.sku) === d.redis - d.postgres)
    if (twice.length === 0) return
    const again = clock.elapsed() - this.#reloadedAt < this.#reloadEveryMs
    log.error({ node, skus: twice.length, units, reloading: !again }, 'stock differs between Redis and Postgres')
    await store.raise([{ kind: 'stock_drift', ref: node, detail: detailOf(node, epoch, twice) }])
    if (again) return
    metrics.drifts.inc()
    this.#reloadedAt = clock.elapsed()
    await keeper.recover(epoch)
  }

  /** Once a node and process: the first clean look ends what the process before this one had raised. */
  readonly #told = new Set<string>()
  #isUntold(node: string): boolean {
    if (this.#told.has(node)) return false
    this.#told.add(node)
    return true
  }
}

function detailOf(node: string, epoch: number, different: readonly StockDifference[]) {
  const units = different.reduce((sum, d) => sum + Math.abs(d.redis - d.postgres), 0)
  return { node, skus: different.length, units, epoch, mended: 'reloaded', figures: different.slice(0, examplesMax) }
}

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size)
}
