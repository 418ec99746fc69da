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
import { figuresOf, type NodeFigures } from '../../adapters/store/stock/stock.ts'
import { figuresInTurn } from '../counters/figures-in-turn.ts'
import { Availability } from './availability.ts'
import { type Catalog, catalogOf } from './catalog.ts'

export class CatalogWatch {
  readonly #sql: Sql
  readonly #vault: Vault
  #secrets: ReadonlyMap<string, Read> = new Map()
  #catalog: Catalog
  /** By whose numbers figures are kept: of those that come into force next, a little before they do. */
  #numbers: Catalog
  #availability: Availability
  /** There was no room for SKUs of `#numbers`, and what they have is still to be read. */
  #isUnfilled = false
  #reading: Promise<void> | null = null
  readonly #heard = new Map<string, number>()

  private constructor(sql: Sql, vault: Vault, catalog: Catalog, availability: Availability) {
    this.#sql = sql
    this.#vault = vault
    this.#catalog = catalog
    this.#numbers = catalog
    this.#availability = availability
  }

  /** Without any availability: whoever opens it makes sure of the counters first, and fills them then. */
  static async open(sql: Sql, vault: Vault): Promise<CatalogWatch> {
    const watch = new CatalogWatch(
      sql,
      vault,
      catalogOf({ version: 0, shops: new Map(), skus: new Map(), nodes: [] }),
      Availability.sized(0),
    )
    await watch.#readSettings()
    watch.#catalog = watch.#numbers
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
    return this.#availability
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

  /** Nobody plans with a SKU before its figures are there: an order for it would find nothing, and wait as a backorder. */
  async #read(): Promise<void> {
    await this.#readSettings()
    if (this.#isUnfilled) {
      await this.#fillNewSkus()
      this.#isUnfilled = false
    }
    this.#catalog = this.#numbers
  }

  /** When they have changed. All but the catalog is in force then, and there is room for what it will bring. */
  async #readSettings(): Promise<void> {
    if ((await catalogVersion(this.#sql)) === this.#numbers.version) return
    const catalog = await loadCatalog(this.#sql)
    // After the version, as all else: a newer secret shows as a newer version next time.
    const secrets = await readAllSecrets(this.#sql, this.#vault, 'shop')
    this.#secrets = new Map(secrets.map(({ group, name, read }) => [shopKey(group, name), read]))
    await tellUnreadable(this.#sql, secrets)
    let skus = 0
    for (const { no } of catalog.skus.values()) skus = Math.max(skus, no)
    if (!this.#availability.covers(skus)) {
      this.#isUnfilled = true
      this.#availability = this.#availability.widened(skus)
    }
    this.#numbers = catalogOf(catalog)
  }

  /** From Postgres: what Redis has promised in the last moments is not in it, and Redis will say so. */
  async fillAvailability(): Promise<void> {
    for await (const { node, seq, available } of this.#figures()) {
      this.setAvailability(
        node,
        available.map((r) => ({ sku: r.sku, atp: r.available })),
      )
      this.hear(node, seq)
    }
  }

  /** Of the others, availability know more than Postgres: what threads have reserved and not yet committed. */
  async #fillNewSkus(): Promise<void> {
    for await (const { node, seq, available } of this.#figures()) {
      const unknown = available.filter(({ sku }) => this.#catalog.skuNo(sku) === 0)
      this.setAvailability(
        node,
        unknown.map((r) => ({ sku: r.sku, atp: r.available })),
      )
      // Whatever was set meanwhile may be newer: it is heard once more.
      this.hear(node, Math.min(seq, this.heard(node)))
    }
  }

  #figures(): AsyncIterable<NodeFigures> {
    const nodes = this.#numbers.nodes.map(({ node }) => node)
    return figuresInTurn(nodes, (some) => figuresOf(this.#sql, some))
  }

  /** Up to which of a node's changes the availability know of all; those made here are set at once, whatever their number. */
  heard(node: string): number {
    return this.#heard.get(node) ?? 0
  }

  /** Of a node that is not known yet nothing was kept. */
  hear(node: string, seq: number): void {
    if (this.#numbers.nodeIndex.has(node)) this.#heard.set(node, seq)
  }

  setAvailability(node: string, rows: Iterable<{ readonly sku: string; readonly atp: number }>): void {
    const index = this.#numbers.nodeIndex.get(node)
    if (index === undefined) return
    const row = this.#numbers.nodeNo(index)
    for (const { sku, atp } of rows) {
      const column = this.#numbers.skuNo(sku)
      if (column === 0) continue
      this.#availability.set(row, column, atp)
      // What threads change in the old one until their next batch is missing in the new: Redis and the sweep say it again.
      if (this.#availability.isCrowded) this.#availability = this.#availability.grown()
    }
  }
}

/** A shop whose credentials cannot be opened refuses every webhook until somebody puts them again. */
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
