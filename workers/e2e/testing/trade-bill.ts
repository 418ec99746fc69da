/** For tests: WeChat Pay's bill of one day, whose summary agrees with its rows. */
import { formatGmt8 } from '../../../adapters/shared/time.ts'
import { paidFenOf, type TestOrder } from './orders.ts'
import { yuan } from './platforms.ts'
import type { Bill } from './webhooks.ts'

export interface TradeRow {
  readonly order: TestOrder
  readonly state: 'SUCCESS' | 'REFUND' | 'REVOKED'
  readonly amountFen: number
  readonly currency?: string
  /** Of a refund. */
  readonly refundId?: string
  readonly progress?: 'PROCESSING' | 'SUCCESS' | 'FAIL' | 'CHANGE'
  readonly at?: number
}

const columns = [
  ...['交易时间', '微信订单号', '商户订单号', '用户标识', '交易状态', '货币种类', '应结订单金额', '微信退款单号'],
  ...['退款金额', '充值券退款金额', '退款状态', '商品名称', '手续费', '订单金额', '申请退款金额'],
]

export const payer = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o'

export function payment(order: TestOrder, change: Partial<TradeRow> = {}): TradeRow {
  return { order, state: 'SUCCESS', amountFen: paidFenOf(order), ...change }
}

export function tradeBill(rows: readonly TradeRow[]): Bill {
  const sums = { paid: 0, back: 0 }
  const lines = rows.map(({ order, state, amountFen, currency = 'CNY', refundId = '', progress = '', at }) => {
    const paid = state === 'SUCCESS' ? amountFen : 0
    const back = amountFen - paid
    sums.paid += paid
    sums.back += back
    const named = [formatGmt8(at ?? order.paidAt), order.transactionId, `P${order.orderId}`, payer, state, currency]
    return [
      ...[...named, yuan(paid), refundId, yuan(back), '0.00', progress],
      ...['晨风, 户外', '0.00000', yuan(paid), yuan(back)],
    ]
  })
  const names = '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额'
  const { paid, back } = sums
  const summary = [String(rows.length), yuan(paid), yuan(back), '0.00', '0.00000', yuan(paid), yuan(back)]
  const cells = (values: readonly string[]) => values.map((value) => `\`${value}`).join()
  const all = [columns.join(), ...lines.map(cells), names, cells(summary)]
  return { source: 'wechatpay', csv: `\uFEFF${all.join('\r\n')}\r\n` }
}
