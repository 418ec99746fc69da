/** Goods are there: orders that wait for them are sourced again. */

import type { BackorderStore } from '../../adapters/store/order-store.ts'
import type { Backorder } from '../../adapters/store/orders/backorders.ts'
import { keyOf } from '../../adapters/store/orders/load.ts'
import { stage } from '../../router/commands.ts'
import type { ChannelName } from '../../router/types.ts'
import type { CatalogWatch } from '../catalog/catalog-watch.ts'
import type { Backlog } from '../intake/backlog.ts'
import { commandEvent } from '../intake/commands.ts'
import type { Intake } from '../intake/intake.ts'
import type { Clock } from '../process/clock.ts'

// What is left waits for the next arrival or the next round of the sweep.
const ordersPerRoundDefault = 500
// So that each SKU of a round has a stretch worth the while.
const skusPerRound = 50
// Backordered SKUs whose figures are looked at in one round: some ten milliseconds.
const skusLookedAt = 2_000
// The stock that a SKU has may be at nodes that do not serve these orders (region, channel). So the same stock is tried
// again only after a while, and each time after a longer one.
const sameStockRetryMs = 60_000
const sameStockRetryMsMax = 3_600_000
// A backlog goes first: backorders wait for a later round.
const busyEvents = 5_000

const given = { actor: stage('restock'), note: '' }

export interface RestockContext {
  readonly store: BackorderStore
  readonly intake: Pick<Intake, 'storeOwn'>
  readonly clock: Clock
  /** Never gives the same twice. */
  readonly newId: () => string
}

export interface RestockingContext extends RestockContext {
  readonly backlog: Pick<Backlog, 'size'>
  readonly catalog: Pick<CatalogWatch, 'current' | 'availability'>
}

export interface RestockOptions {
  /** Orders that one round of the sweep asks for again, about. */
  readonly ordersPerRound?: number
}

/** For goods that just came: the oldest backorders of each SKU. */
export async function restock(context: RestockContext, skus: readonly string[]): Promise<void> {
  if (skus.length === 0) return
  const of = skus.map((sku) => ({ sku, after: null }))
  const limit = { perSku: ordersPerRoundDefault, all: ordersPerRoundDefault }
  await ask(context, await context.store.backordersOf(of, limit))
}

/** One walk along the backorders of a SKU, over several rounds when there are many. */
interface Walk {
  /** The least that was available since it began: any more is a reason for the next one. */
  readonly available: number
  readonly at: number
  /** Behind which order it goes on; null: it has come to the end. */
  readonly after: string | null
  /** How long the same stock is left alone after its end. */
  readonly retryMs: number
}

/**
 * For the sweep: every backorder of a SKU that some node has gets its turn, also behind those that cannot be filled.
 */
export class Restocking {
  readonly #context: RestockingContext
  readonly #ordersPerRound: number
  readonly #walks = new Map<string, Walk>()
  #afterSku = ''

  constructor(context: RestockingContext, options: RestockOptions) {
    this.#context = context
    this.#ordersPerRound = options.ordersPerRound ?? ordersPerRoundDefault
  }

  /** What was tried is tried again: units came free that no figure shows. */
  forget(): void {
    this.#walks.clear()
  }

  async round(): Promise<void> {
    const { store, backlog, clock } = this.#context
    if (backlog.size > busyEvents) return
    const available = await this.#lookAtSome()
    const now = clock.now()
    const due = [...available.keys()].filter((sku) => this.#isDue(sku, available.get(sku)!, now))
    this.#note(available)
    // Those first that waited longest.
    const lastAt = (sku: string) => this.#walks.get(sku)?.at ?? 0
    const turn = due.sort((a, b) => lastAt(a) - lastAt(b)).slice(0, skusPerRound)
    if (turn.length === 0) return
    const of = turn.map((sku) => ({ sku, after: this.#walks.get(sku)?.after ?? null }))
    const perSku = Math.ceil(this.#ordersPerRound / turn.length)
    const found = await store.backordersOf(of, { perSku, all: perSku * turn.length })
    await ask(this.#context, found)
    for (const { sku, after } of of) {
      const mine = found.filter((b) => b.sku === sku)
      const walk = this.#walks.get(sku)
      const began = after === null ? available.get(sku)! : walk!.available
      this.#walks.set(sku, {
        ...{ available: began, at: now, after: mine.length < perSku ? null : mine.at(-1)!.id },
        retryMs: retryMsOf(walk, began, after),
      })
    }
  }

  /**
   * Backordered SKUs with what is available of them in memory. The figure may be wrong: then a decision finds nothing,
   * or a later round finds the goods.
   */
  async #lookAtSome(): Promise<Map<string, number>> {
    const { store, catalog } = this.#context
    const skus = await store.backorderedSkus(this.#afterSku, skusLookedAt)
    this.#afterSku = skus.length < skusLookedAt ? '' : skus.at(-1)!
    const { current, availability } = catalog
    return new Map(skus.map((sku) => [sku, availability.anywhere(current.skuNo(sku))]))
  }

  #isDue(sku: string, available: number, now: number): boolean {
    if (available <= 0) return false
    const walk = this.#walks.get(sku)
    if (walk === undefined || walk.after !== null) return true
    return available > walk.available || now - walk.at > walk.retryMs
  }

  #note(available: ReadonlyMap<string, number>): void {
    for (const [sku, now] of available) {
      const walk = this.#walks.get(sku)
      if (walk === undefined) continue
      if (now <= 0) this.#walks.delete(sku)
      else if (now < walk.available) this.#walks.set(sku, { ...walk, available: now })
    }
  }
}

/**
 * A walk over stock that has not grown since the last one is in vain, most likely: the next one waits twice as long.
 */
function retryMsOf(before: Walk | undefined, available: number, after: string | null): number {
  if (before === undefined || (after === null && available > before.available)) return sameStockRetryMs
  return after === null ? Math.min(before.retryMs * 2, sameStockRetryMsMax) : before.retryMs
}

async function ask({ intake, clock, newId }: RestockContext, waiting: readonly Backorder[]): Promise<void> {
  const once = new Map(waiting.map((b) => [keyOf(b), b]))
  await Promise.all(
    [...once.values()].map(({ channel, shop, orderId }) =>
      intake.storeOwn(
        commandEvent(
          { channel: channel as ChannelName, shop, orderId },
          { type: 'restock', ...given },
          clock.now(),
          newId(),
        ),
      ),
    ),
  )
}
