/**
 * One transaction a batch of decisions: orders, tasks, stock, movements, traces, and the events that they settle.
 *
 * Postgres disposes: an order that changed since it was read, an event that another process settled, a stock row that
 * has less than Redis promised, or a stock epoch that is over make the outcome; nothing of a refused order is written.
 * Locks are taken in one order everywhere: orders, tasks, events, nodes, stock, what is due, each by key.
 */

import { isDueAfter } from '../../../router/reconcile.ts'
import type { NewTask, NodeDelta, Release } from '../../../router/stock.ts'
import type { Task } from '../../../router/task.ts'
import type { Order } from '../../../router/types.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { jsonColumn, jsonText, textColumn } from '../postgres/json-text.ts'
import { together } from '../postgres/together.ts'
import { epochLock } from '../stock/epoch.ts'
import { moveStock } from '../stock/move-stock.ts'
import { replaceBackorders } from './backorders.ts'
import { markDue } from './mark-due.ts'
import { orderBody } from './order-row.ts'

export interface DecisionWrite {
  /** The pending events that this settles. */
  readonly seqs: readonly string[]
  /** As it was read; version 0 when it is new. */
  readonly before: Order
  /** As it is to be; the same object as `before` when nothing changes. */
  readonly order: Order
  readonly tasksBefore: readonly Task[]
  readonly tasks: readonly Task[]
  readonly newTasks: readonly NewTask[]
  readonly releases: readonly Release[]
  readonly records: readonly { readonly seq: string; readonly outcome: string; readonly trace: unknown }[]
  readonly problems: readonly { readonly kind: string; readonly ref: string; readonly detail: unknown }[]
  readonly shipBy: number | null
}

export type CommitOutcome =
  | {
      readonly outcome: 'committed'
      /** Indexes of writes that were refused, since the order or a task of it had changed meanwhile. */
      readonly conflicts: readonly number[]
      /** What Redis has to be told. */
      readonly deltas: readonly NodeDelta[]
    }
  /** Nothing was written: these have less than was to be reserved. */
  | { readonly outcome: 'stock_refused'; readonly short: readonly { readonly node: string; readonly sku: string }[] }
  /** Nothing was written: reservations of this epoch are void. */
  | { readonly outcome: 'stale_epoch'; readonly epoch: number }
  /** Nothing was written: some event was settled by somebody else. */
  | { readonly outcome: 'settled_elsewhere' }

class Rollback extends Error {
  readonly result: CommitOutcome
  constructor(result: CommitOutcome) {
    super('rolled back on purpose')
    this.result = result
  }
}

export async function commitDecisions(
  sql: Sql,
  epoch: number,
  writes: readonly DecisionWrite[],
): Promise<CommitOutcome> {
  try {
    return (await sql.begin(async (tx) => await commit(tx, epoch, writes))) as CommitOutcome
  } catch (error) {
    if (error instanceof Rollback) return error.result
    throw error
  }
}

async function commit(tx: Transaction, epoch: number, writes: readonly DecisionWrite[]): Promise<CommitOutcome> {
  const [conflicts] = await together([findConflicts(tx, writes), checkEpoch(tx, epoch)])
  const kept = writes.filter((_, i) => !conflicts.has(i))
  if (kept.length === 0) return { outcome: 'committed', conflicts: [...conflicts], deltas: [] }
  const [, deltas] = await together([
    settleEvents(tx, kept),
    takeAndGiveStock(tx, kept),
    updateOrders(tx, kept),
    insertTasks(tx, kept),
    updateTasks(tx, kept),
    insertRecords(tx, kept),
    replaceBackorders(tx, kept),
    raiseProblems(tx, kept),
  ])
  // Behind the stock's locks, and not among them: a ship holds its stock when it marks, and a bill several marks.
  await markDue(
    tx,
    kept.filter((w) => w.order !== w.before && isDueAfter(w.before, w.order)).map((w) => w.order.id),
  )
  return { outcome: 'committed', conflicts: [...conflicts], deltas }
}

