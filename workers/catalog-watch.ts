/** The current settings and hints of this process, and when to read them again. */

import { catalogVersion, loadCatalog } from '../adapters/store/catalog.ts'
import type { Sql } from '../adapters/store/connect.ts'
import { figuresOf } from '../adapters/store/stock.ts'
import { Hints } from './hints.ts'
import { type Catalogue, catalogueOf } from './thread/catalogue.ts'

export class CatalogWatch {
  readonly #sql: Sql
  #catalogue: Catalogue
  #hints: Hints
  #reading: Promise<void> | null = null
  readonly #heard = new Map<string, number>()

  private constructor(sql: Sql, catalogue: Catalogue, hints: Hints) {
    this.#sql = sql
    this.#catalogue = catalogue
    this.#hints = hints
  }

  static async open(sql: Sql): Promise<CatalogWatch> {
    const watch = new CatalogWatch(
      sql,
      catalogueOf({ version: 0, shops: new Map(), skus: new Map(), nodes: [] }),
      Hints.sized(0, 0),
    )
    await watch.refresh()
    return watch
  }

  get catalogue(): Catalogue {
    return this.#catalogue
  }

  get hints(): Hints {
    return this.#hints
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

  async #read(): Promise<void> {
    if ((await catalogVersion(this.#sql)) === this.#catalogue.version) return
    const catalog = await loadCatalog(this.#sql)
    this.#catalogue = catalogueOf(catalog)
    const nodes = catalog.nodes.reduce((max, n) => Math.max(max, n.no), 0)
    let skus = 0
    for (const { no } of catalog.skus.values()) skus = Math.max(skus, no)
    if (this.#hints.covers(nodes, skus)) return
    this.#hints = Hints.sized(nodes, skus)
    await this.fillHints()
  }

  /** From Postgres: what Redis has promised in the last moments is not in it, and Redis will say so. */
  async fillHints(): Promise<void> {
    const { nodes } = this.#catalogue
    for (let at = 0; at < nodes.length; at += 16) {
      const figures = await figuresOf(
        this.#sql,
        nodes.slice(at, at + 16).map((n) => n.node),
      )
      for (const { node, seq, available } of figures) {
        this.setHints(
          node,
          available.map((r) => ({ sku: r.sku, atp: r.available })),
        )
        this.hear(node, seq)
      }
    }
  }

  /** Up to which of a node's changes the hints know of all; those made here are set at once, whatever their number. */
  heard(node: string): number {
    return this.#heard.get(node) ?? 0
  }

  hear(node: string, seq: number): void {
    this.#heard.set(node, seq)
  }

  setHints(node: string, rows: Iterable<{ readonly sku: string; readonly atp: number }>): void {
    const index = this.#catalogue.nodeIndex.get(node)
    if (index === undefined) return
    const row = this.#catalogue.nodeNo(index)
    for (const { sku, atp } of rows) {
      const column = this.#catalogue.skuNo(sku)
      if (column > 0) this.#hints.set(row, column, atp)
    }
  }
}
