/** One order of the story, wherever its bytes come from: a published sample, the generator, or a limited edition. */

import type { District } from '../../workers/process/demo-network/districts.ts'
import type { BilledOrder, MoneyMove } from '../traffic/bills.ts'
import { moneyOf } from '../traffic/bills.ts'
import { encode, type WireRequest } from '../traffic/encode.ts'
import type { EventName } from '../traffic/events.ts'
import { tmallId } from '../traffic/ids.ts'
import type { GeneratedLine, GeneratedOrder } from '../traffic/order.ts'

export interface StoryOrder extends BilledOrder {
  /** What was ordered: merchant codes, bundles not exploded. */
  readonly skus: readonly string[]
  /** What moved once the whole story is told. */
  readonly moves: readonly MoneyMove[]
  request(event: EventName, nowMs: number): WireRequest
}

export function fromGenerator(order: GeneratedOrder): StoryOrder {
  const { channel, shop, orderId, index, buyerId, transactionId } = order
  return {
    ...{ channel, shop, orderId, index, buyerId, transactionId },
    skus: order.lines.map((line) => line.sku),
    moves: moneyOf(order),
    request: (event, nowMs) => encode(order, event, nowMs),
  }
}

export interface WantedLine {
  readonly sku: string
  readonly name: string
  readonly quantity: number
  readonly unitFen: number
}

/** A tmall or jd order of the generator with one other line, going to another place. WeChat's stand-in would not know it. */
export function relined(order: GeneratedOrder, wanted: WantedLine, district: District): GeneratedOrder {
  const { sku, name, quantity, unitFen } = wanted
  const skuId = '4999900001'
  const line: GeneratedLine = {
    ...{ sku, merchantCode: sku, title: name, productId: '635499900001', skuId, quantity, unitFen },
    lineId: order.channel === 'tmall' ? tmallId(order.seed, order.index) : `${order.orderId}-${skuId}`,
    ...{ discountFen: 0, sharedFen: 0, paidFen: unitFen * quantity, gift: false, giftOf: null },
  }
  const receiver = { ...order.receiver, district }
  return { ...order, lines: [line], freightFen: 0, paidFen: line.paidFen, balanceFen: 0, depositFen: 0, receiver }
}
