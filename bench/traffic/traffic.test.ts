/** What the generator writes is read by the product's own channels and bill readers, and comes to what it meant. */
import { beforeAll, describe, expect, test } from 'vitest'
import { parseGenericBill } from '../../adapters/bills/generic.ts'
import { parseWechatPayBill } from '../../adapters/bills/wechatpay.ts'
import { receiveKuaidi100 } from '../../adapters/carriers/kuaidi100.ts'
import type { ReceivedEvent } from '../../adapters/channels/channel.ts'
import { channels } from '../../adapters/channels/channels.ts'
import { fetchedOrderEvent } from '../../adapters/channels/wechat/channel.ts'
import { loadDivisions } from '../../adapters/divisions/load.ts'
import { resolveAddress } from '../../router/address.ts'
import { channelNames, type OrderSnapshot, type RefundSnapshot } from '../../router/types.ts'
import { demoNetwork } from '../../workers/process/demo-network/network.ts'
import { genericBill, moneyOf, wechatBill } from './bills.ts'
import { encode, type WireRequest } from './encode.ts'
import { type EventName, eventNames, stories, viewAt } from './events.ts'
import { orderAt } from './generator.ts'
import { indexOfWechatId, jdId, tmallId, wechatId } from './ids.ts'
import { kuaidi100Push } from './kuaidi100.ts'
import type { GeneratedOrder } from './order.ts'
import { scenarios, type TrafficPlan, trafficPlan } from './plan.ts'
import { refundFen } from './tmall.ts'
import { orderJson } from './wechat.ts'

const divisions = loadDivisions()
const network = demoNetwork(divisions, 42)
const startMs = Date.UTC(2026, 10, 10, 16)
let plan: TrafficPlan
let orders: GeneratedOrder[]

beforeAll(() => {
  plan = trafficPlan({ network, divisions, seed: 7, startMs })
  // Few scenarios are common: this plan makes all of them so.
  const even = Object.fromEntries(scenarios.map((name) => [name, 1]))
  const rich = trafficPlan({
    network,
    divisions,
    seed: 8,
    startMs,
    scenarios: even,
    mix: { tmall: 1, jd: 1, wechat: 1 },
  })
  orders = Array.from({ length: 600 }, (_, index) => orderAt(rich, index))
})

function receive(order: GeneratedOrder, request: WireRequest, nowMs = startMs) {
  return channels[order.channel].receive(
    { method: request.method, query: request.query, contentType: request.headers['content-type']!, body: request.body },
    order.shop.credentials,
    nowMs,
  )
}

function taken(order: GeneratedOrder, event: EventName): ReceivedEvent {
  const received = receive(order, encode(order, event, startMs))
  if (received.outcome !== 'event') throw new Error(`${order.channel} ${event}: ${JSON.stringify(received)}`)
  return received
}

/** What the platform shows after the event, through the channel; WeChat's is pulled. */
function snapshotAfter(order: GeneratedOrder, event: EventName): OrderSnapshot {
  const channel = channels[order.channel]
  const settings = { shop: order.shop.shop, skuMap: order.shop.skuMap }
  const { kind, payload } =
    order.channel === 'wechat'
      ? fetchedOrderEvent(Buffer.from(orderJson(order, viewAt(order, event))), '1')
      : taken(order, event)
  return channel.normalise(kind, payload, settings) as OrderSnapshot
}

describe('orders', () => {
  test('ids are distinct over 100,000 orders and carry their index', () => {
    for (const idOf of [tmallId, jdId, wechatId]) {
      expect(new Set(Array.from({ length: 100_000 }, (_, index) => idOf(7, index))).size).toBe(100_000)
    }
    expect(indexOfWechatId(7, wechatId(7, 31_415))).toBe(31_415)
    expect(indexOfWechatId(8, wechatId(7, 31_415))).toBeNull()
    expect(indexOfWechatId(7, '3705115058471208928')).toBeNull()
  })

  test('the same seed gives the same bytes, in any order of asking', () => {
    const again = trafficPlan({ network: demoNetwork(divisions, 42), divisions, seed: 7, startMs })
    for (const index of [500, 3, 99_999, 0]) {
      const [first, second] = [plan, again].map((from) => encode(orderAt(from, index), 'paid', startMs))
      expect(second).toEqual(first)
    }
    expect(() => orderAt(plan, -1)).toThrow(RangeError)
  })

  test('the mix is as stated, and so are the lines', () => {
    const sample = Array.from({ length: 8000 }, (_, index) => orderAt(plan, index))
    const share = (test: (order: GeneratedOrder) => boolean) => sample.filter(test).length / sample.length
    for (const [channel, wanted] of [
      ['tmall', 0.5],
      ['jd', 0.25],
      ['wechat', 0.25],
    ] as const) {
      expect(Math.abs(share((order) => order.channel === channel) - wanted)).toBeLessThan(0.02)
    }
    expect(Math.abs(share(({ lines }) => lines.filter(({ gift }) => !gift).length === 1) - 0.45)).toBeLessThan(0.03)
    expect(Math.abs(share(({ scenario }) => scenario === 'plain') - 0.94)).toBeLessThan(0.02)
    expect(share(({ lines }) => lines.some(({ sku }) => sku.startsWith('CF-SET-')))).toBeGreaterThan(0.01)
  })
})

