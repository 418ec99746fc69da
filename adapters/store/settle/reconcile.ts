/** Reads what the three-way match needs, and writes what it found: reconciliation, exceptions, the order's state. */

import type { BillProgress, BillRow } from '../../../router/bill.ts'
import { type PutRight, voidedPackages } from '../../../router/parcels.ts'
import type { TimedReconciliation } from '../../../router/reconcile/expectations.ts'
import type { ReconcileInput, ShippedTask } from '../../../router/reconcile/types.ts'
import type { Return } from '../../../router/returns/types.ts'
import type { Package, TaskLine, TaskState } from '../../../router/task.ts'
import { readSaid, type Said } from '../exception-acts.ts'
import { type OrderRow, orderFromRow } from '../orders/order-row.ts'
import { keyedPlans, type Queryable, type Sql, type Transaction } from '../postgres/connect.ts'
import { jsonText } from '../postgres/json-text.ts'
import { returnsOf } from '../returns/read.ts'
import { compareIds } from './due.ts'
import { writeExceptions } from './found.ts'
import { push, readTracks } from './read-tracks.ts'

export interface ReconcileLoad {
  readonly input: ReconcileInput
  /** It has a reconciliation row, locked by this transaction. */
  readonly entered: boolean
  /** By the clock that `dueOrders` goes by. Epoch milliseconds. */
  readonly nowMs: number
}

/**
 * Locks the orders in order of id, then their reconciliation rows, and only then reads the rest: whatever is committed
 * later finds the row unlocked again and marks it due. Unknown ids are absent. `look` locks nothing.
 */
export async function loadForReconcile(
  tx: Transaction,
  orderIds: readonly string[],
  lock: 'lock' | 'look' = 'lock',
): Promise<ReconcileLoad[]> {
  const locked = lock === 'lock' ? tx`for update` : tx``
  const nowMs = await byKeys(tx)
  const orders = await tx<OrderRow[]>`
    select id, channel, shop, order_id, version, state, body::json, items, allocations
    from orders where id = any(${orderIds as string[]}::bigint[]) order by id ${locked}`
  const ids = orders.map((row) => row.id)
  if (ids.length === 0) return []
  const entered = await tx<{ id: string }[]>`
    select order_id as id from reconciliation where order_id = any(${ids}::bigint[]) order by order_id ${locked}`
  const tasks = await readTasks(tx, ids)
  const tracks = await readTracks(tx, [...tasks.values()].flat().flatMap(waybillsOf))
  const bills = await readBills(tx, ids)
  const said = await readSaid(tx, ids)
  const returns = await returnsOf(tx, ids)
  const known = new Set(entered.map((row) => row.id))
  return orders.map((row) => {
    const own = tasks.get(row.id) ?? []
    const ownTracks = own.flatMap((task) => waybillsOf(task).flatMap((waybill) => tracks.get(waybill) ?? []))
    const input = {
      order: orderFromRow(row),
      tasks: own,
      tracks: [...new Set(ownTracks)],
      bills: bills.get(row.id) ?? [],
      ...returnsInInput(returns.get(row.id)),
      ...saidInInput(said.get(row.id)),
    }
    return { input, entered: known.has(row.id), nowMs }
  })
}

/** Absent where no parcel was voided, as of nearly every task. */
export function voidedInInput(known: readonly PutRight[]): Pick<ShippedTask, 'voided'> {
  const voided = voidedPackages(known)
  return voided.length === 0 ? {} : { voided }
}

/** Of parcels that left, and of those that were to have left. */
export function waybillsOf({ packages, voided = [] }: Pick<ShippedTask, 'packages' | 'voided'>): string[] {
  return [...packages, ...voided].map((parcel) => parcel.waybill)
}

export function returnsInInput(returns: readonly Return[] = []): Pick<ReconcileInput, 'returns'> {
  return returns.length === 0 ? {} : { returns }
}

/** Absent where nobody said anything, as of nearly every order. */
export function saidInInput(said: Said | undefined): Pick<ReconcileInput, 'accepted' | 'writeOffs'> {
  return {
    ...(said === undefined || said.accepted.length === 0 ? {} : { accepted: said.accepted }),
    ...(said === undefined || said.writeOffs.length === 0 ? {} : { writeOffs: said.writeOffs }),
  }
}

/**
 * Every read and every join of the transaction is by key (see `keyedPlans`). A table that grew since it was last analysed
 * must not be read whole for 200 orders: its index neither, which a hash join or a merge join would do. Gives the time.
 */
async function byKeys(tx: Transaction): Promise<number> {
  const names = Object.keys(keyedPlans)
  const values = Object.values(keyedPlans)
  const [row] = await tx<{ nowMs: number }[]>`
    select floor(extract(epoch from now()) * 1000)::float8 as "nowMs", count(set_config(name, value, true))
    from unnest(${names}::text[], ${values}::text[]) as given (name, value)`
  return row!.nowMs
}

async function readTasks(tx: Queryable, orderIds: string[]): Promise<Map<string, ShippedTask[]>> {
  const rows = await tx<
    {
      order_id: string
      task_id: string
      state: TaskState
      lines: TaskLine[]
      packages: Package[]
      put_right: PutRight[] | null
    }[]
  >`
    select order_id, task_id, state, lines, packages, put_right
    from task where order_id = any(${orderIds}::bigint[]) order by task_id`
  const byOrder = new Map<string, ShippedTask[]>()
  for (const { order_id, task_id, state, lines, packages, put_right } of rows) {
    push(byOrder, order_id, { taskId: task_id, state, lines, packages, ...voidedInInput(put_right ?? []) })
  }
  return byOrder
}

