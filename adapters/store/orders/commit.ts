/**
 * One transaction a batch of decisions: orders, tasks, stock, movements, traces, and the events that they settle.
 *
 * Postgres has the last word. An order that changed since it was read is refused alone. When another process settled
 * one of the events, a stock row has less than Redis promised, or the stock epoch is over, the whole batch is refused.
 * Nothing that is refused is written. Locks are taken in one order everywhere: orders, tasks, events, nodes, stock,
 * what is due, each by key.
 */

import { isDueAfter } from '../../../router/reconcile.ts'
import type { NewTask, NodeDelta, Release } from '../../../router/stock.ts'
import type { Task } from '../../../router/task.ts'
import type { Order, StockKey } from '../../../router/types.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { jsonColumn, jsonText, textColumn } from '../postgres/json-text.ts'
import { together } from '../postgres/together.ts'
import { epochLock } from '../stock/epoch.ts'
import { moveStock } from '../stock/move-stock.ts'
import { replaceBackorders } from './backorders.ts'
import { markDue } from './mark-due.ts'
import { insertOrders, insertTasks, type TaskToInsert, unnested, updateOrders, updateTasks } from './write-orders.ts'

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
  | { readonly outcome: 'stock_refused'; readonly short: readonly StockKey[] }
  /** Nothing was written: reservations of this epoch are void. */
  | { readonly outcome: 'stale_epoch'; readonly epoch: number }
  /** Nothing was written: another transaction settled one of the events. */
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
    updateOrders(tx, changedOrders(kept)),
    insertTasks(tx, kept.flatMap(tasksToInsert)),
    updateTasks(tx, kept.flatMap(changedTasks)),
    insertRecords(tx, kept),
    replaceBackorders(tx, kept),
    raiseProblems(tx, kept),
  ])
  // Last, after all locks of stock rows. A shipment holds stock rows when it marks its order, and a bill holds several
  // marks: with marks that are set earlier here, the three could wait for each other in a circle.
  await markDue(
    tx,
    kept.filter((w) => w.order !== w.before && isDueAfter(w.before, w.order)).map((w) => w.order.id),
  )
  return { outcome: 'committed', conflicts: [...conflicts], deltas }
}

function changedOrders(writes: readonly DecisionWrite[]): Order[] {
  return writes.filter((w) => w.before.version > 0 && w.order !== w.before).map((w) => w.order)
}

function tasksToInsert({ newTasks, order, shipBy }: DecisionWrite): TaskToInsert[] {
  return newTasks.map(({ task }) => ({ task, orderId: order.id, shipBy }))
}

function changedTasks({ tasks, tasksBefore }: DecisionWrite): Task[] {
  return tasks.filter((task, i) => task !== tasksBefore[i])
}

async function takeAndGiveStock(tx: Transaction, writes: readonly DecisionWrite[]): Promise<readonly NodeDelta[]> {
  const newTasks = writes.flatMap((w) => w.newTasks)
  const releases = writes.flatMap((w) => w.releases)
  const moved = await moveStock(tx, newTasks, releases)
  if (moved.outcome === 'stock_refused') throw new Rollback(moved)
  return moved.deltas
}

async function checkEpoch(tx: Transaction, epoch: number): Promise<void> {
  // First the lock, then, in a statement of its own, the look: no process raises the epoch until this transaction ends.
  const [, [row]] = await together([
    tx`select pg_advisory_xact_lock_shared(${epochLock})`,
    tx<{ epoch: string }[]>`select epoch from stock_epoch`,
  ])
  if (Number(row!.epoch) !== epoch) throw new Rollback({ outcome: 'stale_epoch', epoch: Number(row!.epoch) })
}

async function findConflicts(tx: Transaction, writes: readonly DecisionWrite[]): Promise<Set<number>> {
  const added = writes.filter((w) => w.before.version === 0 && w.order !== w.before).map((w) => w.order)
  const known = writes.filter((w) => w.before.version > 0)
  const ids = known.map((w) => w.before.id)
  const [inserted, versions, tasks] = await together([
    insertOrders(tx, added),
    ids.length === 0
      ? []
      : tx<{ id: string; version: number }[]>`
          select id, version from orders where id = any(${ids}::bigint[]) order by id for update`,
    ids.length === 0
      ? []
      : tx<TaskNow[]>`
          select task_id, state, intercept_requested, lines::text as shipped from task
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

interface TaskNow {
  readonly task_id: string
  readonly state: string
  readonly intercept_requested: boolean
  readonly shipped: string
}

/**
 * In all that a decision reads of a task. The fence is no part of it: a task that was pulled again is the same to a
 * decision, and what the decision asks reaches the owner that the task has now.
 */
function isSameTask(task: Task, row: TaskNow | undefined): boolean {
  if (row === undefined || row.state !== task.state || row.intercept_requested !== task.interceptRequested) return false
  const shipped = (JSON.parse(row.shipped) as Task['lines']).map((l) => l.shipped)
  return task.lines.every((l, i) => l.shipped === shipped[i])
}

async function insertRecords(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const records = writes.flatMap((w) => w.records.map((r) => ({ ...r, id: w.order.id, version: w.order.version })))
  if (records.length === 0) return
  const column = (read: (record: (typeof records)[number]) => string | number) =>
    unnested(tx, textColumn(records.map(read)))
  // One instant for all: the entries of one decision are told from later looks at the same version by it.
  await tx`
    with written as materialized (select clock_timestamp() as at)
    insert into decision (order_id, version, seq, at, outcome, trace)
    select id::bigint, version::int, seq::bigint, written.at, outcome, trace
    from written, rows from (
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
