/** A warehouse's verbs: see ../tasks.ts and ../ship.ts, whose meaning these have. */
import { stateOf } from '../../../router/order.ts'
import type { Order, Task } from '../../../router/types.ts'
import type { InboxEvent } from '../inbox/inbox.ts'
import type { Accepted, GivenBackAs } from '../order-store.ts'
import type { Shipped } from '../tasks/ship.ts'
import { addUp, type Package, type PulledTask, type TaskRefusal } from '../tasks/tasks.ts'
import { storeEvents } from './intake.ts'
import { compare, nextNodeSeq, type Tables, type TaskRow } from './tables.ts'

export function pullTasks(
  tables: Tables,
  node: string,
  limit: number,
  leaseSeconds: number,
  nowMs: number,
): PulledTask[] {
  const isLeased = (row: TaskRow): boolean => row.leaseUntilMs !== null && row.leaseUntilMs > nowMs
  const ofNode = [...tables.tasks.values()].filter((row) => row.task.node === node)
  ofNode.sort((a, b) => a.createdAt - b.createdAt || compare(a.task.taskId, b.task.taskId))
  const isOwned = ({ state }: Task): boolean => state === 'pulled' || state === 'accepted'
  const flagged = ofNode.filter((row) => isOwned(row.task) && row.task.interceptRequested && isLeased(row))
  const due = ofNode
    .filter(({ task }) => (task.state === 'ready' || isOwned(task)) && !task.interceptRequested)
    .filter((row) => !isLeased(row))
    .slice(0, limit)
  for (const row of due) {
    row.task = { ...row.task, state: 'pulled', fence: row.task.fence + 1 }
    row.leaseUntilMs = nowMs + leaseSeconds * 1000
  }
  const given = new Set([...due, ...flagged])
  return ofNode.filter((row) => given.has(row)).map((row) => pulled(tables, row))
}

function pulled(tables: Tables, { task, orderId, leaseUntilMs, shipBy }: TaskRow): PulledTask {
  const order = tables.orders.get(orderId)!
  const { taskId, fence, state, lines, interceptRequested } = task
  return {
    ...{ taskId, fence, state, lines, intercepted: interceptRequested, leaseUntil: new Date(leaseUntilMs!) },
    ...{ channel: order.channel, shop: order.shop, orderId: order.orderId },
    shipBy: shipBy === null ? null : String(shipBy),
    receiver: order.snapshot?.receiver ?? null,
    buyerMessage: order.snapshot?.buyerMessage ?? '',
  }
}

interface Owned {
  readonly row: TaskRow
  readonly order: Order
  readonly leased: boolean
}

function owned(
  tables: Tables,
  node: string,
  taskId: string,
  fence: number,
  nowMs: number,
): Owned | Extract<TaskRefusal, { outcome: 'unknown_task' | 'stale_fence' }> {
  const row = tables.tasks.get(taskId)
  if (row === undefined || row.task.node !== node) return { outcome: 'unknown_task' }
  if (row.task.fence !== fence) return { outcome: 'stale_fence' }
  const leased = row.leaseUntilMs !== null && row.leaseUntilMs > nowMs
  return { row, order: tables.orders.get(row.orderId)!, leased }
}

export function acceptTask(tables: Tables, node: string, taskId: string, fence: number, nowMs: number): Accepted {
  const found = owned(tables, node, taskId, fence, nowMs)
  if ('outcome' in found) return found
  const { row, leased } = found
  if (row.task.state === 'accepted') return { outcome: 'already_accepted' }
  if (row.task.state !== 'pulled') return { outcome: 'wrong_state', state: row.task.state }
  if (!leased) return { outcome: 'lease_lapsed' }
  if (row.task.interceptRequested) return { outcome: 'intercepted' }
  row.task = { ...row.task, state: 'accepted' }
  return { outcome: 'accepted' }
}

