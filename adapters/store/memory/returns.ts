/** Returns: see ../returns/returns.ts, whose meaning this has. */
import { postTo } from '../../../router/posting.ts'
import type { Return } from '../../../router/returns/types.ts'
import type { NodeDelta } from '../../../router/stock.ts'
import type { OrderKey, SkuQuantity } from '../../../router/types.ts'
import { keyOf } from '../orders/load.ts'
import type { ChangeReturn, ReturnOf, ReturnWritten } from '../returns/returns.ts'
import { markDue } from './due.ts'
import { compare, nextNodeSeq, type Tables } from './tables.ts'

export function changeReturn<Refused extends { readonly outcome: string }>(
  tables: Tables,
  of: ReturnOf,
  change: ChangeReturn<Refused>,
  nowMs: number,
): ReturnWritten<Refused> {
  const known = 'returnId' in of ? (tables.returns.get(of.returnId) ?? null) : null
  const orderId = 'returnId' in of ? known?.orderId : tables.idByKey.get(keyOf(of as OrderKey))
  const order = orderId === undefined ? undefined : tables.orders.get(orderId)
  if (order === undefined) return { outcome: 'not_found' }
  const rows = [...(tables.tasksOf.get(order.id) ?? [])].sort((a, b) => compare(a.task.taskId, b.task.taskId))
  const tasks = rows.map(({ task: { taskId, lines }, packages }) => ({ taskId, lines, packages }))
  const done = change({ order, tasks, returns: returnsOf(tables, order.id) }, known)
  if (!('after' in done)) return done
  const written = done.after.id === '' ? { ...done.after, id: String(tables.returns.size + 1) } : done.after
  tables.returns.set(written.id, written)
  const { goods } = done
  const delta = goods === null ? null : receiveGoods(tables, goods.node, goods.ref, goods.lines, nowMs)
  markDue(tables, [order.id])
  return { outcome: 'written', written, delta }
}

export function returnsOf(tables: Tables, orderId: string): Return[] {
  if (tables.returns.size === 0) return []
  return [...tables.returns.values()].filter((known) => known.orderId === orderId)
}

function receiveGoods(
  tables: Tables,
  node: string,
  ref: string,
  goods: readonly SkuQuantity[],
  nowMs: number,
): NodeDelta {
  const rows = tables.stock.get(node)!
  const { safety } = tables.nodes.get(node)!
  const units = new Map(goods.map(({ sku, quantity }) => [sku, quantity]))
  const before = [...units.keys()].sort(compare).map((sku) => {
    const row = rows.get(sku) ?? { onHand: 0, reserved: 0, safety, countedAtMs: null }
    return { ...row, sku, isNew: !rows.has(sku), lastCountedAt: null, movedSince: 0 }
  })
  const done = postTo('add', units, before)
  if (done.outcome !== 'posted') throw new RangeError('too many units of one SKU at one node')
  const seq = nextNodeSeq(tables, node)
  before.forEach(({ sku, onHand, reserved, safety: kept, countedAtMs }, i) => {
    rows.set(sku, { onHand: onHand + done.moved[i]!.onHand, reserved, safety: kept, countedAtMs })
  })
  tables.movements.push({ node, seq, kind: 'return', ref, lines: done.moved, atMs: nowMs })
  return { node, seq, lines: done.delta }
}
