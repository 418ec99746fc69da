/** A warehouse's verbs: see ../tasks/tasks.ts and ../tasks/ship.ts, whose meaning these have. */
import { stateOf } from '../../../router/order.ts'
import { asCorrected } from '../../../router/parcels.ts'
import { takenByParcel } from '../../../router/stock.ts'
import {
  accept,
  extend,
  type GivenBackAs,
  giveBack as handBack,
  isChanged,
  isInterceptLapsed,
  isOwned,
  isToldOfNews,
  mayBePulled,
  type Package,
  pulled,
  refusedClaim,
  type ShipWords,
  ship,
  type TaskRefusal,
} from '../../../router/task.ts'
import type { Order } from '../../../router/types.ts'
import type { InboxEvent } from '../inbox/event.ts'
import type { Shipped } from '../tasks/ship.ts'
import type { Accepted, Extended, PulledTask } from '../tasks/tasks.ts'
import { markDue } from './due.ts'
import { insertEvent } from './intake.ts'
import { compare, nextNodeSeq, type Tables, type TaskRow } from './tables.ts'
import { addParcels } from './tracks.ts'

export function pullTasks(
  tables: Tables,
  node: string,
  limit: number,
  leaseSeconds: number,
  nowMs: number,
): PulledTask[] {
  const isLeased = (row: TaskRow): boolean => row.leaseUntilMs !== null && row.leaseUntilMs > nowMs
  const ofNode = [...tables.tasks.values()].filter((row) => row.task.node === node)
  ofNode.sort(
    (a, b) => offeredAt(a) - offeredAt(b) || a.createdAt - b.createdAt || compare(a.task.taskId, b.task.taskId),
  )
  const flagged = ofNode.filter((row) => isToldOfNews(row.task, isLeased(row)))
  const due = ofNode.filter((row) => mayBePulled(row.task, isLeased(row), nowMs)).slice(0, limit)
  for (const row of due) {
    row.task = pulled(row.task)
    row.leaseUntilMs = nowMs + leaseSeconds * 1000
  }
  const given = new Set([...due, ...flagged])
  return ofNode.filter((row) => given.has(row)).map((row) => shown(tables, row))
}

function offeredAt({ createdAtMs, task }: TaskRow): number {
  return Math.max(createdAtMs, task.notBefore ?? 0)
}

function shown(tables: Tables, { task, orderId, leaseUntilMs, shipBy }: TaskRow): PulledTask {
  const order = tables.orders.get(orderId)!
  const { taskId, fence, state, lines, interceptRequested } = task
  return {
    ...{ taskId, fence, state, lines, intercepted: interceptRequested, leaseUntil: new Date(leaseUntilMs!) },
    ...{ channel: order.channel, shop: order.shop, orderId: order.orderId },
    change: isChanged(task) ? task.change : null,
    shipBy: shipBy === null ? null : String(shipBy),
    receiver: order.snapshot?.receiver ?? null,
    buyerMessage: order.snapshot?.buyerMessage ?? '',
  }
}

interface Owned {
  readonly row: TaskRow
  readonly order: Order
  readonly isLeased: boolean
}

function owned(
  tables: Tables,
  node: string,
  taskId: string,
  fence: number,
  nowMs: number,
): Owned | Extract<TaskRefusal, { outcome: 'unknown_task' | 'stale_fence' }> {
  const found = tables.tasks.get(taskId)
  const row = found?.task.node === node ? found : undefined
  const refused = refusedClaim(row?.task, fence)
  if (row === undefined || refused !== null) return refused ?? { outcome: 'unknown_task' }
  const isLeased = row.leaseUntilMs !== null && row.leaseUntilMs > nowMs
  return { row, order: tables.orders.get(row.orderId)!, isLeased }
}

export function acceptTask(
  tables: Tables,
  node: string,
  taskId: string,
  fence: number,
  nowMs: number,
  change?: number,
): Accepted {
  const found = owned(tables, node, taskId, fence, nowMs)
  if ('outcome' in found) return found
  const { row, isLeased } = found
  const done = accept(row.task, isLeased, change)
  if (done.outcome !== 'accepted' && done.outcome !== 'already_accepted') return done
  if (done.outcome === 'accepted') row.task = done.task
  return { outcome: done.outcome, leaseUntil: new Date(row.leaseUntilMs!) }
}

