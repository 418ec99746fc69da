/** Settings of a simulated process, which never change, with the availability that the product keeps. */
import type { Figures } from '../../adapters/store/order-store.ts'
import type { Secrets } from '../../adapters/store/secrets/credentials.ts'
import { Availability } from '../../workers/catalog/availability.ts'
import type { Catalog } from '../../workers/catalog/catalog.ts'
import { KeptAvailability } from '../../workers/catalog/kept-availability.ts'

export class MemoryCatalog {
  readonly current: Catalog
  readonly #kept: KeptAvailability

  constructor(current: Catalog, store: Figures) {
    this.current = current
    this.#kept = new KeptAvailability(store, current, Availability.sized(8, 1_024))
  }

  get availability(): Availability {
    return this.#kept.current
  }

  /** Every shop of the world signs in the same way. */
  credentials(): readonly Secrets[] {
    return [{ appId: 'a', appSecret: 'b' }]
  }

  fillAvailability(): Promise<void> {
    return this.#kept.fill()
  }

  heard(node: string): number {
    return this.#kept.heard(node)
  }

  hear(node: string, seq: number): void {
    this.#kept.hear(node, seq)
  }

  setAvailability(node: string, rows: Iterable<{ readonly sku: string; readonly atp: number }>): void {
    this.#kept.set(node, rows)
  }

  /** No figure may be relied on: all of them are nonsense from now on. */
  spoil(units: number): void {
    for (let node = 1; node <= this.current.nodes.length; node++) {
      for (let sku = 1; sku <= 3; sku++) this.availability.set(node, sku, units)
    }
  }
}