export function shipTask(
  tables: Tables,
  at: { readonly node: string; readonly taskId: string; readonly fence: number; readonly nowMs: number },
  packages: readonly Package[],
): Shipped {
  const found = owned(tables, at.node, at.taskId, at.fence, at.nowMs)
  if ('outcome' in found) return found
  const { row, order, leased } = found
  const known = new Map(row.packages.map((p) => [waybillOf(p), p]))
  for (const p of packages) {
    const same = known.get(waybillOf(p))
    if (same !== undefined && !sameLines(same, p))
      return { outcome: 'waybill_used_for_other_lines', waybill: p.waybill }
  }
  const fresh = packages.filter((p) => !known.has(waybillOf(p)))
  if (fresh.length === 0) return { outcome: 'already_shipped', orderId: order.id, state: row.task.state }
  const { task } = row
  if (task.interceptRequested) return { outcome: 'intercepted' }
  if (task.state !== 'pulled' && task.state !== 'accepted') return { outcome: 'wrong_state', state: task.state }
  if (!leased) return { outcome: 'lease_lapsed' }
  const leaving = addUp(fresh.flatMap((p) => p.lines))
  for (const [sku, quantity] of leaving) {
    const line = task.lines.find((l) => l.sku === sku)
    if (line === undefined || line.shipped + quantity > line.quantity) return { outcome: 'lines_do_not_match', sku }
  }
  const lines = task.lines.map((l) => ({ ...l, shipped: l.shipped + (leaving.get(l.sku) ?? 0) }))
  const whole = lines.every((l) => l.shipped === l.quantity)
  takeFromStock(tables, at.node, `${at.taskId}#${row.packages.length}`, leaving)
  row.task = { ...task, state: whole ? 'shipped' : 'accepted', lines }
  row.packages = [...row.packages, ...fresh]
  const tasks = tables.tasksOf.get(order.id)!.map((r) => r.task)
  const version = order.version + 1
  tables.orders.set(order.id, { ...order, state: stateOf(order, tasks), version })
  const outcome = whole ? 'shipped' : 'partly_shipped'
  tables.decisions.push({ orderId: order.id, version, seq: '0', outcome })
  return { outcome, orderId: order.id }
}

/** Redis learns of it only where a count had said that fewer are on hand than have left now. */
function takeFromStock(tables: Tables, node: string, ref: string, leaving: ReadonlyMap<string, number>): void {
  const rows = tables.stock.get(node)!
  const lines = [...leaving]
    .sort(([a], [b]) => compare(a, b))
    .map(([sku, quantity]) => {
      const row = rows.get(sku)!
      const taken = Math.min(quantity, row.onHand)
      row.onHand -= taken
      row.reserved -= quantity
      return { sku, onHand: -taken, reserved: -quantity, safety: 0 }
    })
  const differs = lines.some((l) => l.onHand !== l.reserved)
  tables.movements.push({ node, seq: differs ? nextNodeSeq(tables, node) : null, kind: 'ship', ref, lines })
}

export function giveBack(
  tables: Tables,
  at: { readonly node: string; readonly taskId: string; readonly fence: number; readonly nowMs: number },
  how: GivenBackAs,
  commandOf: (order: Order) => InboxEvent,
): TaskRefusal | { readonly outcome: 'given_back'; readonly seq: string } | { readonly outcome: 'already_given_back' } {
  const found = owned(tables, at.node, at.taskId, at.fence, at.nowMs)
  if ('outcome' in found) return found
  const { row, order, leased } = found
  const { task } = row
  const reason = how.state === 'rejected' ? how.reason : 'intercepted'
  if (task.state !== 'pulled' && task.state !== 'accepted') {
    return row.reason === reason ? { outcome: 'already_given_back' } : { outcome: 'wrong_state', state: task.state }
  }
  if (leased === (how.state === 'intercepted' && how.lapsed === true)) return { outcome: 'lease_lapsed' }
  if (how.state === 'intercepted' && !task.interceptRequested) return { outcome: 'not_intercepted' }
  if (how.state === 'rejected') {
    for (const [sku, quantity] of addUp(how.lines)) {
      const line = task.lines.find((l) => l.sku === sku)
      if (line === undefined || quantity > line.quantity - line.shipped) return { outcome: 'lines_do_not_match', sku }
    }
  }
  const [stored] = storeEvents(tables, [commandOf(order)], at.nowMs)
  if (stored?.outcome !== 'new') throw new Error('a command under an id that is taken')
  row.task = { ...task, state: how.state }
  row.reason = reason
  return { outcome: 'given_back', seq: stored.seq }
}

export function lapsedIntercepts(tables: Tables, limit: number, nowMs: number) {
  return [...tables.tasks.values()]
    .filter(({ task, leaseUntilMs }) => {
      const isOwned = task.state === 'pulled' || task.state === 'accepted'
      return isOwned && task.interceptRequested && leaseUntilMs !== null && leaseUntilMs <= nowMs
    })
    .slice(0, limit)
    .map(({ task }) => ({ taskId: task.taskId, fence: task.fence, node: task.node }))
}

function waybillOf({ carrier, waybill }: Package): string {
  return `${carrier} ${waybill}`
}

function sameLines(a: Package, b: Package): boolean {
  const left = addUp(a.lines)
  const right = addUp(b.lines)
  return left.size === right.size && [...left].every(([sku, quantity]) => right.get(sku) === quantity)
}
