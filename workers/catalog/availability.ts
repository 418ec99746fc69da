/**
 * Availability: what each node could promise of each SKU at the last look, in memory that all threads share, so that ranking
 * needs no round trip. A figure may be wrong in both directions: Redis decides.
 *
 * A store has a shelf of some dozen SKUs out of thousands, so there is one record a (node, SKU) that ever had a figure, and
 * not one a pair that there could be. A record is found through its bucket, and all records of a SKU hang on one chain:
 * who may have some of it is a walk over those and not over all nodes. Records are added and never taken away, so that
 * a chain can be walked while others add to it.
 *
 *   [records used] [total of each SKU] [chain of each SKU] [buckets] [records: sku, node, available, next in bucket, next of SKU]
 */
import type { Holders } from '../../router/source/network.ts'
import { longer, placedMax, type ReadChain } from './read-chain.ts'

export interface AvailabilityShape {
  readonly memory: SharedArrayBuffer
  /** SKU numbers are below this. */
  readonly columns: number
  /** A power of two. */
  readonly buckets: number
  /** Tells layouts apart: the memory itself is another object in every message. */
  readonly layout: number
}

// Room for settings that come while we run, before everything has to be laid out anew.
const headroom = 1.25
const spareColumns = 256
const recordsAtFirst = 65_536

// Of a record, in this order.
const recordSize = 5
const skuAt = 0
const nodeAt = 1
const availableAt = 2
const nextInBucketAt = 3
const nextOfSkuAt = 4

let layouts = 0

const noHolders: Holders = { numbers: [], unitsAt: () => 0 }

export class Availability {
  readonly shape: AvailabilityShape
  readonly #cells: Int32Array
  readonly #chainsAt: number
  readonly #bucketsAt: number
  readonly #recordsAt: number
  readonly #recordsMax: number
  readonly #read: (ReadChain | undefined)[]

  constructor(shape: AvailabilityShape) {
    this.shape = shape
    this.#cells = new Int32Array(shape.memory)
    this.#chainsAt = 1 + shape.columns
    this.#bucketsAt = this.#chainsAt + shape.columns
    // Records are numbered from 1: 0 ends a chain.
    this.#recordsAt = this.#bucketsAt + shape.buckets - recordSize
    this.#recordsMax = (this.#cells.length - this.#bucketsAt - shape.buckets) / recordSize
    this.#read = new Array(shape.columns).fill(undefined)
  }

  /** For SKU numbers up to `skus`; no node has any figure yet. */
  static sized(skus: number, records = recordsAtFirst): Availability {
    return Availability.#laidOut(columnsFor(skus), records)
  }

