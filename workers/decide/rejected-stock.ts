/**
 * What tasks that are handed back say about their nodes, before anything is sourced again. Only the commit corrects the
 * stock: until then Redis still promises what the warehouse did not find, and an order that is planned on it would be
 * refused by Postgres together with the correction, again and again.
 */
import { reasonRules } from '../../router/reasons.ts'
import type { Availability } from '../catalog/availability.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Work } from './take-events.ts'

/** By order: nodes that just found that they cannot serve it. Not for good: another delivery may come. */
export function nodesToAvoid(works: readonly Work[]): ReadonlyMap<string, readonly string[]> {
  const avoided = new Map<string, readonly string[]>()
  for (const { before, avoidedNodes } of works) if (avoidedNodes.length > 0) avoided.set(before.id, avoidedNodes)
  return avoided
}

/** No order of this batch, or of another thread, shall count on what a warehouse could not find. */
export function forgetMissingGoods(
  works: readonly Work[],
  { catalog, availability }: { readonly catalog: Catalog; readonly availability: Availability },
): void {
  for (const { takenBack, tasksBefore } of works) {
    for (const { taskId, lines } of takenBack.filter((c) => reasonRules[c.why].stock === 'nothing_left')) {
      const task = tasksBefore.find((t) => t.taskId === taskId)
      const node = task === undefined ? undefined : catalog.nodeIndex.get(task.node)
      if (task === undefined || node === undefined) continue
      for (const { sku } of lines.length > 0 ? lines : task.lines) {
        availability.set(catalog.nodeNo(node), catalog.skuNo(sku), 0)
      }
    }
  }
}
