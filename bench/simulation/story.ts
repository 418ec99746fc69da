/**
 * What a platform has to tell of one order, in the order in which it happened: whole snapshots with rising times, and refunds
 * of their own. Bodies are what the platform documents, as few fields as the way reads.
 */

import type { Random } from '../../adapters/shared/seeded-random.ts'
import { formatGmt8 } from '../../adapters/shared/time.ts'
import { hashed, type InboxEvent } from '../../adapters/store/inbox/event.ts'
import type { ChannelName } from '../../router/types.ts'
import { provinces, skus } from './network.ts'

export const shop = 's'

interface Line {
  readonly oid: string
  readonly sku: string
  readonly quantity: number
  readonly paidFen: number
  refund: string
}

/** What has to stand in the bills of an order in the end. */
export interface MoneyMove {
  readonly kind: 'payment' | 'refund'
  readonly amountFen: number
}

export interface Story {
  readonly channel: ChannelName
  readonly shop: string
  readonly orderId: string
  readonly events: readonly InboxEvent[]
  readonly money: readonly MoneyMove[]
}

export function tellStory(random: Random, orderId: string, startMs: number): Story {
  const lines: Line[] = []
  const count = random.between(1, 3)
  for (let i = 0; i < count; i++) {
    const quantity = random.between(1, 3)
    lines.push({ ...{ oid: `${orderId}${i}`, sku: random.pick(skus), quantity, paidFen: 100 * quantity }, refund: '' })
  }
  let status = 'WAIT_SELLER_SEND_GOODS'
  let province: string = random.pick(provinces)
  let atMs = startMs
  const events: InboxEvent[] = []
  const money: MoneyMove[] = [{ kind: 'payment', amountFen: lines.reduce((sum, l) => sum + l.paidFen, 0) }]
  const tell = (): void => {
    events.push(tradeEvent({ orderId, status, atMs, paidAtMs: startMs, province, lines }))
    atMs += 1000
  }
  if (random.chance(0.3)) {
    status = 'WAIT_BUYER_PAY'
    tell()
    status = 'WAIT_SELLER_SEND_GOODS'
  }
  tell()
  if (random.chance(0.2)) {
    province = random.pick(provinces)
    tell()
  }
  if (random.chance(0.35)) {
    const line = random.pick(lines)
    const refundId = `9${orderId}`
    events.push(refundEvent(orderId, refundId, line, 'WAIT_SELLER_AGREE', atMs))
    line.refund = 'WAIT_SELLER_AGREE'
    if (random.chance(0.5)) tell()
    atMs += 1000
    const end = random.pick(['SUCCESS', 'CLOSED', 'SELLER_REFUSE_BUYER'])
    line.refund = end
    // Of some orders one piece is given back, and not the line.
    const refundFen = Number(orderId.at(-1)) % 2 === 0 ? line.paidFen : line.paidFen / line.quantity
    if (end === 'SUCCESS') money.push({ kind: 'refund', amountFen: refundFen })
    events.push(refundEvent(orderId, refundId, { ...line, paidFen: refundFen }, end, atMs))
    if (random.chance(0.5)) tell()
  }
  if (random.chance(0.15)) {
    status = 'TRADE_CLOSED'
    tell()
  }
  return { channel: 'tmall', shop, orderId, events, money }
}

function yuan(fen: number): string {
  return `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`
}

interface Trade {
  readonly orderId: string
  readonly status: string
  readonly atMs: number
  readonly paidAtMs: number
  readonly province: string
  readonly lines: readonly Line[]
}

function tradeEvent({ orderId, status, atMs, paidAtMs, province, lines }: Trade): InboxEvent {
  const modified = formatGmt8(atMs)
  const trade = {
    ...{ tid_str: orderId, status, modified, post_fee: '0.00', receiver_state: province, receiver_city: province },
    ...{ receiver_name: '*', receiver_mobile: '*', receiver_address: '*', receiver_district: '' },
    ...(status === 'WAIT_BUYER_PAY' ? {} : { pay_time: formatGmt8(paidAtMs), alipay_no: `t${orderId}` }),
    payment: yuan(lines.reduce((sum, l) => sum + l.paidFen, 0)),
    orders: {
      order: lines.map((l) => ({
        ...{ oid_str: l.oid, num: l.quantity, outer_sku_id: l.sku, divide_order_fee: yuan(l.paidFen) },
        ...(l.refund === '' ? {} : { refund_status: l.refund }),
      })),
    },
  }
  return eventOf(orderId, `trade:${orderId}:${modified}:${status}`, 'order', atMs, { trade })
}

function refundEvent(orderId: string, refundId: string, line: Line, status: string, atMs: number): InboxEvent {
  const modified = formatGmt8(atMs)
  const refund = { tid: orderId, oid: line.oid, refund_id: refundId, status, modified, refund_fee: yuan(line.paidFen) }
  return eventOf(orderId, `refund:${refundId}:${modified}:${status}`, 'refund', atMs, { refund })
}

function eventOf(orderId: string, eventId: string, kind: string, occurredAt: number, told: unknown): InboxEvent {
  const body = Buffer.from(JSON.stringify(told))
  return hashed({ channel: 'tmall', shop, eventId, orderId, kind, occurredAt, body })
}

/** The same event with another body: only a memo that nothing is decided by. */
export function conflicting(event: InboxEvent): InboxEvent {
  const told = JSON.parse(Buffer.from(event.body).toString('utf8')) as Record<string, Record<string, unknown>>
  const [name, entity] = Object.entries(told)[0]!
  const body = Buffer.from(JSON.stringify({ [name]: { ...entity, seller_memo: 'other' } }))
  return hashed({ ...event, body })
}