describe('through the channels', () => {
  test('every event of every story is taken, twice the same, and means the order', () => {
    const told = new Set<string>()
    for (const order of orders) {
      for (const event of new Set([...stories[order.scenario], 'paid', 'shipped', 'completed'] as const)) {
        if (order.channel === 'jd' && viewAt(order, event).paidAt === null) continue
        const first = taken(order, event)
        expect(first.orderId).toBe(order.orderId)
        const second = receive(order, encode(order, event, startMs + 2000), startMs + 2000) as ReceivedEvent
        // Byte arrays compare a thousand times faster by themselves than element by element.
        expect(Buffer.compare(second.payload, first.payload)).toBe(0)
        // Sent at another moment, it is signed anew.
        const { payload: _, signature: __, ...said } = second
        expect(said).toEqual({ ...first, payload: undefined, signature: undefined })
        told.add(`${order.channel} ${event}`)
      }
    }
    for (const event of eventNames) if (event !== 'deposit_paid') expect(told).toContain(`tmall ${event}`)
  })

  test('a changed byte is refused', () => {
    for (const order of orders.slice(0, 60)) {
      const request = encode(order, 'paid', startMs)
      const body = Buffer.from(request.body)
      const at = body.length - 30
      body[at] = body[at] === 0x41 ? 0x42 : 0x41
      expect(receive(order, { ...request, body })).toMatchObject({ outcome: 'refused', code: 'bad_signature' })
    }
  })

  test('a paid order comes to exactly the lines, money and place that were meant', () => {
    for (const order of orders) {
      const snapshot = snapshotAfter(order, 'paid')
      expect(snapshot).toMatchObject({
        channel: order.channel,
        shop: order.shop.shop,
        orderId: order.orderId,
        platformState: 'ready',
        paidFen: order.paidFen,
        freightFen: order.freightFen,
        buyerId: order.buyerId,
        buyerMessage: order.buyerMessage,
        transactionId: order.transactionId,
        addressUnderReview: order.scenario === 'address_review',
      })
      expect(
        snapshot.lines.map(({ lineId, sku, platformSku, quantity, paidFen, gift, giftOf }) => ({
          ...{ lineId, sku, platformSku, quantity, paidFen, gift, giftOf },
        })),
      ).toEqual(
        order.lines.map(({ lineId, sku, skuId, quantity, paidFen, gift, giftOf }) => ({
          ...{ lineId, sku, platformSku: skuId, quantity, paidFen, gift, giftOf },
        })),
      )
      expect(snapshot.lines.reduce((sum, { paidFen }) => sum + paidFen, snapshot.freightFen)).toBe(snapshot.paidFen)
      expect(resolveAddress(divisions, snapshot.receiver)?.adcode).toBe(order.receiver.district.adcode)
    }
  })

  test.each<[EventName, OrderSnapshot['platformState']]>([
    ['created', 'unpaid'],
    ['deposit_paid', 'unpaid'],
    ['expired', 'closed'],
    ['memo_changed', 'ready'],
    ['closed', 'closed'],
    ['shipped', 'shipped'],
    ['completed', 'completed'],
  ])('%s is shown as %s, later than what went before', (event, state) => {
    for (const order of orders) {
      const isUnpaid = state === 'unpaid' || event === 'expired'
      if (isUnpaid && order.channel === 'jd') continue
      if (event === 'deposit_paid' && order.scenario !== 'presale') continue
      // What the order's own story would contradict.
      if ((order.scenario === 'expired') !== (event === 'expired') && event !== 'created') continue
      if (order.scenario === 'cancel' || order.scenario === 'refund') continue
      const snapshot = snapshotAfter(order, event)
      expect(snapshot.platformState).toBe(state)
      expect(snapshot.paidAt === null).toBe(isUnpaid)
      if (event !== 'created') expect(snapshot.modifiedAt).toBeGreaterThan(order.createdAt)
    }
  })

  test('a refund before shipping is shown in the way of each platform', () => {
    const refunds = orders.filter(({ scenario }) => scenario === 'refund')
    expect(new Set(refunds.map(({ channel }) => channel)).size).toBe(channelNames.length)
    for (const order of refunds) {
      if (order.channel === 'tmall') {
        const { kind, payload } = taken(order, 'refund_success')
        const refund = channels.tmall.normalise(kind, payload, { shop: order.shop.shop, skuMap: {} }) as RefundSnapshot
        expect(refund).toMatchObject({
          type: 'refund',
          orderId: order.orderId,
          lineId: order.lines[0]!.lineId,
          status: 'refunded',
          refundFen: refundFen(order),
        })
      } else if (order.channel === 'jd') {
        expect(snapshotAfter(order, 'refund_requested').platformState).toBe('on_hold')
        expect(snapshotAfter(order, 'refund_success').platformState).toBe('closed')
      } else {
        expect(snapshotAfter(order, 'refund_requested').lines[0]!.refund).toBe('requested')
        expect(snapshotAfter(order, 'refund_success').lines[0]!.refund).toBe('refunded')
      }
    }
  })

  test('changed address and memo are shown, and no review is left', () => {
    for (const order of orders) {
      if (order.scenario === 'address_change' || order.scenario === 'address_review') {
        const { receiver, addressUnderReview } = snapshotAfter(order, 'address_changed')
        expect(resolveAddress(divisions, receiver)?.adcode).toBe(order.otherReceiver.district.adcode)
        expect(addressUnderReview).toBe(false)
      }
      if (order.scenario === 'memo_change') {
        expect(snapshotAfter(order, 'memo_changed').sellerMemo).not.toBe(snapshotAfter(order, 'paid').sellerMemo)
      }
    }
  })
})