async function takeAndGiveStock(tx: Transaction, writes: readonly DecisionWrite[]): Promise<readonly NodeDelta[]> {
  const newTasks = writes.flatMap((w) => w.newTasks)
  const releases = writes.flatMap((w) => w.releases)
  const moved = await moveStock(tx, newTasks, releases)
  if (moved.outcome === 'stock_refused') throw new Rollback(moved)
  return moved.deltas
}

async function checkEpoch(tx: Transaction, epoch: number): Promise<void> {
  // First the lock, then, in a statement of its own, a look: nobody raises the epoch any more until we are done.
  const [, [row]] = await together([
    tx`select pg_advisory_xact_lock_shared(${epochLock})`,
    tx<{ epoch: string }[]>`select epoch from stock_epoch`,
  ])
  if (Number(row!.epoch) !== epoch) throw new Rollback({ outcome: 'stale_epoch', epoch: Number(row!.epoch) })
}

async function findConflicts(tx: Transaction, writes: readonly DecisionWrite[]): Promise<Set<number>> {
  const isNew = writes.filter((w) => w.before.version === 0 && w.order !== w.before)
  const known = writes.filter((w) => w.before.version > 0)
  const ids = known.map((w) => w.before.id)
  const [inserted, versions, tasks] = await together([
    insertOrders(tx, isNew),
    ids.length === 0
      ? []
      : tx<{ id: string; version: number }[]>`
          select id, version from orders where id = any(${ids}::bigint[]) order by id for update`,
    ids.length === 0
      ? []
      : tx<{ task_id: string; state: string; fence: number; intercept_requested: boolean; shipped: string }[]>`
          select task_id, state, fence, intercept_requested, lines::text as shipped from task
          where order_id = any(${ids}::bigint[]) order by task_id for update`,
  ])
  const versionOf = new Map(versions.map((r) => [r.id, r.version]))
  const taskOf = new Map(tasks.map((r) => [r.task_id, r]))
  const conflicts = new Set<number>()
  writes.forEach((write, i) => {
    const { before } = write
    const changedMeanwhile =
      before.version === 0
        ? write.order !== before && !inserted.has(before.id)
        : versionOf.get(before.id) !== before.version ||
          write.tasksBefore.some((t) => !isSameTask(t, taskOf.get(t.taskId)))
    if (changedMeanwhile) conflicts.add(i)
  })
  return conflicts
}

function isSameTask(
  task: Task,
  row: { state: string; fence: number; intercept_requested: boolean; shipped: string } | undefined,
): boolean {
  if (row === undefined || row.state !== task.state || row.intercept_requested !== task.interceptRequested) return false
  const shipped = (JSON.parse(row.shipped) as Task['lines']).map((l) => l.shipped)
  return row.fence === task.fence && task.lines.every((l, i) => l.shipped === shipped[i])
}

async function insertOrders(tx: Transaction, writes: readonly DecisionWrite[]): Promise<Set<string>> {
  if (writes.length === 0) return new Set()
  // In key order: two processes that know the same orders by different ids must meet in one direction.
  const orders = writes
    .map((w) => w.order)
    .sort((a, b) => compare(a.channel, b.channel) || compare(a.shop, b.shop) || compare(a.orderId, b.orderId))
  const inserted = await tx<{ id: string }[]>`
    insert into orders (id, channel, shop, order_id, version, state, transaction_id, body, items, allocations)
    select id::bigint, channel, shop, order_id, version::int, state, nullif(transaction_id, ''), body, items::jsonb,
      allocations::jsonb
    from ${orderRows(tx, orders)}
    on conflict do nothing returning id`
  return new Set(inserted.map((r) => r.id))
}

async function updateOrders(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const orders = writes.filter((w) => w.before.version > 0 && w.order !== w.before).map((w) => w.order)
  if (orders.length === 0) return
  await tx`
    update orders o set version = r.version::int, state = r.state, transaction_id = nullif(r.transaction_id, ''),
      body = r.body, items = r.items::jsonb, allocations = r.allocations::jsonb, updated_at = now()
    from ${orderRows(tx, orders)}
    where o.id = r.id::bigint`
}

