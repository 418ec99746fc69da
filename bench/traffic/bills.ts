/**
 * The bills that finance would get for generated orders: WeChat Pay's trade bill for the WeChat ones, a plain CSV for
 * the others. An order that was paid has its payment; one that was refunded or cancelled has its refund too.
 */
import { gmt8, sumOf, yuan } from './amounts.ts'
import type { EventName } from './events.ts'
import { refundedLine, stories, viewAt } from './events.ts'
import type { GeneratedOrder } from './order.ts'
import { refundFen } from './tmall.ts'

export interface MoneyMove {
  readonly kind: 'payment' | 'refund'
  readonly amountFen: number
  /** Taken by the payment provider; negative when given back with a refund. */
  readonly feeFen: number
  readonly at: number
  /** Ours, unique: the platform's after-sale number for a refund. */
  readonly ref: string
}

/** What moved for an order once its whole story has been told. */
export function moneyOf(order: GeneratedOrder): MoneyMove[] {
  const story = stories[order.scenario]
  if (!story.includes('paid')) return []
  const moves: MoneyMove[] = [move(order, 'payment', 'paid', order.paidFen)]
  if (story.includes('closed')) moves.push(move(order, 'refund', 'closed', order.paidFen))
  if (story.includes('refund_success')) {
    // JD cancels the whole order, WeChat and tmall give back the line.
    const fen = order.channel === 'jd' ? order.paidFen : refundFen(order)
    // Nothing is paid back for a line that cost nothing.
    if (fen > 0) moves.push(move(order, 'refund', 'refund_success', fen))
  }
  return moves
}

function move(order: GeneratedOrder, kind: MoneyMove['kind'], event: EventName, amountFen: number): MoneyMove {
  // 0.60 %, to the fen, half up; a refund gives its part back.
  const feeFen = Math.floor((amountFen * 6 + 500) / 1000)
  return {
    kind,
    amountFen,
    feeFen: kind === 'refund' ? -feeFen : feeFen,
    at: viewAt(order, event).modifiedAt,
    ref: `${kind === 'refund' ? 'R' : 'P'}${order.orderId}${kind === 'refund' ? `-${refundedLine + 1}` : ''}`,
  }
}

const wechatHeader =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,' +
  '微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注'
const wechatSummaryHeader =
  '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额'

/** What a bill says of an order. */
export type BilledOrder = Pick<GeneratedOrder, 'channel' | 'shop' | 'orderId' | 'index' | 'buyerId' | 'transactionId'>

export interface BillLine {
  readonly order: BilledOrder
  readonly move: MoneyMove
}

/** Everything that moved for some orders. */
export function billLines(orders: readonly GeneratedOrder[]): BillLine[] {
  return orders.flatMap((order) => moneyOf(order).map((move) => ({ order, move })))
}

/** Bill type ALL: UTF-8 with BOM, backtick before each cell, the two summary lines at the end. Other channels are left out. */
export function wechatBill(orders: readonly GeneratedOrder[]): string {
  return wechatBillOf(billLines(orders))
}

export function wechatBillOf(lines: readonly BillLine[]): string {
  const own = lines.filter(({ order }) => order.channel === 'wechat')
  const rows = own.map(({ order, move }) => cells(wechatRow(order, move)))
  const moves = own.map(({ move }) => move)
  const paid = sumOf(moves.map((moved) => (moved.kind === 'payment' ? moved.amountFen : 0)))
  const refunded = sumOf(moves.map((moved) => (moved.kind === 'refund' ? moved.amountFen : 0)))
  const fees = sumOf(moves.map((moved) => moved.feeFen))
  const summary = [moves.length, yuan(paid), yuan(refunded), '0.00', `${yuan(fees)}000`, yuan(paid), yuan(refunded)]
  return `\uFEFF${[wechatHeader, ...rows, wechatSummaryHeader, cells(summary)].join('\r\n')}\r\n`
}

function wechatRow(order: BilledOrder, moved: MoneyMove): readonly (string | number)[] {
  const refund = moved.kind === 'refund'
  const amount = yuan(moved.amountFen)
  return [
    gmt8(moved.at),
    order.shop.credentials.appId ?? '',
    '1900000109',
    '0',
    '',
    order.transactionId ?? '',
    order.orderId,
    order.buyerId,
    'JSAPI',
    refund ? 'REFUND' : 'SUCCESS',
    'OTHERS',
    'CNY',
    refund ? '0.00' : amount,
    '0.00',
    // 28 digits, as refund ids of WeChat Pay have them.
    refund ? `50300806${gmt8(moved.at).slice(0, 10).replaceAll('-', '')}${order.orderId.slice(3, 15)}` : '0',
    refund ? moved.ref : '0',
    refund ? amount : '0.00',
    '0.00',
    refund ? 'ORIGINAL' : '',
    refund ? 'SUCCESS' : '',
    '晨风户外订单',
    // A cell may hold commas.
    `shop=${order.shop.shop},no=${order.index}`,
    `${yuan(moved.feeFen)}000`,
    '0.60%',
    refund ? '0.00' : amount,
    refund ? amount : '0.00',
    '',
  ]
}

function cells(values: readonly (string | number)[]): string {
  return values.map((value) => `\`${value}`).join(',')
}

/** `ref,channel,shop,orderId,kind,amountFen,feeFen,occurredAt`. WeChat orders are left out: they have their own bill. */
export function genericBill(orders: readonly GeneratedOrder[]): string {
  return genericBillOf(billLines(orders))
}

export function genericBillOf(lines: readonly BillLine[]): string {
  const rows = ['ref,channel,shop,orderId,kind,amountFen,feeFen,occurredAt']
  for (const { order, move } of lines) {
    if (order.channel === 'wechat') continue
    const { ref, kind, amountFen, feeFen, at } = move
    const occurredAt = new Date(at).toISOString()
    rows.push([ref, order.channel, order.shop.shop, order.orderId, kind, amountFen, feeFen, occurredAt].join(','))
  }
  return `${rows.join('\n')}\n`
}
