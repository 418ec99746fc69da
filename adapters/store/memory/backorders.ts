/** Orders that wait for goods: see ../orders/backorders.ts, whose meaning this has. */
import type { Order } from '../../../router/types.ts'
import { type Backorder, backordered } from '../orders/backorders.ts'
import { compareIds } from '../settle/due.ts'
import { compare, type Tables } from './tables.ts'

export function replaceBackorders(tables: Tables, order: Order): void {
  const units = backordered(order)
  if (units.size === 0) tables.backorders.delete(order.id)
  else tables.backorders.set(order.id, units)
}

export function backorderedSkus(tables: Tables, afterSku: string, limit: number): string[] {
  const skus = new Set([...tables.backorders.values()].flatMap((units) => [...units.keys()]))
  return [...skus]
    .filter((sku) => sku > afterSku)
    .sort(compare)
    .slice(0, limit)
}

export function backordersOf(
  tables: Tables,
  of: readonly { readonly sku: string; readonly after: string | null }[],
  limit: { readonly perSku: number; readonly all: number },
): Backorder[] {
  const found = of.flatMap(({ sku, after }) =>
    [...tables.backorders]
      .filter(([id, units]) => units.has(sku) && compareIds(id, after ?? '0') > 0)
      .sort(([a], [b]) => compareIds(a, b))
      .slice(0, limit.perSku)
      .map(([id, units], place) => {
        const { channel, shop, orderId } = tables.orders.get(id)!
        return { place, row: { channel, shop, orderId, sku, quantity: units.get(sku)!, id } }
      }),
  )
  found.sort((a, b) => a.place - b.place || compareIds(a.row.id, b.row.id))
  return found.slice(0, limit.all).map(({ row }) => row)
}
