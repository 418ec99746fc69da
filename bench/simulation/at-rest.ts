/** What must hold once everything has come to rest. Each gives the first breach, or null. */

import { dueOrders, unreconciledOrders } from '../../adapters/store/memory/due.ts'
import { reconcileTogether } from '../../adapters/store/memory/reconcile.ts'
import { shortRows } from '../../adapters/store/memory/shortages.ts'
import { pairKey, type Tables } from '../../adapters/store/memory/tables.ts'
import { rowOf } from '../../adapters/store/settle/reconcile.ts'
import { closableStates } from '../../router/reconcile/types.ts'
import { availableOf } from '../../router/stock.ts'
import { isInterceptLapsed } from '../../router/task.ts'
import { resultOf } from '../../workers/settle/reconcile.ts'
import { countersBreach, type Observed } from './invariants.ts'
import type { Ledger } from './ledger.ts'

/** When nothing is under way any more. */
export function restBreach(observed: Observed): string | null {
  const { tables, redis, ledger } = observed
  if (tables.pending.size > 0) return `undecided events: ${[...tables.pending.keys()].join(' ')}`
  const image = redis.stock.image()
  for (const [node, { epoch, held }] of image) {
    if (epoch !== tables.epoch) return `${node} is loaded in epoch ${epoch}, not ${tables.epoch}`
    if (held.size > 0) return `reserved for nobody at ${node}: ${[...held.keys()].join(' ')}`
  }
  if (image.size !== tables.nodes.size) return 'a node is not loaded'
  return (
    countersBreach(tables, image) ??
    inboxBreach(tables, ledger) ??
    tasksBreach(tables, ledger) ??
    exceptionsBreach(tables) ??
    shortagesBreach(tables) ??
    backordersBreach(tables) ??
    settlementBreach(tables)
  )
}

/** What an in-flight reservation is, when nothing was lost and nothing died: nobody's. */
export function leftInFlight({ redis }: Observed): string | null {
  for (const [node, { held }] of redis.stock.image())
    if (held.size > 0) return `left in flight at ${node}: ${[...held.keys()].join(' ')}`
  return null
}

function inboxBreach(tables: Tables, ledger: Ledger): string | null {
  const settled = new Set(tables.decisions.map((d) => d.seq))
  const kept = new Set<string>()
  for (const { eventId, channel, kind, seq } of tables.inbox.values()) {
    kept.add(eventId)
    // A notification is answered by the order that was fetched for it.
    if (kind !== 'notification' && !settled.has(seq)) return `an event was never settled: ${eventId}`
    const isOurs = kind === 'command' || (channel === 'wechat' && kind === 'order')
    if (!isOurs && !ledger.sent.has(eventId)) return `an event that nobody sent: ${eventId}`
  }
  if (kept.size !== tables.inbox.size) return 'an event is kept twice'
  for (const eventId of ledger.acknowledged.keys()) if (!kept.has(eventId)) return `acknowledged and lost: ${eventId}`
  return null
}

function tasksBreach(tables: Tables, ledger: Ledger): string | null {
  for (const { task, packages } of tables.tasks.values()) {
    if (task.state === 'rejected' || task.state === 'intercepted') return `given back and left: ${task.taskId}`
    if (isInterceptLapsed(task, false)) return `to be stopped, and its owner fell silent: ${task.taskId}`
    const packed = packages.flatMap((p) => p.lines).reduce((sum, l) => sum + l.quantity, 0)
    const shipped = task.lines.reduce((sum, l) => sum + l.shipped, 0)
    if (packed !== shipped) return `shipped is not what packages hold: ${task.taskId}`
    const told = [...(ledger.shipped.get(task.taskId)?.values() ?? [])].flatMap((p) => p.lines)
    const left = told.reduce((sum, l) => sum + l.quantity, 0)
    if (left !== packed) return `${left} units left the house and ${packed} are known: ${task.taskId}`
  }
  return null
}

/** What was open only for a while: by now all of it is over. */
const passing: ReadonlySet<string> = new Set([
  ...['bill_without_order', 'order_not_fetched', 'undecidable_event', 'stock_drift'],
])

function exceptionsBreach(tables: Tables): string | null {
  for (const { kind, ref } of tables.openExceptions.values())
    if (passing.has(kind)) return `an exception that is over stays open: ${kind} ${ref}`
  return null
}

/** The exceptions are those of places that are short, and no task that could be called back holds what is missing. */
function shortagesBreach(tables: Tables): string | null {
  const short = new Set(shortRows(tables, null).map(({ node, sku }) => pairKey(node, sku)))
  const told = new Set<string>()
  for (const { kind, detail } of tables.openExceptions.values())
    if (kind === 'shortage') told.add(pairKey(String(detail.node), String(detail.sku)))
  for (const place of told) if (!short.has(place)) return `a shortage that is over: ${place}`
  for (const place of short) if (!told.has(place)) return `a shortage that nobody was told of: ${place}`
  for (const { task } of tables.tasks.values())
    if (task.state === 'ready' && task.lines.some(({ sku }) => short.has(pairKey(task.node, sku))))
      return `a task could be called back for a shortage: ${task.taskId}`
  return null
}

/** A node that rejected an order is not asked again. */
function backordersBreach(tables: Tables): string | null {
  for (const { orderId, items, allocations, excludedNodes } of tables.orders.values()) {
    for (const { item, quantity, place } of allocations) {
      if (place !== 'backordered') continue
      const { sku } = items[item]!
      for (const [node, rows] of tables.stock) {
        const row = rows.get(sku)
        const isThere = row !== undefined && availableOf(row) >= quantity && !excludedNodes.includes(node)
        if (isThere) return `order ${orderId} waits for ${quantity} ${sku}, which are at ${node}`
      }
    }
  }
  return null
}

/** No order is marked or forgotten, and none waits to be closed, or reopened, though its three flows say so. */
function settlementBreach(tables: Tables): string | null {
  const [due] = dueOrders(tables, '0', 1, 0)
  if (due !== undefined) return `still to be reconciled: order ${due}`
  const [forgotten] = unreconciledOrders(tables, '0', tables.orders.size + 1).unreconciled
  if (forgotten !== undefined) return `never reconciled: order ${forgotten}`
  let found: string | null = null
  reconcileTogether(
    tables,
    [...tables.orders.keys()],
    (load) => {
      const { input, entered } = load
      const { id, orderId, state } = input.order
      const result = resultOf({ ...load, entered: true })!
      const { change } = result
      if (change !== null) found ??= `order ${orderId} is ${state} and should be ${change}`
      const isKnown = entered && closableStates.includes(state)
      if (isKnown && tables.reconciliations.get(id)?.detail !== JSON.stringify(rowOf(result).detail))
        found ??= `order ${orderId} was matched before its last news`
      return null
    },
    0,
  )
  return found
}
