/** JD's bytes: the response of `jingdong.pop.order.enGet`; every value a string, the root's spelling JD's own. */
import { gmt8, sumOf, yuan } from './amounts.ts'
import type { View } from './events.ts'
import type { GeneratedLine, GeneratedOrder } from './order.ts'

export function orderInfoJson(order: GeneratedOrder, view: View): string {
  const { lines, orderId } = order
  const totalFen = sumOf(lines.map((line) => line.unitFen * line.quantity))
  const sellerOffFen = sumOf(lines.map((line) => line.discountFen))
  return (
    `{"jingdong_pop_order_enGet_responce":{"code":"0","orderDetailInfo":{"apiResult":{"success":true,"englishErrCode":"",` +
    `"chineseErrCode":"","numberCode":0},"orderInfo":{"orderId":"${orderId}","venderId":"10203040","orderType":"22",` +
    `"payType":"4-在线支付","orderTotalPrice":"${yuan(totalFen)}","orderSellerPrice":"${yuan(totalFen - sellerOffFen)}",` +
    `"orderPayment":"${yuan(order.paidFen - order.balanceFen)}","freightPrice":"${yuan(order.freightFen)}",` +
    `"sellerDiscount":"${yuan(sellerOffFen)}","orderState":"${orderState(view)}","orderStateRemark":"","deliveryType":"任意时间",` +
    `"invoiceInfo":"不需要开具发票","orderRemark":${JSON.stringify(order.buyerMessage)},` +
    `"orderStartTime":"${gmt8(order.createdAt)}","orderEndTime":"${ended(view) ? gmt8(view.modifiedAt) : ''}",` +
    `"paymentConfirmTime":"${view.paidAt === null ? '' : gmt8(view.paidAt)}","modified":"${gmt8(view.modifiedAt)}",` +
    `"venderRemark":${JSON.stringify(view.sellerMemo)},"balanceUsed":"${yuan(order.balanceFen)}","pin":"",` +
    `"open_id_buyer":"${order.buyerId}","returnOrder":"0","parentOrderId":"0","directParentOrderId":"0","waybill":"",` +
    `"logisticsId":"","storeOrder":"","orderSource":"移动端订单",${consignee(view)}` +
    `"itemInfoList":[${lines.map(itemJson).join()}],"couponDetailList":[${coupons(order).join()}]}}}}`
  )
}

/** A refund before shipping shows only as a lock on the whole order, then as a cancelled one. */
function orderState(view: View): string {
  if (view.step === 'shipped') return 'WAIT_GOODS_RECEIVE_CONFIRM'
  if (view.step === 'completed') return 'FINISHED_L'
  if (view.step === 'closed' || view.refund === 'refunded') return 'TRADE_CANCELED'
  return view.refund === 'requested' ? 'LOCKED' : 'WAIT_SELLER_STOCK_OUT'
}

function ended(view: View): boolean {
  return view.step === 'completed' || view.step === 'closed' || view.refund === 'refunded'
}

/** JD writes provinces short, and in the four municipalities the district stands where a city would. */
function consignee(view: View): string {
  const { name, phone, street } = view.receiver
  const { province, city, county } = jdAddress(view.receiver.district)
  return (
    `"consigneeInfo":{"fullname":"${name}","telephone":"","mobile":"${phone}","fullAddress":"${province}${city}${county}${street}",` +
    `"province":"${province}","provinceId":"0","city":"${city}","cityId":"0","county":"${county}","countyId":"0","town":"","townId":"0"},`
  )
}

export function jdAddress(place: { province: string; city: string; district: string }) {
  const province = place.province.replace(/省$|市$|维吾尔自治区$|壮族自治区$|回族自治区$|自治区$/, '')
  return place.city === place.province
    ? { province, city: place.district, county: '城区' }
    : { province, city: place.city, county: place.district }
}

function itemJson(line: GeneratedLine): string {
  return (
    `{"skuId":"${line.skuId}","wareId":"${line.productId}","skuName":${JSON.stringify(line.title)},` +
    `"outerSkuId":"${line.merchantCode}","productNo":"${line.merchantCode}","jdPrice":"${yuan(line.unitFen)}",` +
    `"itemTotal":"${line.quantity}","giftPoint":"0","newStoreId":"0"}`
  )
}

function coupons(order: GeneratedOrder): string[] {
  const details = order.lines
    .filter((line) => line.discountFen > 0)
    .map((line) => couponJson(order.orderId, line.skuId, '20-套装优惠', line.discountFen))
  const offFen = sumOf(order.lines.map((line) => line.sharedFen))
  if (offFen > 0) details.push(couponJson(order.orderId, '', '41-京东券优惠', offFen))
  return details
}

function couponJson(orderId: string, skuId: string, type: string, fen: number): string {
  return `{"orderId":"${orderId}","skuId":"${skuId}","couponType":"${type}","couponPrice":"${yuan(fen)}"}`
}
