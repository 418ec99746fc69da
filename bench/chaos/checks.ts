/**
 * The ledger compared with the tables: what was acknowledged is there, once, and means what was said; what was
 * confirmed to have left has left, once; what lies on the shelves is what was put there less what left.
 */
import type { Violation } from '../../adapters/store/audit/audit.ts'
import type { SkuQuantity } from '../../router/types.ts'
import { paidFenOf, type TestOrder } from '../../workers/e2e/testing/orders.ts'
import type { OrderEntry } from './book.ts'
import { type Finding, Findings } from './findings.ts'
import { type KeptOrder, type KeptTask, readKept } from './kept.ts'
import type { World } from './world.ts'

/** For a system in which nothing is pending. `finished`: every task is done, too. */
export async function checkBook({ book, sql }: World, finished: boolean): Promise<Violation[]> {
  const findings = new Findings()
  const now = await readKept(sql)
  for (const entry of book.orders.values()) {
    checkOrder(entry, now.orders.get(entry.key) ?? [], now.tasks.get(entry.key) ?? [], finished, findings)
    const { events, conflicting, key } = entry
    const stored = now.events.get(key) ?? 0
    if (stored < events.size) findings.add('acknowledged_events_are_kept', { key, acknowledged: events.size, stored })
    if (conflicting && !now.conflicts.has(key)) findings.add('conflicting_bodies_are_kept', { key })
  }
  const tasks = new Map([...now.tasks.values()].flat().map((task) => [task.taskId, task]))
  for (const { taskId, orderKey, packages } of book.shipments.values()) {
    const task = tasks.get(taskId)
    for (const [waybill, lines] of packages) {
      const same = task?.packages.filter((p) => p.waybill === waybill) ?? []
      if (same.length === 0) findings.add('confirmed_shipments_are_kept', { taskId, orderKey, waybill })
      else if (same.length > 1 || unitsOf(same[0]!.lines) !== unitsOf(lines))
        findings.add('shipments_happen_once', { taskId, waybill, lines, kept: same })
    }
  }
  for (const taskId of book.intercepted) {
    const confirmed = book.shipments.get(taskId)?.packages.size ?? 0
    const kept = tasks.get(taskId)?.packages.length
    if (kept !== confirmed) findings.add('what_was_stopped_did_not_leave', { taskId, confirmed, kept })
  }
  if (finished) checkShelves(book.shelves, tasks, now.onHand, findings)
  else
    for (const [place, onHand] of now.onHand) {
      if (onHand > (book.shelves.get(place) ?? 0)) findings.add('shelves_hold_what_was_put_there', { place, onHand })
    }
  return findings.violations()
}

function checkOrder(
  { key, order, rejected }: OrderEntry,
  rows: readonly KeptOrder[],
  tasks: readonly KeptTask[],
  finished: boolean,
  findings: Findings,
): void {
  const [row] = rows
  if (row === undefined) {
    findings.add('acknowledged_orders_are_there', { key })
    return
  }
  if (rows.length > 1) findings.add('one_platform_order_is_one_order', { key, rows: rows.length })
  const ordered = bySku(order.lines)
  const leaving = bySku(tasks.flatMap((task) => task.lines))
  const left = bySku(tasks.flatMap((task) => task.packages.flatMap((p) => p.lines)))
  for (const [sku, quantity] of [...leaving, ...left]) {
    if (quantity > (ordered.get(sku) ?? 0)) findings.add('no_unit_is_in_two_tasks', { key, sku, quantity })
  }
  const words = { key, state: row.state, places: row.places }
  if (row.paidFen !== String(paidFenOf(order)))
    findings.add('orders_say_what_was_sent', { ...words, paid: row.paidFen })
  // The last round of the sweep may have found goods for orders that waited, but the warehouses have stopped by then.
  const ready = unitsOf(tasks.filter((task) => task.state === 'ready').flatMap((task) => task.lines))
  const problem = stateProblem(order, row, { units: unitsOf(order.lines), ready, finished: finished && !rejected })
  if (problem !== null) findings.add(problem, words)
}

function stateProblem(
  order: TestOrder,
  row: KeptOrder,
  { units, ready, finished }: { readonly units: number; readonly ready: number; readonly finished: boolean },
): Finding | null {
  const { places } = row
  const away = (places.task ?? 0) + (places.returned ?? 0)
  if (order.step === 'closed') {
    // What had left before the buyer changed his mind has left.
    if (!finished) return null
    return (places.cancelled ?? 0) + away === units && (away === 0 || row.shippedUnits === away)
      ? null
      : 'cancelled_orders_are_cancelled'
  }
  if (order.step === 'unpaid') return away > 0 ? 'unpaid_orders_are_not_sent' : null
  if ((places.held ?? 0) > 0 || (places.cancelled ?? 0) > 0) return 'paid_orders_are_on_their_way'
  if (!finished) return null
  return row.shippedUnits + ready + (places.backordered ?? 0) === units ? null : 'paid_orders_are_on_their_way'
}

function checkShelves(
  shelves: ReadonlyMap<string, number>,
  tasks: ReadonlyMap<string, KeptTask>,
  onHand: ReadonlyMap<string, number>,
  findings: Findings,
): void {
  const left = new Map<string, number>()
  for (const { node, packages } of tasks.values()) {
    for (const { sku, quantity } of packages.flatMap((p) => p.lines)) {
      left.set(`${node}/${sku}`, (left.get(`${node}/${sku}`) ?? 0) + quantity)
    }
  }
  for (const [place, put] of shelves) {
    const expected = put - (left.get(place) ?? 0)
    if (onHand.get(place) !== expected)
      findings.add('shelves_hold_what_was_put_there', { place, expected, onHand: onHand.get(place) ?? null })
  }
}

function bySku(lines: readonly SkuQuantity[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { sku, quantity } of lines) sums.set(sku, (sums.get(sku) ?? 0) + quantity)
  return sums
}

function unitsOf(lines: readonly SkuQuantity[]): number {
  return lines.reduce((sum, { quantity }) => sum + quantity, 0)
}
