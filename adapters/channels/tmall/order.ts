/** The Trade object of `taobao.trade.fullinfo.get` as an order. Amounts are yuan text, times GMT+8 text. */
import { shareByLargestRemainder } from '../../../router/money.ts'
import type { OrderSnapshot, PlatformState, Presale, RefundStatus, SnapshotLine } from '../../../router/types.ts'
import type { ShopSettings } from '../channel.ts'
import {
  codeIn,
  gmt8In,
  idIn,
  isObject,
  type Json,
  latest,
  mapSku,
  objects,
  quantityIn,
  requiredIdIn,
  requiredYuanIn,
  textIn,
  unintelligible,
  wholeIn,
  wordIn,
  yuanIn,
} from '../read.ts'

export function tmallOrder(trade: Json, settings: ShopSettings): OrderSnapshot {
  const presale = presaleOf(trade)
  const status = wordIn(trade, 'status')
  const createdAt = gmt8In(trade, 'created')
  const paidAt = gmt8In(trade, 'pay_time')
  const modifiedAt =
    gmt8In(trade, 'modified') ?? latest([createdAt, paidAt, gmt8In(trade, 'consign_time'), gmt8In(trade, 'end_time')])
  if (modifiedAt === null) unintelligible('modified')
  const freightFen = yuanIn(trade, 'post_fee') ?? 0
  const paidFen = requiredYuanIn(trade, 'payment')
  const serviceFen = serviceFenOf(trade)
  return {
    type: 'order',
    channel: 'tmall',
    shop: settings.shop,
    orderId: tradeId(trade),
    platformState: stateOf(status, trade, presale),
    platformStateRaw: status,
    createdAt: createdAt ?? modifiedAt,
    paidAt,
    modifiedAt,
    fetchNumber: 0,
    shipBy: gmt8In(trade, 'delivery_time') ?? gmt8In(trade, 'send_time'),
    lines: linesOf(trade, Math.max(0, paidFen - freightFen - serviceFen), settings),
    freightFen,
    ...(serviceFen > 0 ? { serviceFen } : {}),
    paidFen,
    receiver: {
      name: textIn(trade, 'receiver_name'),
      phone: textIn(trade, 'receiver_mobile') || textIn(trade, 'receiver_phone'),
      province: textIn(trade, 'receiver_state'),
      city: textIn(trade, 'receiver_city'),
      district: textIn(trade, 'receiver_district'),
      town: textIn(trade, 'receiver_town'),
      street: textIn(trade, 'receiver_address'),
      postalCode: textIn(trade, 'receiver_zip'),
      oaid: textIn(trade, 'oaid'),
      adcode: null,
      point: null,
    },
    buyerId: textIn(trade, 'buyer_open_uid') || textIn(trade, 'buyer_nick'),
    buyerMessage: textIn(trade, 'buyer_message'),
    sellerMemo: textIn(trade, 'seller_memo'),
    sellerFlag: wholeIn(trade, 'seller_flag', 0, 99) ?? 0,
    // A change of address is settled between the platform and us before the trade shows it (`lm` = "1", then).
    addressUnderReview: false,
    presale,
    transactionId: idIn(trade, 'alipay_no'),
  }
}

/** Services that are bought with the goods (installation, insurance) are orders of their own within the trade. */
function serviceFenOf(trade: Json): number {
  const list = isObject(trade.service_orders) ? trade.service_orders.service_order : trade.service_orders
  if (list === undefined || list === null) return 0
  return objects(list, 'service_orders').reduce((sum, service) => sum + (yuanIn(service, 'payment') ?? 0), 0)
}

/** The text where it is given: `tid` is a number above 2^53. */
export function tradeId(trade: Json): string {
  return idIn(trade, 'tid_str') ?? requiredIdIn(trade, 'tid')
}

function stateOf(status: string, trade: Json, presale: Presale | null): PlatformState {
  // Of a state that we do not know only a person can say what may be sent.
  const state = states.get(status) ?? 'on_hold'
  if (state !== 'ready') return state
  const held = trade.top_hold === 1 || trade.top_hold === '1'
  return held || (presale !== null && presale.step !== 'balance_paid') ? 'on_hold' : 'ready'
}

const states: ReadonlyMap<string, PlatformState> = new Map([
  ['TRADE_NO_CREATE_PAY', 'unpaid'],
  ['WAIT_BUYER_PAY', 'unpaid'],
  ['PAY_PENDING', 'unpaid'],
  ['WAIT_PRE_AUTH_CONFIRM', 'unpaid'],
  ['PAID_FORBID_CONSIGN', 'on_hold'],
  ['WAIT_SELLER_SEND_GOODS', 'ready'],
  ['SELLER_CONSIGNED_PART', 'partly_shipped'],
  ['WAIT_BUYER_CONFIRM_GOODS', 'shipped'],
  ['TRADE_BUYER_SIGNED', 'shipped'],
  ['TRADE_FINISHED', 'completed'],
  ['TRADE_CLOSED', 'closed'],
  ['TRADE_CLOSED_BY_TAOBAO', 'closed'],
])

function presaleOf(trade: Json): Presale | null {
  if (textIn(trade, 'type') !== 'step') return null
  // Of a step that we do not know the balance is not known to be paid.
  const step = steps.get(wordIn(trade, 'step_trade_status')) ?? 'deposit_paid'
  return { step, depositFen: yuanIn(trade, 'step_paid_fee') ?? 0 }
}

