/** Orders that wait for goods: see ../orders/backorders.ts, whose meaning this has. */
import type { BackorderStore } from '../order-store.ts'
import { type Backorder, backordered, type OrderChange } from '../orders/backorders.ts'
import { compareIds } from '../settle/due.ts'
import { compare, type Tables } from './tables.ts'

export function backorderedSkus(tables: Tables, afterSku: string, limit: number): string[] {
  const skus = [...tables.backorders.keys()].filter((sku) => sku > afterSku)
  return skus.sort(compare).slice(0, limit)
}

export function backordersOf(tables: Tables, ...[of, limit]: Parameters<BackorderStore['backordersOf']>): Backorder[] {
  const placed = of.flatMap(({ sku, after }) =>
    [...(tables.backorders.get(sku) ?? [])]
      .filter(([id]) => compareIds(id, after ?? '0') > 0)
      .sort(([a], [b]) => compareIds(a, b))
      .slice(0, limit.perSku)
      .map(([id, quantity], place) => ({ id, sku, quantity, place })),
  )
  placed.sort((a, b) => a.place - b.place || compareIds(a.id, b.id) || compare(a.sku, b.sku))
  return placed.slice(0, limit.all).map(({ id, sku, quantity }) => {
    const { channel, shop, orderId } = tables.orders.get(id)!
    return { channel, shop, orderId, sku, quantity, id }
  })
}

export function replaceBackorders(tables: Tables, all: readonly OrderChange[]): void {
  for (const { before, order } of all) {
    if (order === before) continue
    for (const sku of backordered(before).keys()) take(tables, sku, order.id)
    for (const [sku, quantity] of backordered(order)) {
      const waiting = tables.backorders.get(sku) ?? new Map<string, number>()
      tables.backorders.set(sku, waiting.set(order.id, quantity))
    }
  }
}

function take(tables: Tables, sku: string, orderId: string): void {
  const waiting = tables.backorders.get(sku)
  waiting?.delete(orderId)
  if (waiting?.size === 0) tables.backorders.delete(sku)
}
