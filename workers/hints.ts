/**
 * Availability hints: what each node could promise of each SKU when somebody last looked. One Int32 a (node, SKU) in memory
 * that all threads share, so that ranking needs no round trip. They may be wrong in both directions: Redis decides.
 */
export interface HintsShape {
  readonly memory: SharedArrayBuffer
  readonly columns: number
}

// Room for settings that come while we run, before everything has to be laid out anew.
const headroom = 1.25
const spareRows = 64
const spareColumns = 256

export class Hints {
  readonly shape: HintsShape
  readonly #cells: Int32Array

  constructor(shape: HintsShape) {
    this.shape = shape
    this.#cells = new Int32Array(shape.memory)
  }

  /** For node numbers up to `nodes` and SKU numbers up to `skus`; all zero. */
  static sized(nodes: number, skus: number): Hints {
    const rows = Math.ceil(nodes * headroom) + spareRows
    const columns = Math.ceil(skus * headroom) + spareColumns
    return new Hints({ memory: new SharedArrayBuffer(rows * columns * 4), columns })
  }

  covers(nodes: number, skus: number): boolean {
    return skus < this.shape.columns && (nodes + 1) * this.shape.columns <= this.#cells.length
  }

  get(node: number, sku: number): number {
    const cell = this.#cell(node, sku)
    return cell === -1 ? 0 : this.#cells[cell]!
  }

  set(node: number, sku: number, available: number): void {
    const cell = this.#cell(node, sku)
    if (cell === -1) return
    const old = Atomics.exchange(this.#cells, cell, available)
    this.#moveTotal(sku, old, available)
  }

  add(node: number, sku: number, change: number): void {
    const cell = this.#cell(node, sku)
    if (cell === -1) return
    const old = Atomics.add(this.#cells, cell, change)
    this.#moveTotal(sku, old, old + change)
  }

  /** The sum over all nodes that have any; at least that, while somebody is just changing a figure. */
  anywhere(sku: number): number {
    return sku < this.shape.columns ? this.#cells[sku]! : 0
  }

  /** Node numbers begin at 1: row 0 holds the totals. */
  #moveTotal(sku: number, old: number, now: number): void {
    const change = Math.max(0, now) - Math.max(0, old)
    if (change !== 0) Atomics.add(this.#cells, sku, change)
  }

  /** -1 for a node or SKU that came after these hints were laid out: it has no stock to speak of yet. */
  #cell(node: number, sku: number): number {
    const cell = node * this.shape.columns + sku
    return sku < this.shape.columns && cell < this.#cells.length ? cell : -1
  }
}
