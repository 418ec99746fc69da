/** For tests: orders whose three flows agree, from few numbers. */

import type { BillKind, BillRow } from '../bill.ts'
import type { Package } from '../task.ts'
import type { Track } from '../track.ts'
import type { Allocation, Item, Order, OrderSnapshot, RefundSnapshot, SnapshotLine } from '../types.ts'
import type { ReconcileInput, ShippedTask } from './types.ts'

export interface LineSeed {
  readonly quantity: number
  readonly paidFen: number
  /** Refunded and cancelled before it was shipped. */
  readonly cancelled: boolean
  /** Which of three tasks ships it. */
  readonly task: number
}

export interface WorldSeed {
  readonly lines: readonly LineSeed[]
  readonly freightFen: number
}

export const createdAt = Date.UTC(2026, 10, 11)
export const paidAt = createdAt + 60_000
export const shippedAt = createdAt + 3_600_000
export const deliveredAt = createdAt + 48 * 3_600_000

const key = { channel: 'wechat', shop: 'shop', orderId: 'order' } as const

/** Shipped and delivered, cancelled lines refunded, every fen in a bill. */
export function agreeingWorld({ lines, freightFen }: WorldSeed): ReconcileInput {
  const told = lines.map(lineOf)
  const paidFen = told.reduce((sum, line) => sum + line.paidFen, freightFen)
  const items: Item[] = told.map(({ sku, quantity, paidFen: fen }, line) => ({ line, sku, quantity, paidFen: fen }))
  const allocations: Allocation[] = lines.map(({ cancelled, quantity, task }, item) =>
    cancelled
      ? { item, quantity, place: 'cancelled', taskId: null }
      : { item, quantity, place: 'task', taskId: `task-${task}` },
  )
  const cancelled = lines.flatMap((line, i) => (line.cancelled && line.paidFen > 0 ? [told[i]!] : []))
  const tasks = [0, 1, 2].flatMap((task) => taskOf(task, lines, told))
  const bills = paidFen > 0 ? [billRow('payment', 'payment', paidFen)] : []
  for (const line of cancelled) bills.push(billRow('refund', `refund-${line.lineId}`, line.paidFen))
  return {
    order: orderOf(snapshotOf(told, freightFen, paidFen), items, allocations, cancelled.map(refundOf)),
    tasks,
    tracks: tasks.flatMap((task) => task.packages.map(deliveredTrack)),
    bills,
  }
}

export function billRow(kind: BillKind, ref: string, amountFen: number): BillRow {
  return { ref, kind, ...key, transactionId: null, amountFen, feeFen: Math.trunc(amountFen / 160), occurredAt: paidAt }
}

export function refundOf(line: SnapshotLine): RefundSnapshot {
  const { lineId, paidFen: refundFen } = line
  return { type: 'refund', ...key, refundId: `r-${lineId}`, lineId, status: 'refunded', refundFen, modifiedAt: paidAt }
}

function deliveredTrack({ carrier, waybill }: Package): Track {
  return { carrier, waybill, state: 'delivered', occurredAt: deliveredAt }
}

function lineOf({ quantity, paidFen, cancelled }: LineSeed, index: number): SnapshotLine {
  // Two lines of one SKU are common, and are where counting by SKU goes wrong.
  const sku = `sku-${index % 3}`
  const known = { lineId: `line-${index}`, sku, platformSku: sku, title: sku, quantity, paidFen, readyAt: null }
  return { ...known, gift: paidFen === 0, giftOf: null, refund: cancelled ? 'refunded' : 'none' }
}

function taskOf(task: number, lines: readonly LineSeed[], told: readonly SnapshotLine[]): ShippedTask[] {
  const quantities = new Map<string, number>()
  lines.forEach((line, i) => {
    const { sku } = told[i]!
    if (!line.cancelled && line.task === task) quantities.set(sku, (quantities.get(sku) ?? 0) + line.quantity)
  })
  if (quantities.size === 0) return []
  const all = [...quantities].map(([sku, quantity]) => ({ sku, quantity }))
  // The second task goes out in one parcel a SKU, the others in one.
  const groups = task === 1 ? all.map((line) => [line]) : [all]
  const packages = groups.map((group, i) => ({ carrier: 'SF', waybill: `SF${task}${i}`, lines: group, shippedAt }))
  return [
    { taskId: `task-${task}`, state: 'shipped', lines: all.map((l) => ({ ...l, shipped: l.quantity })), packages },
  ]
}

function snapshotOf(lines: readonly SnapshotLine[], freightFen: number, paidFen: number): OrderSnapshot {
  const receiver = {
    ...{ name: '', phone: '', province: '', city: '', district: '', town: '', street: '', postalCode: '', oaid: '' },
    ...{ adcode: null, point: null },
  }
  return {
    ...{
      type: 'order',
      ...key,
      platformState: 'ready',
      platformStateRaw: '20',
      createdAt,
      paidAt,
      modifiedAt: paidAt,
      fetchNumber: 0,
    },
    ...{ shipBy: null, lines, freightFen, paidFen, receiver, buyerId: '', buyerMessage: '', sellerMemo: '' },
    ...{ sellerFlag: 0, addressUnderReview: false, presale: null, transactionId: null },
  }
}

function orderOf(
  snapshot: OrderSnapshot,
  items: readonly Item[],
  allocations: readonly Allocation[],
  refunds: readonly RefundSnapshot[],
): Order {
  return {
    ...{ ...key, id: '1', version: 3, state: 'shipped', snapshot, refunds, holds: [], overruled: [] },
    ...{ cancelledBy: null, lineWords: [], excludedNodes: [], items, allocations, taskCount: 3, attempt: 1 },
  }
}
