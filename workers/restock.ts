/** Goods are there: orders that wait for them are sourced again. */
import { type Backorder, type BackorderCursor, backordersOf } from '../adapters/store/stock.ts'
import type { ChannelName } from '../router/types.ts'
import { commandEvent } from './commands.ts'
import type { Service } from './context.ts'

// What is left waits for the next arrival or the next round of the sweep.
const ordersPerRound = 500
// So that each SKU of a round has a stretch worth the while.
const skusPerRound = 50
// What stock is there may not be for these backorders (region, channel): asked again only now and then.
const sameStockRetryMs = 60_000

/** For goods that just came: the oldest backorders of each SKU. */
export async function restock(service: Service, skus: readonly string[]): Promise<void> {
  if (skus.length === 0) return
  const of = skus.map((sku) => ({ sku, after: null }))
  await ask(service, await backordersOf(service.sql, of, { perSku: ordersPerRound, all: ordersPerRound }))
}

/** One walk along the backorders of a SKU, over several rounds when there are many. */
interface Walk {
  /** The least that was available since it began: any more is a reason for the next one. */
  readonly available: number
  readonly at: number
  /** null: it has come to the end. */
  readonly after: BackorderCursor | null
}

/** For the sweep: every backorder of a SKU that some node has gets its turn, also behind those that cannot be filled. */
export class Restocking {
  readonly #service: Service
  readonly #walks = new Map<string, Walk>()

  constructor(service: Service) {
    this.#service = service
  }

  /** What was tried is tried again: units came free that no figure shows. */
  forget(): void {
    this.#walks.clear()
  }

  /** `fillable`: every SKU that is backordered and available somewhere. */
  async round(fillable: readonly { readonly sku: string; readonly available: number }[]): Promise<void> {
    const now = Date.now()
    const available = new Map(fillable.map((f) => [f.sku, f.available]))
    const due = [...available.keys()].filter((sku) => this.#isDue(sku, available.get(sku)!, now))
    this.#note(available)
    // Those first that waited longest.
    const lastAt = (sku: string) => this.#walks.get(sku)?.at ?? 0
    const turn = due.sort((a, b) => lastAt(a) - lastAt(b)).slice(0, skusPerRound)
    if (turn.length === 0) return
    const of = turn.map((sku) => ({ sku, after: this.#walks.get(sku)?.after ?? null }))
    const perSku = Math.floor(ordersPerRound / turn.length)
    const found = await backordersOf(this.#service.sql, of, { perSku, all: ordersPerRound })
    await ask(this.#service, found)
    for (const { sku, after } of of) {
      const mine = found.filter((b) => b.sku === sku)
      const began = after === null ? available.get(sku)! : this.#walks.get(sku)!.available
      this.#walks.set(sku, { available: began, at: now, after: mine.length < perSku ? null : mine.at(-1)!.cursor })
    }
  }

  #isDue(sku: string, available: number, now: number): boolean {
    const walk = this.#walks.get(sku)
    if (walk === undefined || walk.after !== null) return true
    return available > walk.available || now - walk.at > sameStockRetryMs
  }

  #note(available: ReadonlyMap<string, number>): void {
    for (const [sku, walk] of this.#walks) {
      const now = available.get(sku)
      if (now === undefined) this.#walks.delete(sku)
      else if (now < walk.available) this.#walks.set(sku, { ...walk, available: now })
    }
  }
}

async function ask(service: Service, waiting: readonly Backorder[]): Promise<void> {
  const once = new Map(waiting.map((b) => [`${b.channel}/${b.shop}/${b.orderId}`, b]))
  await Promise.all(
    [...once.values()].map(({ channel, shop, orderId }) =>
      service.intake.storeOwn(
        commandEvent({ channel: channel as ChannelName, shop, orderId }, { type: 'restock' }, Date.now()),
      ),
    ),
  )
}
