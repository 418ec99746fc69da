/**
 * The sweep's part for shortages: it finds those of counts whose process died before it called tasks back, and resolves
 * those that are over. The first round looks everywhere; later ones where something changed, where a shortage is open,
 * and at the nodes that the part `stock` has just compared.
 */
import { answerShort, answerShortages, type ShortageContext } from './shortages.ts'
import type { StockSweep } from './sweep-stock.ts'

export class ShortageSweep {
  readonly #context: ShortageContext
  readonly #stock: Pick<StockSweep, 'takeShort' | 'turn'>
  #hasLookedEverywhere = false

  constructor(context: ShortageContext, stock: Pick<StockSweep, 'takeShort' | 'turn'>) {
    this.#context = context
    this.#stock = stock
  }

  async round(): Promise<void> {
    const { store } = this.#context
    const changed = this.#stock.takeShort()
    if (this.#hasLookedEverywhere) await answerShort(this.#context, await store.shortAmong(changed, this.#stock.turn))
    else await answerShortages(this.#context, null)
    this.#hasLookedEverywhere = true
    await store.endShortages()
  }
}
