import type { Transaction } from '../postgres/connect.ts'

/** What breaks a promise: ids and figures only, never what a buyer is called or where he lives. */
export type BrokenRow = Readonly<Record<string, unknown>>

/** One promise that a database can show. */
export type Invariant = QueriedInvariant | ComputedInvariant

/** As a query that gives the rows that break it. */
export interface QueriedInvariant {
  readonly name: string
  /** Gives ids and figures only, never what a buyer is called or where he lives. */
  readonly query: string
  /**
   * A quick look at the same promise: one row, whose `holds` says whether the query above would find nothing. Given
   * where to name the broken rows takes many times as long as to see that there are none.
   */
  readonly glance?: string
}

/**
 * Where a rule of the brain says what is right: what it needs is read in batches, or added up by Postgres, and put to
 * that rule.
 */
export interface ComputedInvariant {
  readonly name: string
  /** Tells of each row that breaks it. Gives what it left out, as a sentence; null: nothing. */
  readonly find: (tx: Transaction, tell: (row: BrokenRow) => void) => Promise<string | null>
}

/** The settings of one audit, which queries read. All in seconds. */
export interface AuditAges {
  /** Others may be in the middle of what is younger. 0: the database is settled. */
  readonly graceSeconds: number
  /** An event that waits longer for its decision is told. */
  readonly pendingSecondsMax: number
  /** The sweep of a running service looks at everything within this time. */
  readonly sweepSeconds: number
  /**
   * A service asks again for an order that waits for goods at least once in this time: see workers/stock/restock.ts.
   */
  readonly restockSeconds: number
}

export const agesDefault: AuditAges = {
  graceSeconds: 0,
  pendingSecondsMax: 3_600,
  // Sixty rounds of a sweep that looks every five seconds, with a backlog before it.
  sweepSeconds: 300,
  // The sweep doubles its waits up to an hour; what it asks for then has some minutes to be decided.
  restockSeconds: 4_500,
}

export function setAges(ages: AuditAges): string {
  const { graceSeconds, pendingSecondsMax, sweepSeconds, restockSeconds } = ages
  return `
    set local paidan.grace = '${graceSeconds} seconds';
    set local paidan.pending_max = '${pendingSecondsMax} seconds';
    set local paidan.sweep = '${sweepSeconds} seconds';
    set local paidan.restock = '${restockSeconds} seconds'`
}

/**
 * How old something has to be before it is wrong: other processes may be in the middle of it. Nothing in a settled
 * database is.
 */
export const grace = `current_setting('paidan.grace')::interval`

/** By then a sweep has looked, if a service runs. */
export const sweep = `current_setting('paidan.sweep')::interval`

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
