/** The current settings and availability of this process, and when to read them again. */

import { catalogVersion, loadCatalog, shopKey } from '../../adapters/store/catalog/catalog.ts'
import { raise, resolve } from '../../adapters/store/exceptions.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import {
  inForce,
  type Read,
  type ReadEntry,
  readAllSecrets,
  type Secrets,
} from '../../adapters/store/secrets/credentials.ts'
import type { Vault } from '../../adapters/store/secrets/vault.ts'
import { figuresOf } from '../../adapters/store/stock/stock.ts'
import { Availability } from './availability.ts'
import { type Catalog, catalogOf } from './catalog.ts'
import { KeptAvailability } from './kept-availability.ts'

export class CatalogWatch {
  readonly #sql: Sql
  readonly #vault: Vault
  #secrets: ReadonlyMap<string, Read> = new Map()
  /** In force. Figures are kept by the numbers of the one that comes into force next, a little before it does. */
  #catalog: Catalog
  readonly #kept: KeptAvailability
  /** There was no room for SKUs of the next catalog, and what they have is still to be read. */
  #isUnfilled = false
  #reading: Promise<void> | null = null

  private constructor(sql: Sql, vault: Vault, catalog: Catalog) {
    this.#sql = sql
    this.#vault = vault
    this.#catalog = catalog
    this.#kept = new KeptAvailability({ figuresOf: (nodes) => figuresOf(sql, nodes) }, catalog, Availability.sized(0))
  }

  /** Without any availability: the caller makes sure of the counters first, and fills the availability then. */
  static async open(sql: Sql, vault: Vault): Promise<CatalogWatch> {
    const watch = new CatalogWatch(sql, vault, catalogOf({ version: 0, shops: new Map(), skus: new Map(), nodes: [] }))
    await watch.#readSettings()
    watch.#catalog = watch.#kept.numbers
    watch.#isUnfilled = false
    return watch
  }

  get current(): Catalog {
    return this.#catalog
  }

  /**
   * What a shop of the catalog signs with at this instant, the current ones first. Empty when they cannot be opened:
   * sealed under a key that this process was not given, or altered.
   */
  credentials(channel: string, shop: string, nowMs: number): readonly Secrets[] {
    const read = this.#secrets.get(shopKey(channel, shop))
    return read?.outcome === 'kept' ? inForce(read.kept, nowMs) : []
  }

  get availability(): Availability {
    return this.#kept.current
  }

  /** Reads the settings when they have changed. When it returns, what was committed before the call is in force. */
  async refresh(): Promise<void> {
    // A read that is under way may have begun before the caller's change.
    await this.#reading
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    await this.#reading
  }

  /** No order is planned with a SKU before its figures are there: the order would find nothing, and wait as a backorder. */
  async #read(): Promise<void> {
    await this.#readSettings()
    if (this.#isUnfilled) {
      await this.#kept.fillOnly((sku) => this.#catalog.skuNo(sku) === 0)
      this.#isUnfilled = false
    }
    this.#catalog = this.#kept.numbers
  }

  /** When they have changed. All but the catalog is in force then, and there is room for what it will bring. */
  async #readSettings(): Promise<void> {
    if ((await catalogVersion(this.#sql)) === this.#kept.numbers.version) return
    const catalog = await loadCatalog(this.#sql)
    // After the version, as all else: a newer secret shows as a newer version next time.
    const secrets = await readAllSecrets(this.#sql, this.#vault, 'shop')
    this.#secrets = new Map(secrets.map(({ group, name, read }) => [shopKey(group, name), read]))
    await tellUnreadable(this.#sql, secrets)
    let skus = 0
    for (const { no } of catalog.skus.values()) skus = Math.max(skus, no)
    if (!this.#kept.number(catalogOf(catalog), skus)) this.#isUnfilled = true
  }

  /** From Postgres: see KeptAvailability. */
  fillAvailability(): Promise<void> {
    return this.#kept.fill()
  }

  /** Up to which of a node's changes the availability knows of all. */
  heard(node: string): number {
    return this.#kept.heard(node)
  }

  hear(node: string, seq: number): void {
    this.#kept.hear(node, seq)
  }

  setAvailability(node: string, rows: Iterable<{ readonly sku: string; readonly atp: number }>): void {
    this.#kept.set(node, rows)
  }
}

/** A shop whose credentials cannot be opened refuses every webhook until an operator puts them again. */
async function tellUnreadable(sql: Sql, secrets: readonly ReadEntry[]): Promise<void> {
  const kind = 'credentials_unreadable'
  const entries = secrets.map(({ group: channel, name: shop, read }) => ({
    why: read.outcome,
    entry: { kind, ref: shopKey(channel, shop), detail: { channel, shop, why: read.outcome } },
  }))
  await raise(
    sql,
    entries.filter(({ why }) => why !== 'kept').map(({ entry }) => entry),
  )
  await resolve(
    sql,
    kind,
    entries.filter(({ why }) => why === 'kept').map(({ entry }) => entry.ref),
  )
}
