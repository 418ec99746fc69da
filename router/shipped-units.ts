/** Units that left, counted by the platform's line and by SKU, since a line may be a bundle. */
import type { Task } from './task.ts'
import type { Order, SkuQuantity } from './types.ts'

/** Units of one item of a line. */
export interface UnitsOfLine extends SkuQuantity {
  readonly lineId: string
}

/** Units that left in tasks, of each line and SKU. */
export function shippedUnits(
  order: Pick<Order, 'items' | 'allocations' | 'snapshot'>,
  tasks: readonly Pick<Task, 'taskId' | 'lines'>[],
): UnitsOfLine[] {
  const { items, allocations, snapshot } = order
  const left = new Map<string, number>()
  for (const { taskId, lines } of tasks) for (const line of lines) add(left, `${taskId}\n${line.sku}`, line.shipped)
  const units = new Map<string, UnitsOfLine>()
  for (const { item: index, quantity: allocated, place, taskId } of allocations) {
    const item = items[index]!
    const lineId = snapshot?.lines[item.line]?.lineId
    if (place !== 'task' || lineId === undefined) continue
    const quantity = Math.min(allocated, left.get(`${taskId}\n${item.sku}`) ?? 0)
    if (quantity === 0) continue
    add(left, `${taskId}\n${item.sku}`, 0 - quantity)
    const key = keyOf({ lineId, sku: item.sku })
    units.set(key, { lineId, sku: item.sku, quantity: quantity + (units.get(key)?.quantity ?? 0) })
  }
  return [...units.values()]
}

export function keyOf({ lineId, sku }: { readonly lineId: string; readonly sku: string }): string {
  return `${lineId}\n${sku}`
}

function add(map: Map<string, number>, key: string, quantity: number): void {
  map.set(key, (map.get(key) ?? 0) + quantity)
}
