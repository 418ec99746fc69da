/** For tests: an order in the bytes of its platform, with no more fields than Paidan reads. Long ids are bare numbers. */
import { formatGmt8 } from '../../../adapters/shared/time.ts'
import { paidFenOf, type Step, type TestLine, type TestOrder } from './orders.ts'

export function yuan(fen: number): string {
  return `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`
}

/** Numbers where the text is one, so that ids above 2^53 stand in the bytes as platforms write them. */
function idText(id: string): string {
  return /^\d+$/.test(id) ? id : JSON.stringify(id)
}

const tmallSteps: Readonly<Record<Step, string>> = {
  unpaid: 'WAIT_BUYER_PAY',
  paid: 'WAIT_SELLER_SEND_GOODS',
  locked: 'PAID_FORBID_CONSIGN',
  closed: 'TRADE_CLOSED',
  shipped: 'WAIT_BUYER_CONFIRM_GOODS',
  completed: 'TRADE_FINISHED',
}

const tmallRefunds = {
  none: 'NO_REFUND',
  requested: 'WAIT_SELLER_AGREE',
  refunded: 'SUCCESS',
  refused: 'SELLER_REFUSE_BUYER',
  closed: 'CLOSED',
} as const

export type TmallRefund = keyof typeof tmallRefunds

/** A line's sub-order id. */
export function oidOf(order: TestOrder, index: number): string {
  return `${order.orderId.slice(0, -2)}${String(70 + index)}`
}

export function tmallTrade(order: TestOrder): string {
  const { receiver, step } = order
  const lines = order.lines.map((line, at) => {
    const gift = line.gift === true ? `"is_free_gift":true,"gift_mids":"${oidOf(order, line.giftOf ?? 0)}",` : ''
    const date = line.readyAt === undefined ? '' : `"estimate_con_time":"${formatGmt8(line.readyAt)}",`
    return (
      `{"oid":${idText(oidOf(order, at))},${date}"num":${line.quantity},"outer_iid":"product-${at}","outer_sku_id":${JSON.stringify(line.sku)},` +
      `"sku_id":"50${at}","title":"商品${at}",${gift}"refund_status":"${tmallRefunds[line.refund ?? 'none']}",` +
      `"divide_order_fee":"${yuan(line.paidFen)}","status":"${tmallSteps[step]}"}`
    )
  })
  const paid = step === 'unpaid' ? '' : `"pay_time":"${formatGmt8(order.paidAt)}","alipay_no":"${order.transactionId}",`
  return (
    `{"trade_fullinfo_get_response":{"trade":{"tid":${idText(order.orderId)},"type":"fixed","status":"${tmallSteps[step]}",` +
    `"created":"${formatGmt8(order.paidAt - 60_000)}",${paid}"modified":"${formatGmt8(order.at)}","post_fee":"${yuan(order.freightFen)}",` +
    `"payment":"${yuan(paidFenOf(order))}","receiver_name":${JSON.stringify(receiver.name)},` +
    `"receiver_mobile":${JSON.stringify(receiver.phone)},"receiver_state":"${receiver.province}","receiver_city":"${receiver.city}",` +
    `"receiver_district":"${receiver.district}","receiver_address":${JSON.stringify(receiver.street)},"oaid":${JSON.stringify(receiver.oaid ?? `1x${order.orderId}`)},` +
    `"buyer_message":${JSON.stringify(order.buyerMessage)},"seller_memo":${JSON.stringify(order.sellerMemo)},` +
    `"orders":{"order":[${lines.join()}]}}}}`
  )
}

/** A refund of one line, all of it unless told. */
export function tmallRefund(
  order: TestOrder,
  index: number,
  status: TmallRefund,
  at: number,
  refundFen = order.lines[index]!.paidFen,
  phase: 'onsale' | 'aftersale' = 'onsale',
): string {
  return (
    `{"refund_get_response":{"refund":{"refund_id":2${order.orderId.slice(1)},"tid":${order.orderId},"oid":${oidOf(order, index)},` +
    `"status":"${tmallRefunds[status]}","refund_fee":"${yuan(refundFen)}","refund_phase":"${phase}",` +
    `"modified":"${formatGmt8(at)}"}}}`
  )
}

const jdSteps: Readonly<Record<Step, string>> = {
  unpaid: 'NOT_PAY',
  paid: 'WAIT_SELLER_STOCK_OUT',
  locked: 'LOCKED',
  closed: 'TRADE_CANCELED',
  shipped: 'WAIT_GOODS_RECEIVE_CONFIRM',
  completed: 'FINISHED_L',
}

