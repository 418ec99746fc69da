/** Back from demand lines (one per SKU) to the order's items: which item's units leave in which parcel. */

import type { LineUnits, Plan } from './source/plan.ts'
import type { Group, ItemUnits } from './split.ts'

export interface ParcelItems {
  readonly node: string
  readonly items: readonly ItemUnits[]
}

export interface PlannedItems {
  /** Same order as the plan's parcels. */
  readonly parcels: readonly ParcelItems[]
  readonly missing: readonly ItemUnits[]
}

/**
 * Hands each demand line's units to its parts in their order: earlier items are served from nearer parcels, later ones
 * go missing first. Throws when plan and group do not add up to the same units.
 */
export function itemsOfPlan(group: Group, plan: Plan): PlannedItems {
  const left = group.parts.map((part) => part.quantity)
  const take = (lines: readonly LineUnits[]): ItemUnits[] => {
    const taken: ItemUnits[] = []
    for (const { line, quantity } of lines) {
      let wanted = quantity
      for (let index = 0; index < group.parts.length && wanted > 0; index++) {
        const part = group.parts[index]!
        const units = part.demandLine === line ? Math.min(left[index]!, wanted) : 0
        if (units === 0) continue
        taken.push({ item: part.item, quantity: units })
        left[index]! -= units
        wanted -= units
      }
      if (wanted > 0) throw new Error('a plan ships more than its group wants')
    }
    return taken
  }
  const parcels = plan.parcels.map(({ node, lines }) => ({ node, items: take(lines) }))
  const missing = take(plan.missing)
  if (left.some((units) => units > 0)) throw new Error('a plan forgets units that its group wants')
  return { parcels, missing }
}
