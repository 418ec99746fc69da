/**
 * One batch of decisions: everything is looked at before anything is written, so that it is all or nothing. See
 * ../orders/commit.ts, whose meaning this has.
 */

import { isDueAfter } from '../../../router/reconcile.ts'
import { changesOf } from '../../../router/stock.ts'
import type { Task } from '../../../router/task.ts'
import type { StockKey } from '../../../router/types.ts'
import type { CommitOutcome, DecisionWrite } from '../orders/commit.ts'
import { keyOf } from '../orders/load.ts'
import { replaceBackorders } from './backorders.ts'
import { markDue } from './due.ts'
import { openUnlessOpen } from './exceptions.ts'
import { moveStock, settleGone, shortOf } from './move-stock.ts'
import { compare, type Tables } from './tables.ts'

/** `createdAt`: the number of the transaction; tasks of one transaction have one age. */
export function commitDecisions(
  tables: Tables,
  epoch: number,
  writes: readonly DecisionWrite[],
  createdAt: number,
  nowMs: number,
): CommitOutcome {
  const conflicts = writes.flatMap((write, i) => (isConflict(tables, write) ? [i] : []))
  if (tables.epoch !== epoch) return { outcome: 'stale_epoch', epoch: tables.epoch }
  const kept = writes.filter((_, i) => !conflicts.includes(i))
  if (kept.length === 0) return { outcome: 'committed', conflicts, deltas: [] }
  const seqs = kept.flatMap((w) => w.seqs)
  if (new Set(seqs).size < seqs.length || seqs.some((seq) => !tables.pending.has(seq)))
    return { outcome: 'settled_elsewhere' }
  const newTasks = kept.flatMap((w) => w.newTasks)
  const releases = kept.flatMap((w) => w.releases)
  const changes = changesOf(newTasks, releases)
  settleGone(tables, changes)
  const short = shortOf(tables, changes)
  if (short.length > 0) return { outcome: 'stock_refused', short: inKeyOrder(short) }
  for (const seq of seqs) tables.pending.delete(seq)
  const deltas = moveStock(tables, changes, newTasks, releases, nowMs)
  for (const write of kept) writeOne(tables, write, createdAt, nowMs)
  replaceBackorders(tables, kept)
  markDue(
    tables,
    kept.filter((w) => w.order !== w.before && isDueAfter(w.before, w.order)).map((w) => w.order.id),
  )
  return { outcome: 'committed', conflicts, deltas }
}

function inKeyOrder(short: readonly StockKey[]) {
  const rows = short.map(({ node, sku }) => ({ node, sku }))
  return rows.sort((a, b) => compare(a.node, b.node) || compare(a.sku, b.sku))
}

function isConflict(tables: Tables, { before, order, tasksBefore }: DecisionWrite): boolean {
  if (before.version === 0) return order !== before && tables.idByKey.has(keyOf(before))
  if (tables.orders.get(before.id)?.version !== before.version) return true
  return tasksBefore.some((task) => !isSameTask(task, tables.tasks.get(task.taskId)?.task))
}

function isSameTask(task: Task, now: Task | undefined): boolean {
  return (
    now !== undefined &&
    now.state === task.state &&
    now.interceptRequested === task.interceptRequested &&
    task.lines.every((l, i) => l.shipped === now.lines[i]?.shipped)
  )
}

function writeOne(tables: Tables, write: DecisionWrite, createdAt: number, nowMs: number): void {
  const { before, order, tasksBefore, tasks, newTasks, records, problems, shipBy } = write
  if (order !== before) {
    tables.orders.set(order.id, order)
    tables.idByKey.set(keyOf(order), order.id)
  }
  for (const { task } of newTasks) {
    const row = {
      task,
      orderId: order.id,
      createdAt,
      createdAtMs: nowMs,
      shipBy,
      leaseUntilMs: null,
      packages: [],
      putRight: [],
      reason: null,
    }
    tables.tasks.set(task.taskId, row)
    tables.tasksOf.set(order.id, [...(tables.tasksOf.get(order.id) ?? []), row])
  }
  tasks.forEach((task, i) => {
    if (task === tasksBefore[i]) return
    const row = tables.tasks.get(task.taskId)!
    const { state, interceptRequested, notBefore, change } = task
    // Where nothing left of it, what had been asked for is kept to be read.
    row.task = {
      ...row.task,
      state,
      interceptRequested,
      notBefore,
      change,
      lines: state === 'cancelled' ? row.task.lines : task.lines,
    }
  })
  for (const { seq, outcome } of records) {
    tables.decisions.push({ orderId: order.id, version: order.version, seq, outcome })
  }
  const orderId = before.version === 0 && order === before ? null : order.id
  for (const { kind, ref, detail } of problems) openUnlessOpen(tables, { kind, ref, orderId, detail }, nowMs)
}
