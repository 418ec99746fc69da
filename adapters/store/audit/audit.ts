/**
 * The invariants of a database: one list for tests, bench, simulation and operations. Each finds the rows that break
 * it, by a query or by a rule of the brain. The other files of this folder hold them, by what they are about; the
 * counters of Redis have three more (workers/operate/audit/counters.ts).
 *
 * To add one: write it in the file that it belongs to, and in ./audit.test.ts a way to break it. `longestFirst` below
 * needs it only when it is among the slowest over a million orders. workers/operate/audit/advice.ts needs a sentence
 * only when `--mend` does not put it right and its name alone does not say what a person has to do.
 *
 * They hold in every snapshot, also while a service is at work, apart from what takes a moment from one commit to the
 * next, or until the next round of the sweep: see AuditAges.
 */

import type { Sql, Transaction } from '../postgres/connect.ts'
import { eventInvariants } from './events.ts'
import { type AuditAges, agesDefault, type BrokenRow, type Invariant, setAges } from './invariant.ts'
import { orderInvariants } from './orders.ts'
import { returnInvariants } from './returns.ts'
import { stockInvariants } from './stock.ts'
import { taskInvariants } from './tasks.ts'

export interface Violation {
  readonly invariant: string
  readonly count: number
  /** The first few, ids and figures only. */
  readonly examples: readonly BrokenRow[]
}

export interface Checked {
  readonly invariant: string
  /** null: it holds. */
  readonly violation: Violation | null
  /** What was not looked at, as a sentence; null: all was. */
  readonly leftOut: string | null
  readonly ms: number
}

export interface AuditOptions extends Partial<AuditAges> {
  /** Connections that check at the same time, all on one snapshot; 1 when absent. */
  readonly connections?: number
  /** Only these; all when absent. */
  readonly only?: readonly string[]
  /** Told of each as soon as it is checked. */
  readonly onChecked?: (checked: Checked) => void
}

const invariants: readonly Invariant[] = [
  ...eventInvariants,
  ...orderInvariants,
  ...taskInvariants,
  ...stockInvariants,
  ...returnInvariants,
]
export const invariantNames: readonly string[] = invariants.map((i) => i.name)

/** The query that gives the rows that break one. Throws on one that no query can find. */
export function queryOf(name: string): string {
  const invariant = invariants.find((i) => i.name === name)
  if (invariant === undefined || !('query' in invariant)) throw new TypeError(`${name} has no query`)
  return invariant.query
}

/** All that breaks one, as many as `max`. */
export async function brokenRows(
  sql: Sql,
  name: string,
  max: number,
  ages: Partial<AuditAges>,
): Promise<readonly BrokenRow[]> {
  const rows: BrokenRow[] = []
  const invariant = invariants.find((i) => i.name === name)!
  await sql.begin(snapshotMode, async (tx) => {
    await prepare(tx, ages)
    if ('query' in invariant) rows.push(...(await tx.unsafe(`${invariant.query} limit ${max}`)))
    else await invariant.find(tx, (row) => void (rows.length < max && rows.push(row)))
  })
  return rows
}

/** Those that take longest first, so that several connections end together. Measured over a million orders. */
const longestFirst: readonly string[] = [
  'closed_orders_agree_anew',
  'items_carry_what_was_paid',
  'orders_sum_to_what_was_paid',
  'order_states_are_what_units_say',
  'every_order_event_is_decided',
  'every_unit_is_in_one_place',
  'tasks_hold_what_their_orders_say',
  'shipped_is_what_packages_hold',
  'tasks_of_cancelled_goods_are_called_back',
  'stock_is_what_its_movements_add_up_to',
  'each_task_holds_what_it_took',
  'parcels_are_what_packages_say',
]

const examplesMax = 5
const snapshotMode = 'isolation level repeatable read read only'
// For one sort or hash table; there may be a few a connection. What does not fit goes to disk.
const workMem = '160MB'

/** What is broken, in the order of the list; empty when all holds. Reads one snapshot of the database. */
export async function audit(sql: Sql, options: AuditOptions = {}): Promise<Violation[]> {
  return (await check(sql, options)).flatMap(({ violation }) => violation ?? [])
}

/** Every invariant with what was found, in the order of the list. */
export async function check(sql: Sql, options: AuditOptions = {}): Promise<Checked[]> {
  const { connections = 1, only = invariantNames } = options
  const left = invariants.filter((i) => only.includes(i.name)).sort((a, b) => rank(a) - rank(b))
  const done: Checked[] = []
  const failures: unknown[] = []
  const work = async (tx: Transaction): Promise<void> => {
    await prepare(tx, options)
    for (let next = left.shift(); next !== undefined && failures.length === 0; next = left.shift()) {
      const checked = await checkOne(tx, next)
      done.push(checked)
      options.onChecked?.(checked)
    }
  }
  await sql.begin(snapshotMode, async (tx) => {
    const [row] = await tx<{ snapshot: string }[]>`select pg_export_snapshot() as snapshot`
    const helpers = Array.from({ length: connections - 1 }, () => help(sql, row!.snapshot, left, work))
    for (const { ended } of helpers) ended.catch((error: unknown) => failures.push(error))
    await work(tx)
    // A helper that never got a connection would find no invariant left, so the audit does not wait for it.
    await Promise.allSettled(helpers.filter((h) => h.began()).map((h) => h.ended))
  })
  if (failures.length > 0) throw failures[0]
  const order = (c: Checked) => invariantNames.indexOf(c.invariant)
  return done.sort((a, b) => order(a) - order(b))
}

async function prepare(tx: Transaction, ages: Partial<AuditAges>): Promise<void> {
  await tx.unsafe(`
    set local statement_timeout = 0;
    set local work_mem = '${workMem}';
    set local jit = off;
    ${setAges({ ...agesDefault, ...ages })}`)
}

function help(
  sql: Sql,
  snapshot: string,
  left: readonly Invariant[],
  work: (tx: Transaction) => Promise<void>,
): { readonly began: () => boolean; readonly ended: Promise<unknown> } {
  let began = false
  const ended = sql.begin(snapshotMode, async (tx) => {
    if (left.length === 0) return
    began = true
    await tx.unsafe(`set transaction snapshot '${snapshot}'`)
    await work(tx)
  })
  return { began: () => began, ended }
}

async function checkOne(tx: Transaction, invariant: Invariant): Promise<Checked> {
  const started = performance.now()
  const { name } = invariant
  const checked = (violation: Violation | null, leftOut: string | null = null): Checked => {
    return { invariant: name, violation, leftOut, ms: performance.now() - started }
  }
  if (!('query' in invariant)) {
    const examples: BrokenRow[] = []
    let count = 0
    const leftOut = await invariant.find(tx, (row) => {
      count += 1
      if (examples.length < examplesMax) examples.push(row)
    })
    return checked(count === 0 ? null : { invariant: name, count, examples }, leftOut)
  }
  const { query, glance } = invariant
  if (glance !== undefined) {
    const [seen] = await tx.unsafe<{ holds: boolean | null }[]>(glance)
    if (seen!.holds === true) return checked(null)
  }
  const rows = await tx.unsafe(
    `with broken as (${query}) select *, count(*) over () as broken_rows from broken limit ${examplesMax}`,
  )
  if (rows.length === 0) return checked(null)
  const examples = rows.map(({ broken_rows: _, ...row }) => row)
  return checked({ invariant: name, count: Number(rows[0]!.broken_rows), examples })
}

function rank({ name }: Invariant): number {
  const at = longestFirst.indexOf(name)
  return at === -1 ? longestFirst.length : at
}
