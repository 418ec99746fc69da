/**
 * The domain's nouns. Every stage speaks in these, and in those of ./node.ts, ./task.ts and ./commands.ts: a channel turns a
 * platform's bytes into a `Snapshot`, the brain turns snapshots into an `Order` with allocations, the store keeps exactly that.
 *
 * Units are in the names: money is integer fen, weight is grams, instants are epoch milliseconds, ids are strings
 * (platform ids exceed 2^53).
 */

import type { LineWord, RefundUnits } from './said-of-units.ts'

export const channelNames = ['tmall', 'jd', 'wechat'] as const
export type ChannelName = (typeof channelNames)[number]

export function isChannelName(name: string): name is ChannelName {
  return (channelNames as readonly string[]).includes(name)
}

/** What identifies one order for good: a platform's id is only unique within its shop. */
export interface OrderKey {
  readonly channel: ChannelName
  readonly shop: string
  readonly orderId: string
}

export interface Point {
  readonly lat: number
  readonly lng: number
}

/** The platform's word for where an order stands, mapped to ours. The order of this list is the order of progress. */
export const platformStates = [
  'unpaid',
  'on_hold',
  'ready',
  'partly_shipped',
  'shipped',
  'completed',
  'closed',
] as const
export type PlatformState = (typeof platformStates)[number]

export type RefundStatus = 'none' | 'requested' | 'refunded' | 'refused' | 'closed'

export interface SnapshotLine {
  /** The platform's sub-order id; made of order, product and SKU where the platform has none. Unique in its order. */
  readonly lineId: string
  /** The merchant's code, after the shop's skuMap. Empty when the platform gave none: then the line is held as unknown. */
  readonly sku: string
  readonly platformSku: string
  readonly title: string
  readonly quantity: number
  /**
   * Set where the platform wants fewer units by now than are in tasks: how many. `quantity` is then what the tasks hold
   * (./lines-on-their-way.ts).
   */
  readonly wanted?: number
  /** The line's share of what the buyer paid, without freight. Σ lines + freight = paidFen of the order. */
  readonly paidFen: number
  readonly gift: boolean
  /** lineId of the line that a gift goes with, where the platform says so. */
  readonly giftOf: string | null
  /** What the order itself says about a refund of this line (tmall's refund_status, WeChat's after-sale counts). */
  readonly refund: RefundStatus
  /** Where a platform counts them (WeChat) and they are neither none nor all: `refund` speaks of the other units. */
  readonly refundUnits?: RefundUnits
  /** Presale goods: not to be shipped before. */
  readonly readyAt: number | null
}

/** Kept exactly as the platform gave it: masked, OAID or ciphertext. Never logged, never in Redis. */
export interface Receiver {
  readonly name: string
  readonly phone: string
  readonly province: string
  readonly city: string
  readonly district: string
  readonly town: string
  readonly street: string
  readonly postalCode: string
  readonly oaid: string
  /** Six digits of the finest division that was recognised; null when none was. Filled by router/address. */
  readonly adcode: string | null
  readonly point: Point | null
}

export interface Presale {
  readonly step: 'deposit_unpaid' | 'deposit_paid' | 'balance_paid' | 'forfeited'
  readonly depositFen: number
}

/** One platform order as the platform last told it, whole. */
export interface OrderSnapshot {
  readonly type: 'order'
  readonly channel: ChannelName
  readonly shop: string
  readonly orderId: string
  readonly platformState: PlatformState
  /** The platform's own word, for people. */
  readonly platformStateRaw: string
  readonly createdAt: number
  readonly paidAt: number | null
  readonly modifiedAt: number
  /** The number of the fetch that brought it; 0: sent unasked. Of two with one `modifiedAt` the higher number holds. */
  readonly fetchNumber: number
  /** Ship before this instant, where the platform promises one. */
  readonly shipBy: number | null
  readonly lines: readonly SnapshotLine[]
  readonly freightFen: number
  /** Paid on top for services that no warehouse does (Tmall's service orders). Absent: nothing. */
  readonly serviceFen?: number
  /** What the buyer paid, or has to pay: lines + freight + services. */
  readonly paidFen: number
  readonly receiver: Receiver
  /** Where this one was told without a receiver: the rank of the snapshot that the receiver is of (./order.ts). */
  readonly receiverRank?: readonly number[]
  readonly buyerId: string
  readonly buyerMessage: string
  readonly sellerMemo: string
  readonly sellerFlag: number
  /** The buyer asks to change the address and the platform has not settled it. */
  readonly addressUnderReview: boolean
  readonly presale: Presale | null
  /** The payment's id at the payment provider: joins bills. */
  readonly transactionId: string | null
}