async function readBills(tx: Queryable, orderIds: string[]): Promise<Map<string, BillRow[]>> {
  const rows = await tx<(Omit<BillRow, 'progress'> & { of: string; progress: BillProgress | null })[]>`
    select o.id as of, b.ref, b.kind, b.channel, b.shop, b.order_id as "orderId",
      b.transaction_id as "transactionId", b.amount_fen as "amountFen", b.fee_fen as "feeFen",
      b.occurred_at as "occurredAt", b.progress
    from (select id, channel, shop, order_id, transaction_id from orders where id = any(${orderIds}::bigint[])) o
    cross join lateral (
      (select * from bill_row where channel = o.channel and shop = o.shop and order_id = o.order_id offset 0)
      union
      (select * from bill_row where transaction_id = o.transaction_id offset 0)
    ) b order by b.id`
  const byOrder = new Map<string, BillRow[]>()
  for (const { of, progress, ...row } of rows) {
    const numbers = { amountFen: Number(row.amountFen), feeFen: Number(row.feeFen), occurredAt: Number(row.occurredAt) }
    push(byOrder, of, { ...row, ...numbers, ...(progress === null ? {} : { progress }) })
  }
  return byOrder
}

export interface ReconcileResult {
  readonly orderId: string
  /** The order's version before; a change of state makes it one more. */
  readonly version: number
  readonly entered: boolean
  readonly reconciliation: TimedReconciliation
  /** When it has to be matched again though nothing happens to it; null: never. */
  readonly dueAt: number | null
  readonly change: 'closed' | 'reopened' | null
}

// Two that lock the same orders in other directions: Postgres ends one of them, which then goes again.
const attemptsMax = 5

/**
 * In one transaction that holds the orders' rows, as decisions do: what is known of each goes to `resultOf`, and what it gives
 * is written; null leaves an order as it is. Throws when Postgres is away.
 */
export async function reconcileTogether(
  sql: Sql,
  orderIds: readonly string[],
  resultOf: (load: ReconcileLoad) => ReconcileResult | null,
): Promise<ReconcileResult[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await sql.begin(async (tx) => {
        const loads = await loadForReconcile(tx, orderIds)
        const results = loads.map(resultOf).filter((result) => result !== null)
        await saveReconciliations(tx, results)
        return results
      })
    } catch (error) {
      const deadlocked = (error as { code?: unknown }).code === '40P01'
      if (!deadlocked || attempt === attemptsMax) throw error
    }
  }
}

/** In the transaction of the load. Written again with the same results, it changes nothing. */
export async function saveReconciliations(tx: Transaction, results: readonly ReconcileResult[]): Promise<void> {
  if (results.length === 0) return
  const sorted = [...results].sort((a, b) => compareIds(a.orderId, b.orderId))
  await changeStates(tx, sorted)
  await writeRows(tx, sorted)
  await writeExceptions(tx, sorted)
}

async function changeStates(tx: Transaction, results: readonly ReconcileResult[]): Promise<void> {
  const changed = results.filter((result) => result.change !== null)
  if (changed.length === 0) return
  const rows = changed.map(({ orderId, version, change, reconciliation }) => ({
    id: orderId,
    version: version + 1,
    state: change === 'closed' ? 'closed' : 'shipped',
    outcome: change,
    trace: { event: 'reconcile', reconciliation },
  }))
  const text = jsonText(rows)
  await tx`
    update orders set state = given.state, version = given.version, updated_at = now()
    from json_to_recordset(${text}::text::json) as given (id bigint, version integer, state text)
    where orders.id = given.id`
  await tx`
    insert into decision (order_id, version, seq, outcome, trace)
    select id, version, 0, outcome, trace
    from json_to_recordset(${text}::text::json) as given (id bigint, version integer, outcome text, trace text)`
}

/** `version` in the detail is the order's version that was looked at: the sweep compares it. */
export function rowOf({ version, change, reconciliation }: ReconcileResult) {
  return {
    state: reconciliation.state,
    detail: { ...reconciliation, version: change === null ? version : version + 1 },
  }
}

/**
 * Where an order was not entered when the bills were read and is now, another transaction entered it because it has
 * news: that mark stays.
 */
async function writeRows(tx: Transaction, results: readonly ReconcileResult[]): Promise<void> {
  const rows = results.map((result) => {
    return { id: result.orderId, entered: result.entered, due: result.dueAt, ...rowOf(result) }
  })
  const text = jsonText(rows)
  await tx`
    insert into reconciliation (order_id, state, detail, updated_at, due_at)
    select id, state, detail, now(), to_timestamp(due / 1000.0)
    from json_to_recordset(${text}::text::json)
      as given (id bigint, state text, entered boolean, detail json, due bigint)
    where not entered order by id
    on conflict (order_id) do nothing`
  await tx`
    update reconciliation r set state = given.state, detail = given.detail, updated_at = now(),
      due_at = to_timestamp(given.due / 1000.0)
    from json_to_recordset(${text}::text::json)
      as given (id bigint, state text, entered boolean, detail json, due bigint)
    where given.entered and r.order_id = given.id
      and (r.state <> given.state or r.detail::text <> given.detail::text or r.updated_at = '-infinity'
        or r.due_at is distinct from to_timestamp(given.due / 1000.0))`
}
