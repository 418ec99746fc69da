/** WeChat's texts: the plain text of a push, and the answer of `/channels/ec/order/get` that the stand-in serves. */
import { sumOf } from './amounts.ts'
import type { EventName, View } from './events.ts'
import { refundedLine } from './events.ts'
import type { GeneratedLine, GeneratedOrder, GeneratedReceiver } from './order.ts'

/** The push says only that something changed; its order_id is a bare number above 2^53. */
export function pushJson(order: GeneratedOrder, view: View): string {
  const second = Math.floor(view.modifiedAt / 1000)
  const { name, about } = pushes[view.event](order, second)
  return (
    `{"ToUserName":"gh_paidandemo001","FromUserName":"${order.buyerId}","CreateTime":${second},"MsgType":"event",` +
    `"Event":"${name}",${about}}`
  )
}

type Push = (order: GeneratedOrder, second: number) => { readonly name: string; readonly about: string }

function orderPush(event: string, more: (second: number) => string): Push {
  return (order, second) => ({
    name: `channels_ec_order_${event}`,
    about: `"order_info":{"order_id":${order.orderId}${more(second)}}`,
  })
}

function afterSalePush(status: string): Push {
  return (order) => ({
    name: 'channels_ec_aftersale_update',
    about:
      `"finder_shop_aftersale_status_update":{"status":"${status}","after_sale_order_id":"${afterSaleId(order)}",` +
      `"order_id":"${order.orderId}"}`,
  })
}

const pushes: Readonly<Record<EventName, Push>> = {
  created: orderPush('new', () => ''),
  // WeChat knows no deposit; the plan draws none for it.
  deposit_paid: orderPush('new', () => ''),
  paid: orderPush('pay', (second) => `,"pay_time":${second}`),
  memo_changed: orderPush('ext_info_update', () => ',"type":2'),
  address_changed: orderPush('ext_info_update', () => ',"type":1'),
  refund_requested: afterSalePush('MERCHANT_PROCESSING'),
  refund_success: afterSalePush('MERCHANT_REFUND_SUCCESS'),
  closed: orderPush('cancel', () => ',"cancel_type":3'),
  expired: orderPush('cancel', () => ',"cancel_type":2'),
  shipped: orderPush('deliver', () => ',"finish_delivery":1'),
  completed: orderPush('confirm', () => ',"confirm_type":1'),
}

/** The whole answer, errcode 0 included. */
export function orderJson(order: GeneratedOrder, view: View): string {
  const { lines } = order
  const goodsFen = sumOf(lines.map((line) => line.unitFen * line.quantity))
  const offFen = goodsFen + order.freightFen - order.paidFen
  const closed = view.step === 'closed' || (view.refund === 'refunded' && lines.length === 1)
  return (
    `{"errcode":0,"errmsg":"ok","order":{"order_id":"${order.orderId}","openid":"${order.buyerId}","unionid":"",` +
    `"status":${closed ? 200 : status[view.step]},"create_time":${seconds(order.createdAt)},"update_time":${seconds(view.modifiedAt)},` +
    `"order_detail":{"product_infos":[${lines.map((line, at) => productJson(line, refundOf(view, at, closed), view.paidAt)).join()}],` +
    `"price_info":{"product_price":${goodsFen},"order_price":${order.paidFen},"freight":${order.freightFen},` +
    `"discounted_price":${offFen},"is_discounted":${offFen > 0},"original_order_price":${goodsFen + order.freightFen}},` +
    `"pay_info":{"prepay_id":"wx${order.orderId}","prepay_time":${seconds(order.createdAt)}${paid(order, view)}},` +
    `"delivery_info":{"deliver_method":0,"address_info":${addressJson(view.receiver)},"delivery_product_info":[]` +
    `${addressReview(order, view)}},` +
    `"ext_info":{"customer_notes":${JSON.stringify(order.buyerMessage)},"merchant_notes":${JSON.stringify(view.sellerMemo)},` +
    `"order_scene":2,"finder_id":"","live_id":""}},"aftersale_detail":${afterSales(order, view)}}}`
  )
}

const status = { unpaid: 10, deposit: 10, paid: 20, shipped: 30, completed: 100, closed: 200, expired: 250 } as const

function productJson(line: GeneratedLine, refund: View['refund'], paidAt: number | null): string {
  return (
    `{"product_id":"${line.productId}","sku_id":"${line.skuId}","sku_code":"${line.merchantCode}","out_product_id":"",` +
    `"out_sku_id":"${line.merchantCode}","title":${JSON.stringify(line.title)},"sku_cnt":${line.quantity},` +
    `"sale_price":${line.unitFen},"market_price":${line.unitFen},"real_price":${line.paidFen},` +
    `"is_discounted":${line.discountFen + line.sharedFen > 0},"estimate_price":${line.paidFen},` +
    `"on_aftersale_sku_cnt":${refund === 'requested' ? line.quantity : 0},` +
    `"finish_aftersale_sku_cnt":${refund === 'refunded' ? line.quantity : 0}` +
    `${paidAt === null ? '' : `,"delivery_deadline":${seconds(paidAt) + 172_800}`}}`
  )
}

function refundOf(view: View, at: number, closed: boolean): View['refund'] {
  if (closed) return 'refunded'
  return at === refundedLine ? view.refund : 'none'
}

function paid(order: GeneratedOrder, view: View): string {
  if (view.paidAt === null) return ''
  return `,"pay_time":${seconds(view.paidAt)},"transaction_id":"${order.transactionId}","payment_method":1`
}

function addressJson({ name, phone, street, district }: GeneratedReceiver): string {
  return (
    `{"user_name":"${name}","postal_code":"","province_name":"${district.province}","city_name":"${district.city}",` +
    `"county_name":"${district.district}","detail_info":"${street}","national_code":"${district.adcode}",` +
    `"tel_number":"${phone}","house_number":"","use_tel_number":1}`
  )
}

/** The address that the buyer asks for stands beside the one that still holds. */
function addressReview(order: GeneratedOrder, view: View): string {
  if (!view.addressUnderReview) return ''
  const asked = addressJson(order.otherReceiver)
  return `,"address_under_review":${asked},"address_apply_time":${seconds(view.modifiedAt)}`
}

function afterSales(order: GeneratedOrder, view: View): string {
  if (view.refund === 'none') return '{"on_aftersale_order_cnt":0,"aftersale_order_list":[]}'
  const open = view.refund === 'requested'
  return (
    `{"on_aftersale_order_cnt":${open ? 1 : 0},"aftersale_order_list":[{"aftersale_order_id":"${afterSaleId(order)}",` +
    `"status":"${open ? 'MERCHANT_PROCESSING' : 'MERCHANT_REFUND_SUCCESS'}"}]}`
  )
}

export function afterSaleId(order: GeneratedOrder): string {
  return `20000${order.orderId.slice(2, 15)}`
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
