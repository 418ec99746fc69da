/**
 * The sweep: whatever a crash, a lost message or time itself left behind, it finds and puts right, a little every few
 * seconds. Nothing here is needed for a decision to be right; it is needed so that nothing stays wrong.
 */
import { ApiError } from '../adapters/http/errors.ts'
import { catalogVersion } from '../adapters/store/catalog.ts'
import { raise, resolve } from '../adapters/store/exceptions.ts'
import { countPending, preparePartitions } from '../adapters/store/intake.ts'
import { figuresOf } from '../adapters/store/stock.ts'
import { changedSince, endEventExceptions, endShortages, fillableSkus, nodeSeqs } from '../adapters/store/sweep.ts'
import { lapsedIntercepts } from '../adapters/store/tasks.ts'
import type { Service } from './context.ts'
import { endReservations } from './end-reservations.ts'
import { codeOf } from './error-code.ts'
import { sweepReconciliations } from './reconcile.ts'
import { Restocking } from './restock.ts'
import { answerShortages } from './shortages.ts'
import { takeBackLapsed } from './warehouse.ts'

// A decision takes milliseconds from reservation to commit; so long after, its process is gone or has forgotten.
const heldMsMaxDefault = 30_000
// Nodes that are compared in one round, unit by unit.
const nodesPerRound = 8
const reconcilePerRound = 1_000
const interceptsPerRound = 200
// Of what is done for many, so much at once: the connections are those of the requests too.
const atOnce = 6
const nodesPerQuery = 64
const partitionsEveryMs = 600_000

interface Difference {
  readonly units: number
  readonly seen: string
}

export class Sweep {
  readonly #service: Service
  readonly #heldMsMax: number
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #stopped = false
  readonly #restocking: Restocking
  #nextNode = 0
  /** Seen to differ once: their second look is the next round's. */
  #lookAgain = new Set<string>()
  #reconcileFrom = '0'
  #partitionsAt = 0
  readonly #differences = new Map<string, Difference>()

  /** `heldMsMax`: how old a reservation has to be before nobody can be about to commit it any more. */
  constructor(service: Service, { heldMsMax = heldMsMaxDefault }: { readonly heldMsMax?: number } = {}) {
    this.#service = service
    this.#heldMsMax = heldMsMax
    this.#restocking = new Restocking(service)
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.round().finally(() => {
        this.#running = null
        if (!this.#stopped) this.start()
      })
    }, this.#service.config.sweepSeconds * 1000)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#running
  }

