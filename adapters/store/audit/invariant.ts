/** One promise that a database can show, as a query that gives the rows that break it. */
export interface Invariant {
  readonly name: string
  /** Gives ids and figures only, never what a buyer is called or where he lives. */
  readonly query: string
  /**
   * A quick look at the same promise: one row, whose `holds` says whether the query above would find nothing. Given where
   * to name the broken rows takes many times as long as to see that there are none.
   */
  readonly glance?: string
}

/**
 * How old something has to be before it is wrong: other processes may be in the middle of it. Nothing in a settled
 * database is.
 */
export const grace = `current_setting('paidan.grace')::interval`

/**
 * The sum over a bag of (keys, quantity) of a number that is as good as random for each key: two bags with one sum are
 * the same bag. By chance two different ones have it once in 2^64 looks; the sum is numeric, so it does not overflow.
 * `of`: a bigint that is part of the key.
 */
export function bagSum(keys: readonly string[], quantity: string, of = '0'): string {
  const hash = keys.reduceRight((rest, key) => `hashtextextended(${key}, ${rest})`, `hashint8extended(${of}, 0)`)
  return `coalesce(sum(${hash}::numeric * (${quantity})), 0)`
}

/** The same for what is named by an order's id and a small number within it. */
export function numberedSum(id: string, number: string, quantity: string): string {
  return `coalesce(sum(hashint8extended(${id}, ${number})::numeric * (${quantity})), 0)`
}
