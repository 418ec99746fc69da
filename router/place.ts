/** From what sourcing chose to tasks: every unit of a decision's demand ends in one place. */
import type { Decision, Demand } from './decide.ts'
import { stateOf } from './order.ts'
import type { Task } from './task.ts'
import { dateOf } from './task-date.ts'
import type { Order } from './types.ts'

/** A parcel that sourcing chose, in items. */
export interface PlannedTask {
  readonly node: string
  readonly units: readonly Demand[]
}

const noneRefused: ReadonlySet<PlannedTask> = new Set()

/**
 * Puts the sourced units into new tasks and backorders the rest, refused parcels among it. Every unit of the decision's demand
 * ends in one place. A parcel has the same number whichever others are refused: its units are reserved under it. So the
 * numbers of an order's tasks may have gaps.
 */
export function place(
  decision: Decision,
  planned: readonly PlannedTask[],
  missing: readonly Demand[],
  refused = noneRefused,
): { order: Order; newTasks: readonly Task[] } {
  const allocations = [...decision.order.allocations]
  const newTasks: Task[] = []
  const lost: Demand[] = []
  let { taskCount } = decision.order
  planned.forEach((plan, i) => {
    if (refused.has(plan)) {
      lost.push(...plan.units)
      return
    }
    taskCount = decision.order.taskCount + i + 1
    const taskId = `${decision.order.id}-${taskCount}`
    const bySku = new Map<string, number>()
    for (const unit of plan.units) {
      const { sku } = decision.order.items[unit.item]!
      bySku.set(sku, (bySku.get(sku) ?? 0) + unit.quantity)
      allocations.push({ item: unit.item, quantity: unit.quantity, place: 'task', taskId })
    }
    newTasks.push({
      taskId,
      node: plan.node,
      state: 'ready',
      fence: 0,
      interceptRequested: false,
      change: 0,
      changeTaken: 0,
      notBefore: dateOf(
        decision.order,
        plan.units.map((unit) => unit.item),
      ),
      lines: [...bySku].map(([sku, quantity]) => ({ sku, quantity, shipped: 0 })),
    })
  })
  for (const unit of [...missing, ...lost]) {
    allocations.push({ item: unit.item, quantity: unit.quantity, place: 'backordered', taskId: null })
  }
  const order = { ...decision.order, allocations, taskCount }
  return { order: { ...order, state: stateOf(order, [...decision.tasks, ...newTasks]) }, newTasks }
}