  /** One round of everything; each part fails alone. */
  async round(): Promise<void> {
    const parts: readonly [string, () => Promise<void>][] = [
      ['settings', () => this.#settings()],
      ['pending', () => this.#pending()],
      ['stock', () => this.#stock()],
      ['intercepts', () => this.#intercepts()],
      ['shortages', () => this.#shortages()],
      ['exceptions', async () => void (await endEventExceptions(this.#service.sql))],
      ['backorders', () => this.#backorders()],
      ['reconciliation', () => this.#reconcile()],
    ]
    for (const [name, part] of parts) {
      if (this.#stopped) return
      try {
        await part()
      } catch (error) {
        this.#service.log.warn({ part: name, code: codeOf(error) }, 'a part of the sweep failed: next round')
      }
    }
  }

  async #settings(): Promise<void> {
    const { sql, catalog } = this.#service
    if ((await catalogVersion(sql)) !== catalog.catalogue.version) await catalog.refresh()
    if (Date.now() - this.#partitionsAt < partitionsEveryMs) return
    await preparePartitions(sql, Date.now())
    this.#partitionsAt = Date.now()
  }

  async #pending(): Promise<void> {
    const { sql, metrics, keeper } = this.#service
    this.#service.pendingCount = await countPending(sql)
    metrics.pending.set(this.#service.pendingCount)
    metrics.epoch.set(keeper.epoch)
  }

  /** What other processes changed; then a stretch of nodes: reservations that nobody ended, figures that differ. */
  async #stock(): Promise<void> {
    const seqs = await nodeSeqs(this.#service.sql)
    if (seqs.length === 0) return
    await this.#hear(seqs)
    const turn = this.#lookAgain
    this.#lookAgain = new Set()
    for (let i = 0; i < Math.min(nodesPerRound, seqs.length); i++) {
      this.#nextNode = (this.#nextNode + 1) % seqs.length
      turn.add(seqs[this.#nextNode]!.node)
    }
    for (const node of turn) {
      if (this.#stopped) return
      await this.#node(node)
    }
    this.#service.metrics.drift.set([...this.#differences.values()].reduce((sum, d) => sum + Math.abs(d.units), 0))
  }

  /** Nodes whose number has risen: Redis is told what it missed, and what is available now is a hint of ours too. */
  async #hear(seqs: readonly { readonly node: string; readonly seq: number }[]): Promise<void> {
    const { sql, keeper, catalog } = this.#service
    const moved = seqs.filter(({ node, seq }) => catalog.heard(node) !== seq)
    for (const some of chunks(moved, nodesPerQuery)) {
      if (this.#stopped) return
      for (const few of chunks(some, atOnce)) await Promise.all(few.map(({ node }) => keeper.catchUp(node)))
      const since = some.map(({ node }) => ({ node, seq: catalog.heard(node) }))
      for (const { node, sku, available } of await changedSince(sql, since)) {
        catalog.setHints(node, [{ sku, atp: available }])
      }
      for (const { node, seq } of some) catalog.hear(node, seq)
    }
  }

  async #node(node: string): Promise<void> {
    const { sql, keeper, catalog, metrics, log } = this.#service
    const epoch = keeper.epoch
    await keeper.catchUp(node)
    let seen = await keeper.look(node)
    const old = seen.held.filter((h) => h.madeAtMs < Date.now() - this.#heldMsMax)
    if (old.length > 0) {
      const refs = old.map(({ reservationId }) => ({ node, reservationId }))
      const { confirmed, released } = await endReservations(sql, keeper, refs)
      metrics.mended.inc({ how: 'confirmed' }, confirmed)
      metrics.mended.inc({ how: 'released' }, released)
      log.warn({ node, confirmed, released }, 'reservations mended')
      // Backorders that found nothing while these units were held may find them now.
      this.#restocking.forget()
      seen = await keeper.look(node)
    }
    catalog.setHints(
      node,
      [...seen.atp].map(([sku, atp]) => ({ sku, atp })),
    )
    if (seen.held.length > 0) return
    await this.#compare(node, seen.seq, seen.atp, epoch)
  }

  /** The same difference twice, with nothing under way, is no coincidence: Redis is made anew from Postgres. */
  async #compare(node: string, seq: number, atp: ReadonlyMap<string, number>, epoch: number): Promise<void> {
    const { sql, keeper, log } = this.#service
    const [figures] = await figuresOf(sql, [node])
    if (figures === undefined || figures.seq !== seq) return
    const different = figures.available.filter((r) => (atp.get(r.sku) ?? 0) !== r.available)
    const known = this.#differences.get(node)
    if (different.length === 0) {
      if (known !== undefined) {
        this.#differences.delete(node)
        await resolve(sql, 'stock_drift', [node])
      }
      return
    }
    const seen = JSON.stringify([epoch, seq, different.map((d) => [d.sku, d.available, atp.get(d.sku) ?? 0])])
    const units = different.reduce((sum, d) => sum + Math.abs((atp.get(d.sku) ?? 0) - d.available), 0)
    this.#differences.set(node, { units, seen })
    if (known?.seen !== seen) {
      this.#lookAgain.add(node)
      return
    }
    log.error({ node, skus: different.length, units }, 'stock differs between Redis and Postgres: reloading')
    await raise(sql, [{ kind: 'stock_drift', ref: node, detail: { node, skus: different.length, units } }])
    await keeper.recover(epoch)
  }

  /** A pulled task that was to be stopped, whose owner fell silent: nobody has it, its units are free. */
  async #intercepts(): Promise<void> {
    const lapsed = await lapsedIntercepts(this.#service.sql, interceptsPerRound)
    for (const few of chunks(lapsed, atOnce)) {
      const done = await Promise.allSettled(
        few.map(({ node, taskId, fence }) => takeBackLapsed(this.#service, node, taskId, fence)),
      )
      for (const one of done) {
        // Refused: its owner was quicker after all.
        if (one.status === 'rejected' && !(one.reason instanceof ApiError)) throw one.reason
      }
    }
  }

  /** Counts whose process died before it could answer for them; then those that are over. */
  async #shortages(): Promise<void> {
    await answerShortages(this.#service, null)
    await endShortages(this.#service.sql)
  }

  async #backorders(): Promise<void> {
    await this.#restocking.round(await fillableSkus(this.#service.sql))
  }

  async #reconcile(): Promise<void> {
    const swept = await sweepReconciliations({ sql: this.#service.sql }, this.#reconcileFrom, reconcilePerRound)
    this.#reconcileFrom = swept.nextOrderId
  }
}

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size)
}