/** One refund as the platform last told it. */
export interface RefundSnapshot {
  readonly type: 'refund'
  readonly channel: ChannelName
  readonly shop: string
  readonly orderId: string
  readonly refundId: string
  /** null: the whole order. */
  readonly lineId: string | null
  readonly status: RefundStatus
  readonly refundFen: number
  /** The buyer has the goods, or has sent them back: it is about units that left. Absent: no. */
  readonly afterReceipt?: true
  readonly modifiedAt: number
}

/** A push that only says "something changed at this order": the order is to be fetched. */
export interface OrderNotification {
  readonly type: 'notification'
  readonly channel: ChannelName
  readonly shop: string
  readonly orderId: string
}

export type Snapshot = OrderSnapshot | RefundSnapshot | OrderNotification

/** One SKU at one node: a row of stock. */
export interface StockKey {
  readonly node: string
  readonly sku: string
}

export interface SkuQuantity {
  readonly sku: string
  readonly quantity: number
}

export const storageClasses = ['normal', 'cold', 'frozen', 'fragile', 'hazardous'] as const
export type StorageClass = (typeof storageClasses)[number]

export interface Sku {
  readonly sku: string
  readonly name: string
  readonly weightGrams: number
  readonly storageClass: StorageClass
  /** Ships from warehouses only, never from a store. */
  readonly warehouseOnly: boolean
  /** False: nothing of it is ever sent (补差价, a service). Absent: it is goods. */
  readonly requiresShipping?: boolean
  /** Not empty: a bundle (组合商品), never stocked itself. Components are plain SKUs. */
  readonly bundle: readonly SkuQuantity[]
}

/** A bundle's component or a plain line: what is really picked. */
export interface Item {
  /** Index into the snapshot's lines. */
  readonly line: number
  readonly sku: string
  readonly quantity: number
  /** Σ over a line's items = the line's paidFen. */
  readonly paidFen: number
}

/** virtual: wanted, and there is nothing to send: a price difference, a service. */
export type Place = 'held' | 'backordered' | 'task' | 'virtual' | 'cancelled' | 'returned'

/** Where some units of an item are. Σ quantity over an item's allocations = the item's quantity, always. */
export interface Allocation {
  /** Index into the order's items. */
  readonly item: number
  readonly quantity: number
  readonly place: Place
  /** Set exactly when place is `task`. */
  readonly taskId: string | null
}

export const orderStates = [
  'announced',
  'unpaid',
  'held',
  'backordered',
  'routed',
  'partly_shipped',
  'shipped',
  'cancelled',
  'closed',
] as const
/**
 * announced: only a refund is known yet. unpaid, held: nothing is sourced. backordered: some units wait for stock.
 * routed: all live units are in tasks. closed: the three flows agree.
 */
export type OrderState = (typeof orderStates)[number]

export interface Hold {
  readonly rule: string
  readonly reason: string
}

/** Everything the brain knows of one order; the store keeps it as one row plus its tasks. */
export interface Order extends OrderKey {
  /** The intake number of the event that made it known: unique, ascending, ours. */
  readonly id: string
  /** Rises by one with every change; a change made against an older one is refused. */
  readonly version: number
  readonly state: OrderState
  readonly snapshot: OrderSnapshot | null
  readonly refunds: readonly RefundSnapshot[]
  readonly holds: readonly Hold[]
  /** Rules that a person has overruled for this order. */
  readonly overruled: readonly string[]
  readonly cancelledBy: 'platform' | 'operator' | null
  /** One a line at most, by lineId. */
  readonly lineWords: readonly LineWord[]
  /** Nodes that gave this order back and are not asked again. */
  readonly excludedNodes: readonly string[]
  readonly items: readonly Item[]
  readonly allocations: readonly Allocation[]
  /** The highest number of a task so far: the next one's is above it. Refused parcels leave gaps. */
  readonly taskCount: number
  /** Reservation attempts so far: part of the next reservation's id. */
  readonly attempt: number
}
