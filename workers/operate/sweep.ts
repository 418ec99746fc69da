/**
 * The sweep: whatever a crash, a lost message or time itself left behind, it finds and puts right, a little every few
 * seconds. Nothing here is needed for a decision to be right; it is needed so that nothing stays wrong.
 *
 * What a round reads grows with what has changed, not with what there is: the one thing that it reads of every node is its
 * number.
 */
import { ApiError } from '../../adapters/http/errors.ts'
import { catalogVersion } from '../../adapters/store/catalog/catalog.ts'
import { raise, resolve } from '../../adapters/store/exceptions.ts'
import { countPending, preparePartitions } from '../../adapters/store/inbox/inbox.ts'
import { adviceOn } from '../../adapters/store/postgres/durability.ts'
import { endEventExceptions, endShortages, shortAmong } from '../../adapters/store/sweep.ts'
import { lapsedIntercepts } from '../../adapters/store/tasks/tasks.ts'
import type { Service } from '../context.ts'
import { takeBackLapsed } from '../fulfil/routes.ts'
import { codeOf } from '../process/error-code.ts'
import { sweepReconciliations } from '../settle/reconcile.ts'
import { Restocking } from '../stock/restock.ts'
import { answerShort, answerShortages } from '../stock/shortages.ts'
import { chunks, StockSweep, type SweepOptions } from '../stock/sweep-stock.ts'

// A decision takes milliseconds from reservation to commit; so long after, its process is gone or has forgotten.
const heldMsMaxDefault = 30_000
// A large node is 2,000 counters: a millisecond of Redis and a few of ours. Of 10,000 such nodes each has its turn in half
// an hour, since a round also stops when it has taken long enough.
const nodesPerRoundMaxDefault = 64
const reconcilePerRound = 1_000
// Some 40 ms of Postgres, however many orders there are: of a million, each has its turn within ten minutes.
const reconcileLookPerRound = 10_000
const interceptsPerRound = 200
// Of what is done for many, so much at once: the connections are those of the requests too.
const atOnce = 6
const partitionsEveryMs = 600_000
// Somebody read the inbox just then; each try keeps the intake waiting for a tenth of a second.
const partitionsAgainMs = 60_000

export class Sweep {
  readonly #service: Service
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #stopped = false
  readonly #restocking: Restocking
  readonly #stock: StockSweep
  #hasLookedEverywhere = false
  #wasNotDurable: boolean | null = null
  #reconcileFrom = '0'
  #partitionsAt = 0

  constructor(
    service: Service,
    { heldMsMax = heldMsMaxDefault, nodesPerRoundMax = nodesPerRoundMaxDefault }: SweepOptions = {},
  ) {
    this.#service = service
    this.#restocking = new Restocking(service)
    this.#stock = new StockSweep(service, { heldMsMax, nodesPerRoundMax }, () => this.#restocking.forget())
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
    const { metrics, log } = this.#service
    const parts: readonly [string, () => Promise<void>][] = [
      ['durability', () => this.#durability()],
      ['settings', () => this.#settings()],
      ['pending', () => this.#pending()],
      ['stock', () => this.#stock.round(() => this.#stopped)],
      ['intercepts', () => this.#intercepts()],
      ['shortages', () => this.#shortages()],
      ['exceptions', async () => void (await endEventExceptions(this.#service.sql))],
      ['backorders', () => this.#restocking.round()],
      ['reconciliation', () => this.#reconcile()],
    ]
    for (const [name, part] of parts) {
      if (this.#stopped) return
      const started = performance.now()
      try {
        await part()
      } catch (error) {
        log.warn({ part: name, code: codeOf(error) }, 'a part of the sweep failed: next round')
      }
      metrics.sweep.observe({ part: name }, (performance.now() - started) / 1000)
    }
  }

  /** The server may have been restarted with other settings, or the role given its own. */
  async #durability(): Promise<void> {
    const { sql, durability } = this.#service
    await durability.look()
    const isNotDurable = durability.isBroken
    if (isNotDurable === this.#wasNotDurable) return
    const detail = { off: durability.lacks.map((l) => l.setting), advice: adviceOn(durability.lacks) }
    if (isNotDurable) await raise(sql, [{ kind: 'not_durable', ref: 'postgres', detail }])
    else await resolve(sql, 'not_durable', ['postgres'])
    this.#wasNotDurable = isNotDurable
  }

  async #settings(): Promise<void> {
    const { sql, catalog } = this.#service
    if ((await catalogVersion(sql)) !== catalog.current.version) await catalog.refresh()
    if (Date.now() - this.#partitionsAt < partitionsEveryMs) return
    const isDone = await preparePartitions(sql, Date.now())
    this.#partitionsAt = Date.now() - (isDone ? 0 : partitionsEveryMs - partitionsAgainMs)
  }

  async #pending(): Promise<void> {
    const { sql, metrics, keeper } = this.#service
    this.#service.pendingCount = await countPending(sql)
    metrics.pending.set(this.#service.pendingCount)
    metrics.epoch.set(keeper.epoch)
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

  /**
   * Counts whose process died before it could answer for them; then those that are over. The first round looks everywhere;
   * later ones where something changed, where a shortage is open, and at the nodes whose turn it was.
   */
  async #shortages(): Promise<void> {
    const { sql } = this.#service
    const changed = this.#stock.takeShort()
    if (this.#hasLookedEverywhere) await answerShort(this.#service, await shortAmong(sql, changed, this.#stock.turn))
    else await answerShortages(this.#service, null)
    this.#hasLookedEverywhere = true
    await endShortages(sql)
  }

  async #reconcile(): Promise<void> {
    const { sql } = this.#service
    const swept = await sweepReconciliations({ sql }, this.#reconcileFrom, reconcilePerRound, reconcileLookPerRound)
    this.#reconcileFrom = swept.nextOrderId
  }
}
