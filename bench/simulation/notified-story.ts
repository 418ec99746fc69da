/** Stories of orders of which the platform only notifies: each version as its API gives it, and the notification of it. */
import type { Random } from '../../adapters/shared/seeded-random.ts'
import { hashed, type InboxEvent } from '../../adapters/store/inbox/event.ts'
import { provinces, skus } from './network.ts'
import type { MoneyMove, Story } from './story.ts'

export const notifyingShop = 'w'

interface Product {
  readonly id: string
  readonly sku: string
  readonly quantity: number
  readonly paidFen: number
  returning: number
  returned: number
}

export interface Version {
  /** By the platform's clock. */
  readonly atMs: number
  readonly body: Uint8Array
  readonly notification: InboxEvent
}

export interface NotifiedStory extends Story {
  readonly versions: readonly Version[]
}

const statusOf = { unpaid: 10, ready: 20, closed: 250 } as const

export function tellNotifiedStory(random: Random, orderId: string, startMs: number): NotifiedStory {
  const products: Product[] = []
  const count = random.between(1, 3)
  for (let i = 0; i < count; i++) {
    const quantity = random.between(1, 3)
    const money = { paidFen: 100 * quantity, returning: 0, returned: 0 }
    products.push({ ...{ id: `${orderId}${i}`, sku: random.pick(skus), quantity }, ...money })
  }
  let status: keyof typeof statusOf = 'ready'
  let province: string = random.pick(provinces)
  let atMs = startMs
  const versions: Version[] = []
  const tell = (): void => {
    const body = orderBody({ orderId, status: statusOf[status], startMs, atMs, province, products })
    versions.push({ body, atMs, notification: notificationOf(orderId, versions.length, atMs) })
    // In the same second, or further apart than the product takes two stamps of one change to be.
    if (random.chance(0.6)) atMs += 10_000
  }
  if (random.chance(0.3)) {
    status = 'unpaid'
    tell()
    status = 'ready'
  }
  tell()
  if (random.chance(0.4)) {
    province = random.pick(provinces)
    tell()
  }
  const money: MoneyMove[] = [{ kind: 'payment', amountFen: products.reduce((sum, p) => sum + p.paidFen, 0) }]
  if (random.chance(0.35)) {
    const product = random.pick(products)
    product.returning = product.quantity
    tell()
    product.returning = 0
    if (random.chance(0.5)) {
      product.returned = product.quantity
      money.push({ kind: 'refund', amountFen: product.paidFen })
    }
    tell()
  }
  if (random.chance(0.15)) {
    status = 'closed'
    tell()
  }
  return { ...{ channel: 'wechat', shop: notifyingShop, orderId, events: [] }, versions, money }
}

interface ToldOrder {
  readonly orderId: string
  readonly status: number
  readonly startMs: number
  readonly atMs: number
  readonly province: string
  readonly products: readonly Product[]
}

function orderBody({ orderId, status, startMs, atMs, province, products }: ToldOrder): Uint8Array {
  const createdAt = Math.floor(startMs / 1000)
  const paidAt = status === statusOf.unpaid ? {} : { pay_time: createdAt, transaction_id: `t${orderId}` }
  const paidFen = products.reduce((sum, p) => sum + p.paidFen, 0)
  const order = {
    ...{ order_id: orderId, status, create_time: createdAt, update_time: Math.floor(atMs / 1000) },
    order_detail: {
      product_infos: products.map((p) => ({
        ...{ product_id: p.id, sku_id: p.id, out_sku_id: p.sku, sku_cnt: p.quantity, real_price: p.paidFen },
        ...{ on_aftersale_sku_cnt: p.returning, finish_aftersale_sku_cnt: p.returned },
      })),
      price_info: { order_price: paidFen, freight: 0 },
      pay_info: paidAt,
      delivery_info: {
        address_info: { province_name: province, city_name: province, user_name: '*', tel_number: '*' },
      },
    },
  }
  return Buffer.from(JSON.stringify({ errcode: 0, order }))
}

/** Two of one second have different names. */
function notificationOf(orderId: string, number: number, atMs: number): InboxEvent {
  const event = `channels_ec_order_change${number}`
  const told = {
    FromUserName: 'u',
    CreateTime: Math.floor(atMs / 1000),
    Event: event,
    order_info: { order_id: orderId },
  }
  const body = Buffer.from(JSON.stringify(told))
  const eventId = `u:${Math.floor(atMs / 1000)}:${event}:${orderId}`
  const key = { channel: 'wechat', shop: notifyingShop, eventId, orderId }
  return hashed({ ...key, kind: 'notification', occurredAt: Math.floor(atMs / 1000) * 1000, body })
}
