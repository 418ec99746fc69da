/**
 * The availability that one process keeps. Its SKUs and nodes have the numbers of a catalog; when a newer catalog
 * comes, the figures stay. Of each node it also keeps the number of the last change up to which it knows all changes.
 */
import type { Figures } from '../../adapters/store/order-store.ts'
import { figuresInTurn } from '../counters/figures-in-turn.ts'
import type { Availability } from './availability.ts'
import type { Catalog } from './catalog.ts'

type Rows = Iterable<{ readonly sku: string; readonly atp: number }>

export class KeptAvailability {
  readonly #figures: Figures
  /** By whose numbers figures are kept. */
  #numbers: Catalog
  #availability: Availability
  readonly #heard = new Map<string, number>()

  constructor(figures: Figures, numbers: Catalog, availability: Availability) {
    this.#figures = figures
    this.#numbers = numbers
    this.#availability = availability
  }

  get numbers(): Catalog {
    return this.#numbers
  }

  get current(): Availability {
    return this.#availability
  }

  /**
   * False when there was no room for some SKUs of the catalog: there is now, and what they have is still to be read.
   */
  number(catalog: Catalog, skusMax: number): boolean {
    const covers = this.#availability.covers(skusMax)
    if (!covers) this.#availability = this.#availability.widened(skusMax)
    this.#numbers = catalog
    return covers
  }

  /** From Postgres: what Redis has promised in the last moments is not in it, and Redis will say so. */
  async fill(): Promise<void> {
    for await (const { node, seq, available } of this.#ofAllNodes()) {
      this.set(
        node,
        available.map((r) => ({ sku: r.sku, atp: r.available })),
      )
      this.hear(node, seq)
    }
  }

  /** Of all others, the availability knows more than Postgres: what threads have reserved and not yet committed. */
  async fillOnly(isNew: (sku: string) => boolean): Promise<void> {
    for await (const { node, seq, available } of this.#ofAllNodes()) {
      const unknown = available.filter(({ sku }) => isNew(sku))
      this.set(
        node,
        unknown.map((r) => ({ sku: r.sku, atp: r.available })),
      )
      // Whatever was set meanwhile may be newer: it is heard once more.
      this.hear(node, Math.min(seq, this.heard(node)))
    }
  }

  #ofAllNodes() {
    const nodes = this.#numbers.nodes.map(({ node }) => node)
    return figuresInTurn(nodes, (some) => this.#figures.figuresOf(some))
  }

  /**
   * Up to which of a node's changes the availability knows of all; those made here are set at once, whatever their
   * number.
   */
  heard(node: string): number {
    return this.#heard.get(node) ?? 0
  }

  /** Of a node that is not known yet nothing was kept. */
  hear(node: string, seq: number): void {
    if (this.#numbers.nodeIndex.has(node)) this.#heard.set(node, seq)
  }

  set(node: string, rows: Rows): void {
    const index = this.#numbers.nodeIndex.get(node)
    if (index === undefined) return
    const row = this.#numbers.nodeNo(index)
    for (const { sku, atp } of rows) {
      const column = this.#numbers.skuNo(sku)
      if (column === 0) continue
      this.#availability.set(row, column, atp)
      // What threads change in the old one until their next batch is missing in the new: Redis and the sweep say it
      // again.
      if (this.#availability.isCrowded) this.#availability = this.#availability.grown()
    }
  }
}