describe('bills and parcels', () => {
  test.each([
    ['wechatpay', wechatBill, parseWechatPayBill, (order: GeneratedOrder) => order.channel === 'wechat'],
    ['generic', genericBill, parseGenericBill, (order: GeneratedOrder) => order.channel !== 'wechat'],
  ] as const)('the %s bill parses to the money that moved', (_, write, parse, isMine) => {
    const bill = parse(Buffer.from(write(orders)))
    if (bill.outcome !== 'parsed') throw new Error(bill.message)
    const moves = orders.filter(isMine).flatMap((order) => moneyOf(order).map((move) => ({ order, move })))
    expect(moves.some(({ move }) => move.kind === 'refund')).toBe(true)
    expect(
      bill.rows.map(({ kind, amountFen, feeFen, occurredAt }) => ({ kind, amountFen, feeFen, occurredAt })),
    ).toEqual(moves.map(({ move: { kind, amountFen, feeFen, at } }) => ({ kind, amountFen, feeFen, occurredAt: at })))
    expect(bill.rows.map(({ orderId, transactionId }) => orderId ?? transactionId)).toEqual(
      moves.map(({ order }) => (order.channel === 'wechat' ? order.transactionId : order.orderId)),
    )
  })

  test.each([
    ['collected', 'collected'],
    ['in_transit', 'in_transit'],
    ['out_for_delivery', 'out_for_delivery'],
    ['signed', 'delivered'],
    ['problem', 'exception'],
    ['returned', 'returned'],
  ] as const)('a kuaidi100 push of %s is taken as %s', (state, track) => {
    const { account, salt } = network.kuaidi100
    const push = kuaidi100Push({ account, salt, carrier: 'shunfeng', waybill: 'SF1234567890', state, atMs: startMs })
    expect(push.path).toBe(`/webhooks/carriers/kuaidi100/${account}`)
    expect(receiveKuaidi100(push.body, salt)).toMatchObject({
      outcome: 'track',
      track: { carrier: 'shunfeng', waybill: 'SF1234567890', state: track, occurredAt: startMs },
    })
    expect(receiveKuaidi100(push.body, 'other')).toEqual({ outcome: 'refused', code: 'bad_signature' })
  })
})
