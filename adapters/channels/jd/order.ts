/** The order object of JD POP (`jingdong.pop.order.enGet`): all values are text, amounts in yuan, times GMT+8. */
import type { OrderSnapshot, PlatformState, SnapshotLine } from '../../../router/types.ts'
import type { ShopSettings } from '../channel.ts'
import {
  amountFenMax,
  codeIn,
  gmt8In,
  idIn,
  type Json,
  latest,
  mapSku,
  objects,
  optionalObjectIn,
  quantityIn,
  requiredIdIn,
  requiredYuanIn,
  textIn,
  unintelligible,
  uniqueLineIds,
  wordIn,
  yuanIn,
} from '../read.ts'
import { shareJdPayment } from './money.ts'

export function jdOrder(order: Json, settings: ShopSettings): OrderSnapshot {
  const state = wordIn(order, 'orderState')
  const createdAt = gmt8In(order, 'orderStartTime')
  const paidAt = gmt8In(order, 'paymentConfirmTime')
  const modifiedAt = gmt8In(order, 'modified') ?? latest([createdAt, paidAt, gmt8In(order, 'orderEndTime')])
  if (modifiedAt === null) unintelligible('modified')
  // What is still payable has the account balance taken off; the buyer paid both.
  const paidFen = requiredYuanIn(order, 'orderPayment') + (yuanIn(order, 'balanceUsed') ?? 0)
  // Beans, coupons and gift cards may pay freight as well: what is left of it is what the buyer paid.
  const freightFen = Math.min(yuanIn(order, 'freightPrice') ?? 0, paidFen)
  const consignee = optionalObjectIn(order, 'consigneeInfo')
  return {
    type: 'order',
    channel: 'jd',
    shop: settings.shop,
    orderId: requiredIdIn(order, 'orderId'),
    // Of a state that we do not know only a person can say what may be sent.
    platformState: states.get(state) ?? 'on_hold',
    platformStateRaw: state,
    createdAt: createdAt ?? modifiedAt,
    paidAt,
    modifiedAt,
    fetchNumber: 0,
    shipBy: null,
    lines: linesOf(order, paidFen - freightFen, settings),
    freightFen,
    paidFen,
    receiver: {
      name: textIn(consignee, 'fullname'),
      phone: textIn(consignee, 'mobile') || textIn(consignee, 'telephone'),
      province: textIn(consignee, 'province'),
      city: textIn(consignee, 'city'),
      district: textIn(consignee, 'county'),
      town: textIn(consignee, 'town'),
      street: textIn(consignee, 'fullAddress'),
      postalCode: '',
      oaid: '',
      adcode: null,
      point: null,
    },
    buyerId: textIn(order, 'open_id_buyer') || textIn(order, 'pin'),
    buyerMessage: textIn(order, 'orderRemark'),
    sellerMemo: textIn(order, 'venderRemark'),
    sellerFlag: 0,
    addressUnderReview: false,
    presale: null,
    transactionId: null,
  }
}

/** POP_ORDER_PAUSE to UN_KNOWN: nothing may be sent until the platform, or a person, says more. */
const states: ReadonlyMap<string, PlatformState> = new Map([
  ['WAIT_SELLER_STOCK_OUT', 'ready'],
  ['WAIT_SELLER_DELIVERY', 'ready'],
  ['POP_ORDER_PAUSE', 'on_hold'],
  ['PAUSE', 'on_hold'],
  ['LOCKED', 'on_hold'],
  ['WAIT_SEND_CODE', 'on_hold'],
  ['DELIVERY_RETURN', 'on_hold'],
  ['UN_KNOWN', 'on_hold'],
  // The platform's search gives no unpaid orders; this is the word for a relay that has them, not documented to us.
  ['NOT_PAY', 'unpaid'],
  // The platform's own logistics (LBP, SOPL): on the way to its distribution centre, there, and paid for.
  ['SEND_TO_DISTRIBUTION_CENER', 'shipped'],
  ['DISTRIBUTION_CENTER_RECEIVED', 'shipped'],
  ['RECEIPTS_CONFIRM', 'completed'],
  ['WAIT_GOODS_RECEIVE_CONFIRM', 'shipped'],
  ['FINISHED_L', 'completed'],
  ['TRADE_CANCELED', 'closed'],
])

function linesOf(order: Json, goodsFen: number, settings: ShopSettings): readonly SnapshotLine[] {
  const items = objects(order.itemInfoList, 'itemInfoList')
  if (items.length === 0) unintelligible('itemInfoList')
  const orderId = requiredIdIn(order, 'orderId')
  const priced = items.map((item) => {
    const skuId = idIn(item, 'skuId') ?? idIn(item, 'wareId') ?? unintelligible('skuId')
    const quantity = quantityIn(item, 'itemTotal')
    const priceFen = requiredYuanIn(item, 'jdPrice')
    const grossFen = priceFen * quantity
    if (grossFen > amountFenMax) unintelligible('jdPrice')
    return { item, skuId, quantity, priceFen, grossFen }
  })
  const paidFen = shareJdPayment(
    priced,
    objects(order.couponDetailList ?? [], 'couponDetailList').map((coupon) => ({
      skuId: idIn(coupon, 'skuId'),
      amountFen: yuanIn(coupon, 'couponPrice') ?? 0,
    })),
    yuanIn(order, 'sellerDiscount') ?? 0,
    goodsFen,
  )
  const lineIds = uniqueLineIds(
    priced.map(({ skuId }) => `${orderId}-${skuId}`),
    // Goods that are bought come before those that are given away.
    priced.map(({ priceFen, quantity }) => [priceFen === 0 ? 1 : 0, priceFen, quantity]),
  )
  return priced.map(({ item, skuId, quantity, priceFen }, index) => ({
    lineId: lineIds[index]!,
    sku: mapSku(codeIn(item, 'outerSkuId') || codeIn(item, 'productNo'), skuId, settings),
    platformSku: skuId,
    title: textIn(item, 'skuName'),
    quantity,
    paidFen: paidFen[index]!,
    // A gift looks like any other line and costs nothing; which line earned it is not said.
    gift: priceFen === 0,
    giftOf: null,
    refund: 'none',
    readyAt: null,
  }))
}
