/** The order object of WeChat shops (`/channels/ec/order/get`): amounts are integer fen, times epoch seconds. */
import type { OrderSnapshot, PlatformState, RefundStatus, SnapshotLine } from '../../../router/types.ts'
import type { ShopSettings } from '../channel.ts'
import {
  epochSecondsIn,
  fenIn,
  idIn,
  isObject,
  type Json,
  latest,
  mapSku,
  objectIn,
  objects,
  optionalObjectIn,
  ordinals,
  quantityIn,
  requiredIdIn,
  textIn,
  unintelligible,
  wholeIn,
} from '../read.ts'

export function wechatOrder(order: Json, settings: ShopSettings): OrderSnapshot {
  const detail = objectIn(order, 'order_detail')
  const price = objectIn(detail, 'price_info')
  const pay = optionalObjectIn(detail, 'pay_info')
  const delivery = optionalObjectIn(detail, 'delivery_info')
  const notes = optionalObjectIn(detail, 'ext_info')
  const status = wholeIn(order, 'status', 0, 999)
  const platformState = status === null ? undefined : states.get(status)
  if (platformState === undefined) unintelligible('status')
  const createdAt = epochSecondsIn(order, 'create_time')
  const paidAt = epochSecondsIn(pay, 'pay_time')
  const modifiedAt = epochSecondsIn(order, 'update_time') ?? latest([createdAt, paidAt])
  if (modifiedAt === null) unintelligible('update_time')
  const orderId = requiredIdIn(order, 'order_id')
  const products = objects(detail.product_infos, 'product_infos')
  if (products.length === 0) unintelligible('product_infos')
  return {
    type: 'order',
    channel: 'wechat',
    shop: settings.shop,
    orderId,
    platformState,
    platformStateRaw: String(status),
    createdAt: createdAt ?? modifiedAt,
    paidAt,
    modifiedAt,
    // Not of the answer: it stands in the event's id.
    fetchNumber: 0,
    shipBy: earliest(products.map((product) => epochSecondsIn(product, 'delivery_deadline'))),
    lines: linesOf(orderId, products, settings),
    freightFen: fenIn(price, 'freight') ?? 0,
    paidFen: fenIn(price, 'order_price') ?? unintelligible('order_price'),
    receiver: receiverOf(optionalObjectIn(delivery, 'address_info')),
    buyerId: textIn(order, 'openid'),
    buyerMessage: textIn(notes, 'customer_notes'),
    sellerMemo: textIn(notes, 'merchant_notes'),
    sellerFlag: 0,
    addressUnderReview: isUnderReview(delivery.address_under_review),
    presale: null,
    transactionId: idIn(pay, 'transaction_id'),
  }
}

const states: ReadonlyMap<number, PlatformState> = new Map([
  [10, 'unpaid'],
  // A present whose receiver has not said where to, and a group that is not complete: paid or not, not to be sent.
  [12, 'on_hold'],
  [13, 'on_hold'],
  [20, 'ready'],
  [21, 'partly_shipped'],
  [30, 'shipped'],
  [100, 'completed'],
  [190, 'closed'],
  [200, 'closed'],
  [250, 'closed'],
])

function linesOf(orderId: string, products: readonly Json[], settings: ShopSettings): readonly SnapshotLine[] {
  const unique = ordinals()
  return products.map((product) => {
    const productId = requiredIdIn(product, 'product_id')
    const skuId = idIn(product, 'sku_id')
    const quantity = quantityIn(product, 'sku_cnt')
    return {
      lineId: unique(`${orderId}-${productId}-${skuId ?? '0'}`),
      sku: mapSku(textIn(product, 'out_sku_id') || textIn(product, 'sku_code'), skuId ?? productId, settings),
      platformSku: skuId ?? productId,
      title: textIn(product, 'title'),
      quantity,
      // The line's whole, not one piece's.
      paidFen: fenIn(product, 'real_price') ?? unintelligible('real_price'),
      gift: false,
      giftOf: null,
      ...refundOf(product, quantity),
      readyAt: null,
    }
  })
}

/**
 * The platform counts the units of after-sales that are finished and of those that are open ([D]); the counts say nothing
 * of amounts. A line is refunded when all its units are; of a line of which some are, the counts are kept.
 */
function refundOf(product: Json, quantity: number): Pick<SnapshotLine, 'refund' | 'refundUnits'> {
  const refunded = wholeIn(product, 'finish_aftersale_sku_cnt', 0, 1_000_000) ?? 0
  const requested = wholeIn(product, 'on_aftersale_sku_cnt', 0, 1_000_000) ?? 0
  if (refunded >= quantity) return { refund: 'refunded' }
  const refund: RefundStatus = requested > 0 ? 'requested' : 'none'
  if (refunded === 0 && (requested === 0 || requested >= quantity)) return { refund }
  return { refund, refundUnits: { requested: Math.min(requested, quantity - refunded), refunded } }
}

function receiverOf(address: Json): OrderSnapshot['receiver'] {
  const extra = optionalObjectIn(address, 'tel_number_ext_info')
  const virtual = wholeIn(address, 'use_tel_number', 0, 9) === 1 ? textIn(extra, 'virtual_tel_number') : ''
  const code = textIn(address, 'national_code')
  return {
    name: textIn(address, 'user_name'),
    // The real number is masked; the virtual one is the one that rings.
    phone: virtual || textIn(address, 'tel_number'),
    province: textIn(address, 'province_name'),
    city: textIn(address, 'city_name'),
    district: textIn(address, 'county_name'),
    town: '',
    street: textIn(address, 'detail_info') + textIn(address, 'house_number'),
    postalCode: textIn(address, 'postal_code'),
    oaid: '',
    adcode: /^\d{6}$/.test(code) ? code : null,
    point: null,
  }
}

/** The address that is asked for, while it is; some answers hold a flag instead. */
function isUnderReview(value: unknown): boolean {
  if (isObject(value)) return Object.values(value).some((field) => Boolean(field))
  return value === true || value === 1 || value === '1'
}

function earliest(instants: readonly (number | null)[]): number | null {
  let first: number | null = null
  for (const instant of instants) if (instant !== null && (first === null || instant < first)) first = instant
  return first
}