export function extendLease(
  tables: Tables,
  at: { readonly node: string; readonly taskId: string; readonly fence: number; readonly nowMs: number },
  leaseSeconds: number,
): Extended {
  const found = owned(tables, at.node, at.taskId, at.fence, at.nowMs)
  if ('outcome' in found) return found
  const { row, isLeased } = found
  const done = extend(row.task, isLeased)
  if (done.outcome !== 'extended') return done
  row.leaseUntilMs = at.nowMs + leaseSeconds * 1000
  const { interceptRequested: intercepted, state } = row.task
  const change = isChanged(row.task) ? row.task.change : null
  return { outcome: 'extended', leaseUntil: new Date(row.leaseUntilMs), intercepted, change, state }
}

/** The warehouse that pulled these hung up before it had them: they are offered again at once. */
export function endLeases(tables: Tables, tasks: readonly PulledTask[], nowMs: number): void {
  for (const { taskId, fence } of tasks) {
    const row = tables.tasks.get(taskId)
    if (row?.task.state !== 'pulled' || row.task.fence !== fence || row.task.interceptRequested) continue
    row.leaseUntilMs = nowMs
  }
}

export function shipTask(
  tables: Tables,
  at: { readonly node: string; readonly taskId: string; readonly fence: number; readonly nowMs: number },
  packages: readonly Package[],
  words: ShipWords = {},
): Shipped {
  const found = owned(tables, at.node, at.taskId, at.fence, at.nowMs)
  if ('outcome' in found) return found
  const { row, order } = found
  const named = isOwned(row.task) ? packages : packages.map((p) => asCorrected(p, row.putRight))
  const done = ship(row.task, row.packages, named, words)
  if (done.outcome === 'already_shipped')
    return { outcome: 'already_shipped', orderId: order.id, state: row.task.state, leaseUntil: leaseLeft(row) }
  if (!('task' in done)) return done
  const { task, fresh, leaving, outcome } = done
  takeFromStock(tables, at, `${at.taskId}#${row.packages.length}`, leaving)
  row.task = task
  row.packages = [...row.packages, ...fresh]
  const tasks = tables.tasksOf.get(order.id)!.map((r) => r.task)
  const version = order.version + 1
  tables.orders.set(order.id, { ...order, state: stateOf(order, tasks), version })
  tables.decisions.push({ orderId: order.id, version, seq: '0', outcome })
  addParcels(tables, { taskId: at.taskId, orderId: order.id }, fresh)
  markDue(tables, [order.id])
  return outcome === 'shipped'
    ? { outcome, orderId: order.id }
    : { outcome, orderId: order.id, leaseUntil: leaseLeft(row) }
}

/** Of a task that is still in hand. */
function leaseLeft({ task, leaseUntilMs }: TaskRow): Date | null {
  return isOwned(task) && leaseUntilMs !== null ? new Date(leaseUntilMs) : null
}

/** Redis learns of it only where a count had said that fewer are on hand than have left now. */
function takeFromStock(
  tables: Tables,
  { node, nowMs }: { readonly node: string; readonly nowMs: number },
  ref: string,
  leaving: ReadonlyMap<string, number>,
): void {
  const rows = tables.stock.get(node)!
  const lines = [...leaving]
    .sort(([a], [b]) => compare(a, b))
    .map(([sku, quantity]) => {
      const row = rows.get(sku)!
      const { taken } = takenByParcel(quantity, row.onHand)
      row.onHand -= taken
      row.reserved -= quantity
      return { sku, onHand: -taken, reserved: -quantity, safety: 0 }
    })
  const differs = lines.some((l) => l.onHand !== l.reserved)
  const seq = differs ? nextNodeSeq(tables, node) : null
  tables.movements.push({ node, seq, kind: 'ship', ref, lines, atMs: nowMs })
}

export function giveBack(
  tables: Tables,
  at: { readonly node: string; readonly taskId: string; readonly fence: number; readonly nowMs: number },
  how: GivenBackAs,
  commandOf: (order: Order) => InboxEvent,
): TaskRefusal | { readonly outcome: 'given_back'; readonly seq: string } | { readonly outcome: 'already_given_back' } {
  const found = owned(tables, at.node, at.taskId, at.fence, at.nowMs)
  if ('outcome' in found) return found
  const { row, order, isLeased } = found
  const done = handBack(row.task, isLeased, row.reason, how)
  if (done.outcome !== 'given_back') return done
  const seq = insertEvent(tables, commandOf(order), at.nowMs)
  row.task = done.task
  row.reason = done.reason
  return { outcome: 'given_back', seq }
}

export function lapsedIntercepts(tables: Tables, limit: number, nowMs: number) {
  return [...tables.tasks.values()]
    .filter(({ task, leaseUntilMs }) => leaseUntilMs !== null && isInterceptLapsed(task, leaseUntilMs > nowMs))
    .slice(0, limit)
    .map(({ task }) => ({ taskId: task.taskId, fence: task.fence, node: task.node }))
}
