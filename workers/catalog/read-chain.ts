/** What a thread keeps of the chains of availability that it has read. */

// Room for nodes that come next, before a row is laid out anew.
const headroom = 1.25

/** The nodes of a SKU as far as its chain was read. */
export interface ReadChain {
  head: number
  readonly nodes: number[]
  /** Where the record of each begins. */
  readonly records: number[]
  /** By node number: where its record begins, 0 when it has none. As far as `placedMax`. */
  places: Int32Array
  /** One bit a node number, for those beyond. */
  bits: Uint32Array
}

/** The number of nodes whose places are kept for each SKU: 4 KiB. In a larger network most SKUs lie at few nodes, which a bit tells. */
export const placedMax = 1_024

export function longer<Words extends Int32Array | Uint32Array>(words: Words, last: number): Words {
  const more = new (words.constructor as new (length: number) => Words)(Math.ceil((last + 1) * headroom))
  more.set(words)
  return more
}
