/**
 * tmall's bytes: the text of `trade_fullinfo_get_response` and `refund_get_response`, with tids as bare 19-digit
 * numbers, amounts in yuan, masked receiver and OAID. Written as text: a deep object would cost three times as much.
 */
import { gmt8, sumOf, yuan } from './amounts.ts'
import type { Step, View } from './events.ts'
import { refundedLine } from './events.ts'
import type { GeneratedLine, GeneratedOrder } from './order.ts'

const tradeStatus: Readonly<Record<Step, string>> = {
  unpaid: 'WAIT_BUYER_PAY',
  deposit: 'WAIT_BUYER_PAY',
  paid: 'WAIT_SELLER_SEND_GOODS',
  closed: 'TRADE_CLOSED',
  expired: 'TRADE_CLOSED_BY_TAOBAO',
  shipped: 'WAIT_BUYER_CONFIRM_GOODS',
  completed: 'TRADE_FINISHED',
}

const refundStatus = { none: 'NO_REFUND', requested: 'WAIT_SELLER_AGREE', refunded: 'SUCCESS' } as const

export function tradeJson(order: GeneratedOrder, view: View): string {
  const { orderId: tid, lines } = order
  const goodsFen = sumOf(lines.map((line) => line.unitFen * line.quantity))
  const offFen = sumOf(lines.map((line) => line.sharedFen))
  const seller = order.shop.shop
  return (
    `{"trade_fullinfo_get_response":{"trade":{"tid":${tid},"tid_str":"${tid}","sid":"${tid}",` +
    `"type":"${order.scenario === 'presale' ? 'step' : 'fixed'}","title":"${seller}","status":"${tradeStatus[view.step]}",` +
    `${presale(order, view)}"trade_from":"WAP,WAP","shipping_type":"express","created":"${gmt8(order.createdAt)}",` +
    `${times(order, view)}"modified":"${gmt8(view.modifiedAt)}","seller_nick":"${seller}","buyer_nick":"t**${order.index % 10}",` +
    `"buyer_open_uid":"${order.buyerId}","num":${sumOf(lines.map((line) => line.quantity))},"total_fee":"${yuan(goodsFen)}",` +
    `"discount_fee":"${yuan(offFen)}","adjust_fee":"0.00","post_fee":"${yuan(order.freightFen)}",` +
    `"payment":"${yuan(order.paidFen)}","received_payment":"${view.step === 'completed' ? yuan(order.paidFen) : '0.00'}",` +
    `"available_confirm_fee":"${view.step === 'paid' ? yuan(order.paidFen) : '0.00'}","has_post_fee":true,"cod_fee":"0.00",` +
    `"point_fee":0,"coupon_fee":0,${receiver(view)}"buyer_message":${JSON.stringify(order.buyerMessage)},` +
    `"seller_memo":${JSON.stringify(view.sellerMemo)},"seller_flag":${view.sellerFlag},"is_part_consign":false,"top_hold":0,` +
    `"orders":{"order":[${lines.map((line, at) => lineJson(order, view, line, at)).join()}]}` +
    `${promotions(order, offFen)}},"request_id":"${order.seed.toString(36)}${order.index.toString(36)}"}}`
  )
}

function presale(order: GeneratedOrder, view: View): string {
  if (order.scenario !== 'presale') return ''
  const step =
    view.step === 'unpaid' || view.step === 'expired'
      ? 'FRONT_NOPAID_FINAL_NOPAID'
      : view.step === 'deposit'
        ? 'FRONT_PAID_FINAL_NOPAID'
        : 'FRONT_PAID_FINAL_PAID'
  return `"step_trade_status":"${step}","step_paid_fee":"${yuan(order.depositFen)}","new_presell":true,`
}

function times(order: GeneratedOrder, view: View): string {
  let text = ''
  if (view.paidAt !== null) {
    text +=
      `"pay_time":"${gmt8(view.paidAt)}","alipay_no":"${order.transactionId}","consign_interval":48,` +
      `"delivery_time":"${gmt8(view.paidAt + 172_800_000)}",`
  }
  if (view.step === 'closed' || view.step === 'expired' || view.step === 'completed') {
    text += `"end_time":"${gmt8(view.modifiedAt)}",`
  }
  if (view.step === 'shipped') text += `"consign_time":"${gmt8(view.modifiedAt)}",`
  return text
}

