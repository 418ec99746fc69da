/**
 * For tests: one order as a buyer would tell it, whichever platform it was placed on. `platforms.ts` writes it in each
 * platform's own bytes. Orders are values: a later version of one is `later(order, { … })`, a second younger.
 */
import type { ChannelName } from '../../../router/types.ts'

export type Step = 'unpaid' | 'paid' | 'locked' | 'closed' | 'shipped' | 'completed'

export interface TestLine {
  readonly sku: string
  readonly quantity: number
  /** Of the whole line. */
  readonly paidFen: number
  readonly gift?: boolean
  /** The line that the gift goes with, by index. */
  readonly giftOf?: number
  readonly refund?: 'requested' | 'refunded' | 'refused'
  /** Units of the line in after-sales, open and finished. Only WeChat counts them. */
  readonly refundUnits?: { readonly requested: number; readonly refunded: number }
  /** Epoch milliseconds, whole seconds: presale goods are not shipped before. Only Tmall tells it. */
  readonly readyAt?: number
}

export interface TestReceiver {
  readonly name: string
  readonly phone: string
  readonly province: string
  readonly city: string
  readonly district: string
  readonly street: string
  /** Only Tmall tells it. */
  readonly oaid?: string
}

export interface TestOrder {
  readonly channel: ChannelName
  readonly shop: string
  readonly orderId: string
  readonly step: Step
  /** Epoch milliseconds, whole seconds: what the platform calls modified. */
  readonly at: number
  readonly paidAt: number
  readonly lines: readonly TestLine[]
  readonly freightFen: number
  readonly receiver: TestReceiver
  readonly buyerMessage: string
  readonly sellerMemo: string
  /** Only WeChat tells it. */
  readonly addressUnderReview: boolean
  readonly transactionId: string
}

/** Hangzhou, where the network's `east` is. Masked, as platforms give it. */
export const buyer: TestReceiver = {
  name: '张*丰',
  phone: '138****6621',
  province: '浙江省',
  city: '杭州市',
  district: '西湖区',
  street: '文三路***号',
}

export const shopOf: Readonly<Record<ChannelName, string>> = {
  tmall: '晨风天猫店',
  jd: 'chenfeng-jd',
  wechat: 'chenfeng/wx',
}

let made = 0
const startMs = Math.floor(Date.now() / 1000) * 1000 - 3_600_000

/** Paid, with an id that no other order of this process has. Ids are numbers beyond 2^53 where the platform's are. */
export function testOrder(
  channel: ChannelName,
  lines: readonly TestLine[],
  given: Partial<Omit<TestOrder, 'channel' | 'lines'>> = {},
): TestOrder {
  made += 1
  const number = String(made).padStart(6, '0')
  const orderId = channel === 'jd' ? `315${process.pid % 1000}${number}` : `3705115058471${number}`
  return {
    channel,
    shop: shopOf[channel],
    orderId,
    step: 'paid',
    at: startMs,
    paidAt: startMs - 60_000,
    lines,
    freightFen: 0,
    receiver: buyer,
    buyerMessage: '',
    sellerMemo: '',
    addressUnderReview: false,
    transactionId: `4200003110202611${orderId.slice(-12).padStart(12, '0')}`,
    ...given,
  }
}

export function later(order: TestOrder, changes: Partial<TestOrder>): TestOrder {
  return { ...order, at: order.at + 1000, ...changes }
}

/** The order's lines with one of them changed. */
export function withLine(order: TestOrder, index: number, changes: Partial<TestLine>): readonly TestLine[] {
  return order.lines.map((line, at) => (at === index ? { ...line, ...changes } : line))
}

export function paidFenOf(order: TestOrder): number {
  return order.lines.reduce((sum, line) => sum + line.paidFen, order.freightFen)
}