export function jdOrderInfo(order: TestOrder): string {
  const { receiver, step } = order
  // A price is for one piece; what does not divide is taken off again by a coupon on the SKU.
  const priceFen = (line: TestLine) => Math.ceil(line.paidFen / line.quantity)
  const items = order.lines.map(
    (line, at) =>
      `{"skuId":"1000${at}","outerSkuId":${JSON.stringify(line.sku)},"skuName":"商品${at}","jdPrice":"${yuan(priceFen(line))}",` +
      `"itemTotal":"${line.quantity}"}`,
  )
  const coupons = order.lines.flatMap((line, at) => {
    const offFen = priceFen(line) * line.quantity - line.paidFen
    return offFen > 0 ? [`{"skuId":"1000${at}","couponType":"20-套装优惠","couponPrice":"${yuan(offFen)}"}`] : []
  })
  const paid = step === 'unpaid' ? '' : `"paymentConfirmTime":"${formatGmt8(order.paidAt)}",`
  return (
    `{"jingdong_pop_order_enGet_responce":{"code":"0","orderDetailInfo":{"orderInfo":{"orderId":${JSON.stringify(order.orderId)},` +
    `"orderState":"${jdSteps[step]}","orderStartTime":"${formatGmt8(order.paidAt - 60_000)}",${paid}` +
    `"modified":"${formatGmt8(order.at)}","orderPayment":"${yuan(paidFenOf(order))}","freightPrice":"${yuan(order.freightFen)}",` +
    `"consigneeInfo":{"fullname":${JSON.stringify(receiver.name)},"mobile":${JSON.stringify(receiver.phone)},` +
    `"fullAddress":${JSON.stringify(receiver.street)},"province":"${receiver.province}","city":"${receiver.city}","county":"${receiver.district}"},` +
    `"orderRemark":${JSON.stringify(order.buyerMessage)},"venderRemark":${JSON.stringify(order.sellerMemo)},` +
    `"itemInfoList":[${items.join()}],"couponDetailList":[${coupons.join()}]}}}}`
  )
}

const wechatSteps: Readonly<Record<Step, number>> = {
  unpaid: 10,
  paid: 20,
  locked: 13,
  closed: 200,
  shipped: 30,
  completed: 100,
}

/** What the shop's API answers. */
export function wechatOrderAnswer(order: TestOrder): string {
  const { receiver, step } = order
  const products = order.lines.map((line, at) => ({
    product_id: `2000${at}`,
    sku_id: `3000${at}`,
    out_sku_id: line.sku,
    title: `商品${at}`,
    ...(line.gift === true
      ? {
          is_free_gift: 1,
          free_gift_info: {
            main_product_list: [{ product_id: `2000${line.giftOf ?? 0}`, sku_id: `3000${line.giftOf ?? 0}` }],
          },
        }
      : {}),
    sku_cnt: line.quantity,
    real_price: line.paidFen,
    on_aftersale_sku_cnt: line.refundUnits?.requested ?? (line.refund === 'requested' ? line.quantity : 0),
    finish_aftersale_sku_cnt: line.refundUnits?.refunded ?? (line.refund === 'refunded' ? line.quantity : 0),
  }))
  const paid = step === 'unpaid' ? {} : { pay_time: order.paidAt / 1000, transaction_id: order.transactionId }
  const address = {
    user_name: receiver.name,
    tel_number: receiver.phone,
    province_name: receiver.province,
    city_name: receiver.city,
    county_name: receiver.district,
    detail_info: receiver.street,
  }
  return JSON.stringify({
    errcode: 0,
    order: {
      order_id: order.orderId,
      openid: 'oTVP50O53a7jgmawAmxKukNlq3XI',
      status: wechatSteps[step],
      create_time: order.paidAt / 1000 - 60,
      update_time: order.at / 1000,
      order_detail: {
        product_infos: products,
        price_info: { order_price: paidFenOf(order), freight: order.freightFen },
        pay_info: paid,
        delivery_info: {
          address_info: address,
          ...(order.addressUnderReview ? { address_under_review: address } : {}),
        },
        ext_info: { customer_notes: order.buyerMessage, merchant_notes: order.sellerMemo },
      },
    },
  })
}

/** What WeChat pushes about it: only that something changed. */
export function wechatPush(order: TestOrder): string {
  const event = order.step === 'unpaid' ? 'new' : order.step === 'closed' ? 'cancel' : 'pay'
  return (
    `{"ToUserName":"gh_2defbb026678","FromUserName":"oTVP50O53a7jgmawAmxKukNlq3XI","CreateTime":${order.at / 1000},"MsgType":"event",` +
    `"Event":"channels_ec_order_${event}","order_info":{"order_id":${order.orderId}}}`
  )
}
