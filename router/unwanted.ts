/**
 * Which tasks an order has to get back: those that together hold more units of an item than are to ship. A task is called
 * back whole, never in part; what the order still wants of it is sourced again.
 *
 * Of several tasks the one that costs least is called back: first a task that no warehouse has pulled, then one that is
 * flagged already, and of these the newest.
 */
import type { Desires } from './desire.ts'
import { unitsOfItem } from './line-units.ts'
import { isOwned, type Task } from './task.ts'
import type { Order } from './types.ts'

interface HeldUnits {
  readonly task: Task
  readonly sku: string
  readonly quantity: number
}

export function unwantedTasks(order: Order, tasks: readonly Task[], desires: Desires): ReadonlySet<string> {
  const unwanted = new Set<string>()
  const byId = new Map(tasks.map((task) => [task.taskId, task]))
  for (let index = 0; index < order.items.length; index++) {
    const held: HeldUnits[] = []
    let excess = -unitsOfItem(order.items[index]!, order.snapshot?.lines ?? [], desires.lines, 'ship')
    for (const { item, quantity, taskId } of order.allocations) {
      const task = item === index && taskId !== null ? byId.get(taskId) : undefined
      // What its warehouse has handed back comes without being called.
      if (task === undefined || task.state === 'rejected' || task.state === 'intercepted') continue
      excess += quantity
      if (task.state === 'ready' || isOwned(task)) held.push({ task, sku: order.items[index]!.sku, quantity })
    }
    if (excess <= 0) continue
    for (const units of held) if (unwanted.has(units.task.taskId)) excess -= recoverable(units)
    for (const units of held.sort(cheapestFirst)) {
      if (excess <= 0) break
      const back = recoverable(units)
      if (unwanted.has(units.task.taskId) || back === 0) continue
      unwanted.add(units.task.taskId)
      excess -= back
    }
  }
  return unwanted
}

/** What has left does not come back. */
function recoverable({ task, sku, quantity }: HeldUnits): number {
  const line = task.lines.find((l) => l.sku === sku)
  return line === undefined ? 0 : Math.min(quantity, line.quantity - line.shipped)
}

function cheapestFirst({ task: a }: HeldUnits, { task: b }: HeldUnits): number {
  return rank(a) - rank(b) || numberOf(b) - numberOf(a)
}

function rank(task: Task): number {
  return task.state === 'ready' ? 0 : task.interceptRequested ? 1 : 2
}

/** Task ids end with the task's number in its order: router/place.ts. */
function numberOf({ taskId }: Task): number {
  return Number(taskId.slice(taskId.lastIndexOf('-') + 1))
}