function receiver(view: View): string {
  const { name, phone, street, oaid, district } = view.receiver
  return (
    `"receiver_name":"${name}","receiver_mobile":"${phone}","receiver_country":"","receiver_state":"${district.province}",` +
    `"receiver_city":"${district.city}","receiver_district":"${district.district}","receiver_town":"",` +
    `"receiver_address":"${street}","receiver_zip":"000000","oaid":"${oaid}",`
  )
}

function lineJson(order: GeneratedOrder, view: View, line: GeneratedLine, at: number): string {
  const { lineId: oid } = line
  const totalFen = line.unitFen * line.quantity - line.discountFen
  // With one line only, the platform puts the freight into the line's payment too.
  const paymentFen = order.lines.length === 1 ? order.paidFen : totalFen
  const refund = view.step === 'closed' ? 'refunded' : at === refundedLine ? view.refund : 'none'
  const gift = order.lines.find((other) => other.giftOf === oid)
  return (
    `{"oid":${oid},"oid_str":"${oid}","status":"${refund === 'refunded' ? 'TRADE_CLOSED' : tradeStatus[view.step]}",` +
    `"refund_status":"${refundStatus[refund]}",${refund === 'none' ? '' : `"refund_id":${refundId(order, at)},`}` +
    `"num_iid":${line.productId},"sku_id":"${line.skuId}","outer_iid":"${line.merchantCode}","outer_sku_id":"${line.merchantCode}",` +
    `"title":${JSON.stringify(line.title)},"price":"${yuan(line.unitFen)}","num":${line.quantity},"adjust_fee":"0.00",` +
    `"discount_fee":"${yuan(line.discountFen)}","total_fee":"${yuan(totalFen)}","payment":"${yuan(paymentFen)}",` +
    `${line.sharedFen > 0 ? `"part_mjz_discount":"${yuan(line.sharedFen)}",` : ''}"divide_order_fee":"${yuan(line.paidFen)}",` +
    `${line.gift ? `"is_free_gift":true,"gift_mids":"${line.giftOf}",` : gift ? `"gift_mids":"${gift.lineId}",` : ''}` +
    `"seller_type":"B","order_from":"WAP,WAP","is_oversold":false,"store_code":""}`
  )
}

function promotions(order: GeneratedOrder, offFen: number): string {
  const details = order.lines
    .filter((line) => line.discountFen > 0)
    .map((line) => `{"id":${line.lineId},"promotion_name":"限时直降","discount_fee":"${yuan(line.discountFen)}"}`)
  if (offFen > 0) {
    details.push(`{"id":${order.orderId},"promotion_name":"店铺满减","discount_fee":"${yuan(offFen)}"}`)
  }
  return details.length === 0 ? '' : `,"promotion_details":{"promotion_detail":[${details.join()}]}`
}

export function refundJson(order: GeneratedOrder, view: View): string {
  const line = order.lines[refundedLine]!
  const id = refundId(order, refundedLine)
  return (
    `{"refund_get_response":{"refund":{"refund_id":${id},"tid":${order.orderId},"oid":${line.lineId},` +
    `"status":"${refundStatus[view.refund]}","refund_fee":"${yuan(refundFen(order))}","total_fee":"${yuan(order.paidFen)}",` +
    `"payment":"${yuan(order.paidFen - refundFen(order))}","created":"${gmt8(view.modifiedAt)}",` +
    `"modified":"${gmt8(view.modifiedAt)}","refund_phase":"onsale","has_good_return":false,"good_status":"BUYER_NOT_RECEIVED",` +
    `"order_status":"${tradeStatus[view.step]}","reason":"不想要了","num":${line.quantity},"seller_nick":"${order.shop.shop}",` +
    `"buyer_open_uid":"${order.buyerId}","outer_id":"${line.merchantCode}"}}}`
  )
}

/** What the buyer gets back for the refunded line; the freight goes back with the only line. */
export function refundFen(order: GeneratedOrder): number {
  return order.lines.length === 1 ? order.paidFen : order.lines[refundedLine]!.paidFen
}

/** 18 digits: below 2^63, above 2^53. */
export function refundId(order: GeneratedOrder, at: number): string {
  return `2${order.orderId.slice(1, 14)}${String(at + 1).padStart(2, '0')}${order.orderId.slice(-2)}`
}
