/** The order object of WeChat shops (`/channels/ec/order/get`): amounts are integer fen, times epoch seconds. */
import type { OrderSnapshot, PlatformState, RefundStatus, SnapshotLine } from '../../../router/types.ts'
import type { ShopSettings } from '../channel.ts'
import {
  codeIn,
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
  quantityIn,
  requiredIdIn,
  textIn,
  unintelligible,
  uniqueLineIds,
  wholeIn,
} from '../read.ts'

export function wechatOrder(order: Json, settings: ShopSettings): OrderSnapshot {
  const detail = objectIn(order, 'order_detail')
  const price = objectIn(detail, 'price_info')
  const pay = optionalObjectIn(detail, 'pay_info')
  const delivery = optionalObjectIn(detail, 'delivery_info')
  const notes = optionalObjectIn(detail, 'ext_info')
  const status = wholeIn(order, 'status', 0, 9_999) ?? unintelligible('status')
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
    // Of a state that we do not know only a person can say what may be sent.
    platformState: states.get(status) ?? 'on_hold',
    platformStateRaw: String(status),
    createdAt: createdAt ?? modifiedAt,
    paidAt,
    modifiedAt,
    // Not of the answer: it stands in the event's id.
    fetchNumber: 0,
    shipBy: earliest(products.map((product) => epochSecondsIn(product, 'delivery_deadline'))),
    lines: linesOf(orderId, products, settings),
    freightFen: freightOf(price),
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
  // Paid, and to be redeemed by its buyer before anything is sent.
  [17, 'on_hold'],
  [20, 'ready'],
  [21, 'partly_shipped'],
  [30, 'shipped'],
  [100, 'completed'],
  [190, 'closed'],
  [200, 'closed'],
  [250, 'closed'],
])

function linesOf(orderId: string, products: readonly Json[], settings: ShopSettings): readonly SnapshotLine[] {
  const read = products.map((product) => ({
    product,
    productId: requiredIdIn(product, 'product_id'),
    skuId: idIn(product, 'sku_id'),
    quantity: quantityIn(product, 'sku_cnt'),
    // The line's whole, not one piece's.
    paidFen: fenIn(product, 'real_price') ?? unintelligible('real_price'),
    gift: isTrue(product.is_free_gift),
  }))
  const lineIds = uniqueLineIds(
    read.map(({ productId, skuId }) => `${orderId}-${productId}-${skuId ?? '0'}`),
    // Goods that are bought come before those that are given away. The platform's own id says all, where it is given.
    read.map(({ product, paidFen, quantity, gift }) => [
      ...(gift ? [1] : [0]),
      idIn(product, 'product_unique_id') ?? '',
      ...[paidFen, quantity],
      ...['finish_aftersale_sku_cnt', 'on_aftersale_sku_cnt'].map((key) => wholeIn(product, key, 0, 1_000_000) ?? 0),
    ]),
  )
  return read.map(({ product, productId, skuId, quantity, paidFen, gift }, index) => ({
    lineId: lineIds[index]!,
    sku: mapSku(codeIn(product, 'out_sku_id') || codeIn(product, 'sku_code'), skuId ?? productId, settings),
    platformSku: skuId ?? productId,
    title: textIn(product, 'title'),
    quantity,
    paidFen,
    gift,
    giftOf: gift ? mainLineOf(product, read, lineIds) : null,
    ...refundOf(product, quantity),
    readyAt: null,
  }))
}

/** A gift names the goods that it was given for ([D]); of several lines of these the first that was bought. */
function mainLineOf(
  gift: Json,
  lines: readonly { readonly productId: string; readonly skuId: string | null; readonly gift: boolean }[],
  lineIds: readonly string[],
): string | null {
  const { main_product_list: named } = optionalObjectIn(gift, 'free_gift_info')
  for (const main of objects(named ?? [], 'main_product_list')) {
    const [productId, skuId] = [idIn(main, 'product_id'), idIn(main, 'sku_id')]
    const index = lines.findIndex((l) => !l.gift && l.productId === productId && (skuId === null || l.skuId === skuId))
    if (index !== -1) return lineIds[index]!
  }
  return null
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

/** The seller may change it, to nothing as well; `freight` stays what it was. */
function freightOf(price: Json): number {
  const changed = isTrue(price.is_change_freight) ? fenIn(price, 'change_freight') : null
  return changed ?? fenIn(price, 'freight') ?? 0
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === '1' || value === 'true'
}

/** The address that is asked for, while it is; some answers hold a flag instead. */
function isUnderReview(value: unknown): boolean {
  if (isObject(value)) return Object.values(value).some((field) => Boolean(field))
  return isTrue(value)
}

function earliest(instants: readonly (number | null)[]): number | null {
  let first: number | null = null
  for (const instant of instants) if (instant !== null && (first === null || instant < first)) first = instant
  return first
}
