/** An order as a row: what is asked for in SQL has its own column, the rest of router/types `Order` is one json body. */
import type { Allocation, ChannelName, Item, Order, OrderState } from '../../router/types.ts'

export interface OrderRow {
  readonly id: string
  readonly channel: string
  readonly shop: string
  readonly order_id: string
  readonly version: number
  readonly state: string
  readonly body: OrderBody
  readonly items: readonly Item[]
  readonly allocations: readonly Allocation[]
}

export type OrderBody = Omit<
  Order,
  'id' | 'channel' | 'shop' | 'orderId' | 'version' | 'state' | 'items' | 'allocations'
>

/** The columns that `orderFromRow` reads. */
export const orderColumns = [
  'id',
  'channel',
  'shop',
  'order_id',
  'version',
  'state',
  'body',
  'items',
  'allocations',
] as const

export function orderFromRow(row: OrderRow): Order {
  return {
    ...row.body,
    id: row.id,
    channel: row.channel as ChannelName,
    shop: row.shop,
    orderId: row.order_id,
    version: row.version,
    state: row.state as OrderState,
    items: row.items,
    allocations: row.allocations,
  }
}

export function orderBody(order: Order): OrderBody {
  const { snapshot, refunds, holds, overruled, cancelledBy, excludedNodes, taskCount, attempt } = order
  return { snapshot, refunds, holds, overruled, cancelledBy, excludedNodes, taskCount, attempt }
}