  static #laidOut(columns: number, records: number): Availability {
    let buckets = 64
    while (buckets < records) buckets *= 2
    const memory = new SharedArrayBuffer((1 + 2 * columns + buckets + records * recordSize) * 4)
    return new Availability({ memory, columns, buckets, layout: ++layouts })
  }

  covers(skus: number): boolean {
    return skus < this.shape.columns
  }

  /** What comes when it is full is not kept. */
  get isCrowded(): boolean {
    return Atomics.load(this.#cells, 0) > this.#recordsMax * 0.9
  }

  /** The same in twice the room. What others write here from now on is not in there. */
  grown(): Availability {
    return this.#copiedTo(Availability.#laidOut(this.shape.columns, this.#recordsMax * 2))
  }

  /** The same with room for SKU numbers up to `skus`. As with `grown`. */
  widened(skus: number): Availability {
    return this.#copiedTo(Availability.#laidOut(columnsFor(skus), this.#recordsMax))
  }

  #copiedTo(larger: Availability): Availability {
    const cells = this.#cells
    const used = Math.min(Atomics.load(cells, 0), this.#recordsMax)
    for (let number = 1; number <= used; number++) {
      const record = this.#record(number)
      // A record that is just being made, or that another thread made first, has none.
      const available = Atomics.load(cells, record + availableAt)
      if (available === 0) continue
      larger.set(cells[record + nodeAt]!, cells[record + skuAt]!, available)
    }
    return larger
  }

  get(node: number, sku: number): number {
    const record = this.#find(node, sku)
    return record === 0 ? 0 : this.#cells[record + availableAt]!
  }

  set(node: number, sku: number, available: number): void {
    const record = this.#find(node, sku) || (available === 0 ? 0 : this.#add(node, sku))
    if (record === 0) return
    const old = Atomics.exchange(this.#cells, record + availableAt, available)
    this.#moveTotal(sku, old, available)
  }

  add(node: number, sku: number, change: number): void {
    const record = this.#find(node, sku) || this.#add(node, sku)
    if (record === 0) return
    const old = Atomics.add(this.#cells, record + availableAt, change)
    this.#moveTotal(sku, old, old + change)
  }

  /** The sum over all nodes that have any; at least that, while another thread changes a figure. */
  anywhere(sku: number): number {
    return sku < this.shape.columns ? this.#cells[1 + sku]! : 0
  }

  /** Every node that ever had a figure of the SKU, and its units: a node that is missing has nothing. Good until the next question. */
  holdersOf(sku: number): Holders {
    if (sku >= this.shape.columns) return noHolders
    const cells = this.#cells
    const { nodes, records } = this.#readChain(sku)
    return { numbers: nodes, unitsAt: (at) => cells[records[at]! + availableAt]! }
  }

  /** The same as `get`, for who asks about many nodes. Good until the next question. */
  unitsOf(sku: number): (node: number) => number {
    if (sku >= this.shape.columns) return () => 0
    const cells = this.#cells
    const { places, bits } = this.#readChain(sku)
    return (node) => {
      if (node < placedMax) {
        const record = node < places.length ? places[node]! : 0
        return record === 0 ? 0 : cells[record + availableAt]!
      }
      return (bits[node >>> 5]! >>> (node & 31)) & 1 ? this.get(node, sku) : 0
    }
  }

  #readChain(sku: number): ReadChain {
    const head = Atomics.load(this.#cells, this.#chainsAt + sku)
    const read = this.#read[sku] ?? {
      head: 0,
      nodes: [],
      records: [],
      places: new Int32Array(0),
      bits: new Uint32Array(0),
    }
    this.#read[sku] = read
    for (let at = head; at !== read.head; at = this.#cells[this.#record(at) + nextOfSkuAt]!) {
      const record = this.#record(at)
      const node = this.#cells[record + nodeAt]!
      read.nodes.push(node)
      read.records.push(record)
      if (node < placedMax) {
        if (node >= read.places.length) read.places = longer(read.places, node)
        read.places[node] = record
      } else {
        if (node >>> 5 >= read.bits.length) read.bits = longer(read.bits, node >>> 5)
        read.bits[node >>> 5]! |= 1 << (node & 31)
      }
    }
    read.head = head
    return read
  }

  #moveTotal(sku: number, old: number, now: number): void {
    const change = Math.max(0, now) - Math.max(0, old)
    if (change !== 0) Atomics.add(this.#cells, 1 + sku, change)
  }

  /** Where the record of a number begins. */
  #record(number: number): number {
    return this.#recordsAt + number * recordSize
  }

  #bucket(node: number, sku: number): number {
    const mixed = Math.imul(node, 0x9e3779b1) ^ Math.imul(sku, 0x85ebca6b)
    return this.#bucketsAt + ((mixed ^ (mixed >>> 15)) & (this.shape.buckets - 1))
  }

  /** Where it begins; 0 when there is none. */
  #find(node: number, sku: number): number {
    return this.#findUpTo(node, sku, Atomics.load(this.#cells, this.#bucket(node, sku)), 0)
  }

  #findUpTo(node: number, sku: number, from: number, end: number): number {
    const cells = this.#cells
    for (let at = from; at !== end; ) {
      const record = this.#record(at)
      if (cells[record + nodeAt] === node && cells[record + skuAt] === sku) return record
      at = cells[record + nextInBucketAt]!
    }
    return 0
  }

  /** 0 for a SKU that came after these availability were laid out, and when they are full: no stock to speak of yet. */
  #add(node: number, sku: number): number {
    if (sku >= this.shape.columns || Atomics.load(this.#cells, 0) >= this.#recordsMax) return 0
    const number = Atomics.add(this.#cells, 0, 1) + 1
    // Others took the last ones at the same moment.
    if (number > this.#recordsMax) return 0
    const cells = this.#cells
    const record = this.#record(number)
    cells[record + skuAt] = sku
    cells[record + nodeAt] = node
    const bucket = this.#bucket(node, sku)
    for (let seen = 0; ; ) {
      const first = Atomics.load(cells, bucket)
      // Another thread may add the same: the first record in the bucket counts. The other record stays unused.
      const others = this.#findUpTo(node, sku, first, seen)
      if (others !== 0) return others
      seen = first
      cells[record + nextInBucketAt] = first
      if (Atomics.compareExchange(cells, bucket, first, number) === first) break
    }
    const chain = this.#chainsAt + sku
    for (;;) {
      const first = Atomics.load(cells, chain)
      cells[record + nextOfSkuAt] = first
      if (Atomics.compareExchange(cells, chain, first, number) === first) return record
    }
  }
}

function columnsFor(skus: number): number {
  return Math.ceil(skus * headroom) + spareColumns
}