const steps: ReadonlyMap<string, Presale['step']> = new Map([
  ['FRONT_NOPAID_FINAL_NOPAID', 'deposit_unpaid'],
  ['FRONT_PAID_FINAL_NOPAID', 'deposit_paid'],
  ['FRONT_PAID_FINAL_PAID', 'balance_paid'],
  ['FRONT_PAID_FRONT_FORFEITED', 'forfeited'],
])

/**
 * Whether no id that is read here can have been rounded by plain JSON.parse: the platform gives its long ones as text
 * as well, nearly always, and reading twice as fast is worth this look.
 */
export function hasExactIds(trade: Json): boolean {
  const orders = ordersOf(trade)
  return (
    typeof trade.tid_str === 'string' &&
    isExact(trade.alipay_no) &&
    Array.isArray(orders) &&
    orders.every((order) => typeof order?.oid_str === 'string' && isExact(order.num_iid) && isExact(order.sku_id))
  )
}

function isExact(value: unknown): boolean {
  return typeof value !== 'number' || Number.isSafeInteger(value)
}

/** `simplify=true` leaves out the lists' element names. */
function ordersOf(trade: Json): unknown {
  const orders = trade.orders
  return isObject(orders) ? orders.order : orders
}

function linesOf(trade: Json, goodsFen: number, settings: ShopSettings): readonly SnapshotLine[] {
  const orders = objects(ordersOf(trade), 'orders')
  if (orders.length === 0) unintelligible('orders')
  const lineIds = orders.map((order) => idIn(order, 'oid_str') ?? requiredIdIn(order, 'oid'))
  if (new Set(lineIds).size !== lineIds.length) unintelligible('oid')
  const gifts = new Set(lineIds.filter((_, index) => isTrue(orders[index]!.is_free_gift)))
  const paidFen = paidOf(orders, goodsFen)
  return orders.map((order, index) => {
    const lineId = lineIds[index]!
    const platformSku = textIn(order, 'sku_id') || textIn(order, 'num_iid')
    const gift = gifts.has(lineId)
    return {
      lineId,
      sku: mapSku(codeIn(order, 'outer_sku_id') || codeIn(order, 'outer_iid'), platformSku, settings),
      platformSku,
      title: textIn(order, 'title'),
      quantity: quantityIn(order, 'num'),
      paidFen: paidFen[index]!,
      gift,
      giftOf: gift ? mainLineOf(order, lineIds, gifts) : null,
      refund: refundOf(order),
      readyAt: readyAtOf(order),
    }
  })
}

/**
 * `divide_order_fee` is a line's net after all discounts. Lines without it share what the others leave of the goods'
 * money, by their own payment. When the others leave less than nothing the platform contradicts itself: such lines keep
 * their own payment, and the sum that is off is for the check to find.
 */
function paidOf(orders: readonly Json[], goodsFen: number): readonly number[] {
  const net = orders.map((order) => yuanIn(order, 'divide_order_fee'))
  if (!net.includes(null)) return net as number[]
  const own = orders.map((order, index) =>
    net[index] === null ? (yuanIn(order, 'payment') ?? yuanIn(order, 'total_fee') ?? 0) : 0,
  )
  const leftFen = net.reduce<number>((left, fen) => left - (fen ?? 0), goodsFen)
  const missing = orders.flatMap((_, index) => (net[index] === null ? [index] : []))
  const shares =
    leftFen < 0
      ? missing.map((index) => own[index]!)
      : shareByLargestRemainder(
          leftFen,
          missing.map((index) => own[index]!),
        )
  return net.map((fen, index) => fen ?? shares[missing.indexOf(index)]!)
}

/** A gift's `gift_mids` names the line that earned it; a main line's names its gifts. */
function mainLineOf(order: Json, lineIds: readonly string[], gifts: ReadonlySet<string>): string | null {
  const named = textIn(order, 'gift_mids').split(',')
  return named.find((lineId) => lineIds.includes(lineId) && !gifts.has(lineId)) ?? null
}

function refundOf(order: Json): RefundStatus {
  const word = textIn(order, 'refund_status')
  const refund = word === '' ? 'none' : tmallRefundStatus(word)
  // A line can be closed on its own, in a trade that goes on: nothing of it may be sent.
  return textIn(order, 'status').startsWith('TRADE_CLOSED') ? 'refunded' : refund
}

/** A word that we do not know is taken for a request: a person looks before anything is sent. */
export function tmallRefundStatus(word: string): RefundStatus {
  return refundStatuses.get(word) ?? 'requested'
}

const refundStatuses: ReadonlyMap<string, RefundStatus> = new Map([
  ['NO_REFUND', 'none'],
  ['WAIT_SELLER_AGREE', 'requested'],
  ['WAIT_BUYER_RETURN_GOODS', 'requested'],
  ['WAIT_SELLER_CONFIRM_GOODS', 'requested'],
  ['SELLER_REFUSE_BUYER', 'refused'],
  ['CLOSED', 'closed'],
  ['SUCCESS', 'refunded'],
])

/** Sent as a wall-clock time, or as words for people ("within 3 days of payment"), which say nothing to a router. */
function readyAtOf(order: Json): number | null {
  return /^\d{4}-/.test(textIn(order, 'estimate_con_time')) ? gmt8In(order, 'estimate_con_time') : null
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true'
}
