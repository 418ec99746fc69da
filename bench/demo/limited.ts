/**
 * Limited editions: four SKUs that this run of the demo puts on sale, a few pieces each. They show what happens when
 * goods are few, whatever else the network holds and sells.
 */
import type { Client } from './client.ts'
import type { Stage } from './stage.ts'
import type { WantedLine } from './story-order.ts'

export const editions = ['lamp', 'kettle', 'hat', 'cup'] as const
export type Edition = (typeof editions)[number]

export interface Limited {
  readonly sku: Readonly<Record<Edition, string>>
  line(edition: Edition, quantity: number): WantedLine
}

const goods: Readonly<Record<Edition, { readonly name: string; readonly grams: number; readonly unitFen: number }>> = {
  lamp: { name: '限量 黄铜马灯', grams: 900, unitFen: 26_800 },
  kettle: { name: '限量 手作铁壶', grams: 1_300, unitFen: 39_900 },
  hat: { name: '限量 羊毛毡帽', grams: 150, unitFen: 16_800 },
  cup: { name: '限量 搪瓷杯', grams: 260, unitFen: 8_800 },
}

export function limitedOf({ run }: Stage): Limited {
  const sku = Object.fromEntries(editions.map((edition) => [edition, `CF-LTD-${run}-${edition.toUpperCase()}`]))
  return {
    sku: sku as Record<Edition, string>,
    line: (edition, quantity) => {
      const { name, unitFen } = goods[edition]
      return { sku: sku[edition]!, name, quantity, unitFen }
    },
  }
}

export async function putOnSale(client: Client, limited: Limited): Promise<void> {
  for (const edition of editions) {
    const { name, grams } = goods[edition]
    const path = `/v1/skus/${encodeURIComponent(limited.sku[edition])}`
    await client.operate('PUT', path, { name, weightGrams: grams })
  }
}
