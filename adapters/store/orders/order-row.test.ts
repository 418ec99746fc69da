/** What is left out of an order's row comes back when it is read. */
import { expect, test } from 'vitest'
import { newOrder } from '../../../router/order.ts'
import { line, receiver, snapshot } from '../../../router/testing/orders.ts'
import { fc } from '../../../router/testing/seed.ts'
import type { Order, OrderSnapshot, Receiver, SnapshotLine } from '../../../router/types.ts'
import { type OrderRow, orderBody, orderFromRow } from './order-row.ts'

const text = fc.constantFrom('', 'x')
const instant = fc.constantFrom(null, 0, 5)
const orNull = <T>(value: T) => fc.constantFrom(null, value)
const change = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] })

const lines = fc.array(
  change<Partial<SnapshotLine>>({
    gift: fc.boolean(),
    giftOf: orNull('1'),
    refund: fc.constantFrom('none', 'requested'),
    readyAt: instant,
    paidFen: fc.nat(),
    title: text,
  }).map((some) => line('1', some as Partial<SnapshotLine>)),
)
const receivers = change<Partial<Receiver>>({
  name: text,
  phone: text,
  town: text,
  street: text,
  postalCode: text,
  oaid: text,
  adcode: orNull('330110'),
  point: orNull({ lat: 0, lng: 0 }),
}).map((some) => ({ ...receiver, ...some }) as Receiver)
const snapshots = fc
  .tuple(
    lines,
    receivers,
    change<Partial<OrderSnapshot>>({
      paidAt: instant,
      fetchNumber: fc.constantFrom(0, 7),
      shipBy: instant,
      freightFen: fc.constantFrom(0, 5),
      buyerId: text,
      buyerMessage: text,
      sellerMemo: text,
      sellerFlag: fc.constantFrom(0, 3),
      addressUnderReview: fc.boolean(),
      presale: orNull({ step: 'deposit_paid' as const, depositFen: 0 }),
      transactionId: orNull(''),
    }),
  )
  .map(([l, r, some]) => ({ ...snapshot(some as Partial<OrderSnapshot>), lines: l, receiver: r }))
const orders = fc
  .tuple(
    fc.option(snapshots),
    change<Partial<Order>>({
      holds: fc.array(fc.constant({ rule: 'unpaid', reason: 'x' })),
      overruled: fc.array(text),
      cancelledBy: fc.constantFrom(null, 'operator' as const),
      excludedNodes: fc.array(text),
      taskCount: fc.nat(),
      attempt: fc.nat(),
      version: fc.nat(),
    }),
  )
  .map(([told, some]) => {
    const order = newOrder({ channel: 'tmall', shop: 's', orderId: 'O1' }, '7')
    return { ...order, ...(some as Partial<Order>), snapshot: told }
  })

function rowOf(order: Order): OrderRow {
  const { id, channel, shop, orderId, version, state, items, allocations } = order
  const body = JSON.parse(JSON.stringify(orderBody(order))) as OrderRow['body']
  return { id, channel, shop, order_id: orderId, version, state, body, items, allocations }
}

test('whatever an order holds', () => {
  fc.assert(
    fc.property(orders, (order) => {
      expect(orderFromRow(rowOf(order))).toEqual(order)
    }),
  )
})

test('a plain order says nothing that goes without saying', () => {
  const order = { ...newOrder({ channel: 'tmall', shop: 's', orderId: 'O1' }, '7'), snapshot: snapshot() }
  expect(orderBody(order)).toEqual({
    snapshot: {
      platformState: 'ready',
      platformStateRaw: 'X',
      createdAt: 1,
      paidAt: 2,
      modifiedAt: 10,
      paidFen: 100,
      buyerId: 'b',
      lines: [{ lineId: '1', sku: 'A', platformSku: '1', title: '1', quantity: 1, paidFen: 100 }],
      receiver: {
        ...{ name: '王**', phone: '1**', province: '浙江省', city: '杭州市', district: '余杭区', street: '密街1号' },
        ...{ adcode: '330110', point: { lat: 30, lng: 120 } },
      },
    },
  })
})

test('an order of version 0.1.0 says its number of the fetch under the name `pull`', () => {
  const told = snapshot({ fetchNumber: 7 })
  const order = { ...newOrder({ channel: 'wechat', shop: 's', orderId: 'O1' }, '7'), snapshot: told }
  const row = rowOf(order)
  const { fetchNumber, ...rest } = row.body.snapshot!
  const stored = { ...row, body: { ...row.body, snapshot: { ...rest, pull: fetchNumber } } } as unknown as OrderRow
  const read = orderFromRow(stored)
  expect(read.snapshot!.fetchNumber).toBe(7)
  expect(read).toEqual(orderFromRow(row))
  expect(JSON.stringify(orderBody(read))).not.toContain('pull')
})
