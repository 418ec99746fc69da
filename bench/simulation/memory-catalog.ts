/**
 * Settings and availability of a simulated process: the settings never change, the availability is the product's own and is
 * filled from the store as the product fills it.
 */

import type { Figures } from '../../adapters/store/order-store.ts'
import type { Secrets } from '../../adapters/store/secrets/credentials.ts'
import { Availability } from '../../workers/catalog/availability.ts'
import type { Catalog } from '../../workers/catalog/catalog.ts'

export class MemoryCatalog {
  readonly current: Catalog
  readonly availability = Availability.sized(8, 1_024)
  readonly #store: Figures
  readonly #heard = new Map<string, number>()

  constructor(current: Catalog, store: Figures) {
    this.current = current
    this.#store = store
  }

  /** Every shop of the world signs in the same way. */
  credentials(): readonly Secrets[] {
    return [{ appId: 'a', appSecret: 'b' }]
  }

  async fillAvailability(): Promise<void> {
    for (const { node, seq, available } of await this.#store.figuresOf(this.current.nodes.map((n) => n.node))) {
      this.setAvailability(
        node,
        available.map((r) => ({ sku: r.sku, atp: r.available })),
      )
      this.hear(node, seq)
    }
  }

  heard(node: string): number {
    return this.#heard.get(node) ?? 0
  }

  hear(node: string, seq: number): void {
    this.#heard.set(node, seq)
  }

  setAvailability(node: string, rows: Iterable<{ readonly sku: string; readonly atp: number }>): void {
    const { nodeIndex, nodeNo, skuNo } = this.current
    const index = nodeIndex.get(node)
    if (index === undefined) return
    for (const { sku, atp } of rows) this.availability.set(nodeNo(index), skuNo(sku), atp)
  }

  /** No figure may be relied on: all of them are nonsense from now on. */
  spoil(units: number): void {
    for (let node = 1; node <= this.current.nodes.length; node++) {
      for (let sku = 1; sku <= 3; sku++) this.availability.set(node, sku, units)
    }
  }
}
