/** What lies where at the beginning: some goods are plenty, some run out and come again. */

import type { Random } from '../../adapters/shared/seeded-random.ts'
import type { SkuQuantity } from '../../router/types.ts'

export interface Goods {
  readonly opening: Readonly<Record<string, readonly SkuQuantity[]>>
  readonly nodes: readonly string[]
  readonly scarce: readonly string[]
  pick(random: Random): string
  isScarce(sku: string): boolean
}

const nodes = ['north', 'east', 'south', 'west', 'middle'] as const
// Enough SKUs that shipments of one warehouse seldom wait for each other's rows; those of scarce goods still do.
const plenty = Array.from({ length: 16 }, (_, i) => `plenty-${i + 1}`)
const scarce = ['scarce-1', 'scarce-2', 'scarce-3']
const plentyUnits = 400_000
const scarceUnits = 40

export function chaosGoods(): Goods {
  const opening = nodes.map((node, i): [string, SkuQuantity[]] => [
    node,
    [
      // No node has everything: orders of several lines are split.
      ...plenty.filter((_, at) => at % nodes.length !== i).map((sku) => ({ sku, quantity: plentyUnits })),
      ...scarce.map((sku) => ({ sku, quantity: scarceUnits })),
    ],
  ])
  const isScarce = (sku: string): boolean => scarce.includes(sku)
  return {
    opening: Object.fromEntries(opening),
    nodes,
    scarce,
    pick: (random) => (random.chance(0.3) ? random.pick(scarce) : random.pick(plenty)),
    isScarce,
  }
}