/** Columns of `orders` under the name r, all of them text. */
function orderRows(tx: Transaction, orders: readonly Order[]) {
  const column = (read: (order: Order) => string | number | null) => unnested(tx, textColumn(orders.map(read)))
  return tx`
    rows from (
      ${column((o) => o.id)}, ${column((o) => o.channel)}, ${column((o) => o.shop)}, ${column((o) => o.orderId)},
      ${column((o) => o.version)}, ${column((o) => o.state)}, ${column((o) => o.snapshot?.transactionId ?? null)},
      ${unnested(tx, jsonColumn(orders.map(orderBody)))}, ${unnested(tx, jsonColumn(orders.map((o) => o.items)))},
      ${unnested(tx, jsonColumn(orders.map((o) => o.allocations)))}
    ) as r (id, channel, shop, order_id, version, state, transaction_id, body, items, allocations)`
}

/** A column of ./json-text.ts as a set of texts. */
function unnested(tx: Transaction, column: string) {
  return tx`unnest(string_to_array(${column}::text, chr(30)))`
}

async function insertTasks(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const rows = writes.flatMap((w) => w.newTasks.map(({ task }) => ({ task, orderId: w.order.id, shipBy: w.shipBy })))
  if (rows.length === 0) return
  const column = (read: (row: (typeof rows)[number]) => string | number | null) =>
    unnested(tx, textColumn(rows.map(read)))
  await tx`
    insert into task (task_id, order_id, node, state, lines, ship_by)
    select id, order_id::bigint, node, 'ready', lines::jsonb, nullif(ship_by, '')::bigint
    from rows from (
      ${column((r) => r.task.taskId)}, ${column((r) => r.orderId)}, ${column((r) => r.task.node)},
      ${unnested(tx, jsonColumn(rows.map((r) => r.task.lines)))}, ${column((r) => r.shipBy)}
    ) as r (id, order_id, node, lines, ship_by)`
}

async function updateTasks(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const rows = writes.flatMap((w) =>
    w.tasks
      .filter((t, i) => t !== w.tasksBefore[i])
      .map((t) => ({ id: t.taskId, state: t.state, intercept: t.interceptRequested, lines: t.lines })),
  )
  if (rows.length === 0) return
  // Where nothing left of it, what had been asked for is kept to be read.
  await tx`
    update task set state = r.state, intercept_requested = r.intercept, updated_at = now(),
      lines = case when r.state = 'cancelled' then task.lines else r.lines end
    from json_to_recordset(${jsonText(rows)}::text::json) as r (id text, state text, intercept boolean, lines jsonb)
    where task.task_id = r.id`
}

async function insertRecords(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const records = writes.flatMap((w) => w.records.map((r) => ({ ...r, id: w.order.id, version: w.order.version })))
  if (records.length === 0) return
  const column = (read: (record: (typeof records)[number]) => string | number) =>
    unnested(tx, textColumn(records.map(read)))
  await tx`
    insert into decision (order_id, version, seq, outcome, trace)
    select id::bigint, version::int, seq::bigint, outcome, trace
    from rows from (
      ${column((r) => r.id)}, ${column((r) => r.version)}, ${column((r) => r.seq)}, ${column((r) => r.outcome)},
      ${unnested(tx, jsonColumn(records.map((r) => r.trace)))}
    ) as r (id, version, seq, outcome, trace)`
}

async function raiseProblems(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const rows = writes.flatMap((w) =>
    w.problems.map((p) => ({ order: w.before.version === 0 && w.order === w.before ? null : w.order.id, ...p })),
  )
  if (rows.length === 0) return
  await tx`
    insert into exception (kind, ref, order_id, detail)
    select distinct on (kind, ref) kind, ref, "order", detail
    from json_to_recordset(${jsonText(rows)}::text::json) as r (kind text, ref text, "order" bigint, detail jsonb)
    on conflict do nothing`
}

async function settleEvents(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const seqs = writes.flatMap((w) => w.seqs)
  const settled = await tx`delete from pending where seq = any(${seqs}::bigint[]) returning seq`
  if (settled.length !== seqs.length) throw new Rollback({ outcome: 'settled_elsewhere' })
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
