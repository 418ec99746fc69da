/**
 * A platform as tests need it: makes orders, signs them, sends each until it is acknowledged, and keeps a ledger of what
 * was acknowledged that owes nothing to the service.
 */
import { Pool } from 'undici'
import { signTmall } from '../../adapters/channels/tmall-sign.ts'
import { formatGmt8 } from '../../adapters/shared/time.ts'
import type { Sql } from '../../adapters/store/connect.ts'
import type { SkuQuantity } from '../../router/types.ts'

export const testShop = {
  channel: 'tmall',
  shop: 'shop-under-test',
  credentials: { appKey: '12345678', appSecret: 'a secret of the shop under test' },
  apiBaseUrl: null,
  skuMap: {},
} as const

export interface TestOrder {
  readonly orderId: string
  readonly lines: readonly SkuQuantity[]
  /** Tmall's own word; paid when absent. */
  readonly status?: string
  /** Epoch milliseconds; now when absent. */
  readonly modifiedAt?: number
  readonly buyerMessage?: string
}

const unitYuan = 10

export function tradeBody({ orderId, lines, status = 'WAIT_SELLER_SEND_GOODS', ...rest }: TestOrder): Buffer {
  const { modifiedAt = Date.now(), buyerMessage = '' } = rest
  const at = formatGmt8(modifiedAt)
  const units = lines.reduce((sum, l) => sum + l.quantity, 0)
  const yuan = (count: number): string => `${count * unitYuan}.00`
  const trade = {
    tid_str: orderId,
    type: 'fixed',
    status,
    created: at,
    modified: at,
    ...(status === 'WAIT_BUYER_PAY' ? {} : { pay_time: at }),
    payment: yuan(units),
    post_fee: '0.00',
    receiver_name: '王**',
    receiver_mobile: '*******1234',
    receiver_state: '浙江省',
    receiver_city: '杭州市',
    receiver_district: '西湖区',
    receiver_address: '文三路***号',
    buyer_nick: 't**1',
    buyer_message: buyerMessage,
    orders: {
      order: lines.map(({ sku, quantity }, i) => ({
        oid_str: `${orderId}${i}`,
        status,
        refund_status: 'NO_REFUND',
        outer_sku_id: sku,
        title: sku,
        num: quantity,
        payment: yuan(quantity),
        divide_order_fee: yuan(quantity),
      })),
    },
  }
  return Buffer.from(JSON.stringify({ trade_fullinfo_get_response: { trade } }))
}

export interface PlatformAnswer {
  readonly status: number
  readonly body: string
}

/** Sends one body as the platform does, signed now. Throws when nothing answers. */
export async function push(pool: Pool, body: Buffer): Promise<PlatformAnswer> {
  const { appKey, appSecret } = testShop.credentials
  const method = 'taobao.trade.fullinfo.get'
  const query = signTmall({ appKey, appSecret, timestampMs: Date.now(), body, method })
  const answer = await pool.request({
    method: 'POST',
    path: `/webhooks/tmall/${testShop.shop}?${query}`,
    headers: { 'content-type': 'application/json;charset=utf-8' },
    body,
  })
  return { status: answer.statusCode, body: await answer.body.text() }
}

export const acknowledged: PlatformAnswer = { status: 200, body: '{"success":true}' }

export function isAcknowledged({ status, body }: PlatformAnswer): boolean {
  return status === acknowledged.status && body === acknowledged.body
}

export interface Ledger {
  /** Order ids that the service acknowledged. */
  readonly acknowledged: Set<string>
  /** Answers that were no acknowledgement, by status and body; `no answer` for those that never came. */
  readonly refusals: Map<string, number>
}

export function newLedger(): Ledger {
  return { acknowledged: new Set(), refusals: new Map() }
}

export interface Sending {
  /** Where the service listens just now; null while it does not. */
  readonly target: () => string | null
  readonly ledger: Ledger
  /** Requests that wait for an answer at any time. */
  readonly connections?: number
}

// A real platform waits minutes; long enough that a dead service is not asked thousands of times.
const againMs = 20

/** Sends every order until it is acknowledged; the same bytes each time, as a platform does. */
export async function sendAll(orders: readonly TestOrder[], sending: Sending): Promise<void> {
  const pools = new Map<string, Pool>()
  const poolOf = (url: string): Pool => {
    const known = pools.get(url) ?? new Pool(url, { connections: sending.connections ?? 64 })
    pools.set(url, known)
    return known
  }
  const queue = [...orders]
  const work = async (): Promise<void> => {
    for (let order = queue.shift(); order !== undefined; order = queue.shift()) {
      await sendUntilAcknowledged(order.orderId, tradeBody(order), sending, poolOf)
    }
  }
  try {
    await Promise.all(Array.from({ length: sending.connections ?? 64 }, work))
  } finally {
    await Promise.all([...pools.values()].map((pool) => pool.destroy()))
  }
}

async function sendUntilAcknowledged(
  orderId: string,
  body: Buffer,
  { target, ledger }: Sending,
  poolOf: (url: string) => Pool,
): Promise<void> {
  for (;;) {
    const url = target()
    if (url !== null) {
      const answer = await push(poolOf(url), body).catch(() => null)
      if (answer !== null && isAcknowledged(answer)) {
        ledger.acknowledged.add(orderId)
        return
      }
      const refusal = answer === null ? 'no answer' : `${answer.status} ${answer.body}`
      ledger.refusals.set(refusal, (ledger.refusals.get(refusal) ?? 0) + 1)
    }
    await new Promise((resolve) => setTimeout(resolve, againMs))
  }
}

/** What the ledger and the tables disagree about: acknowledged orders that do not exist exactly once, each by id. */
export async function lostOrders(sql: Sql, ledger: Ledger): Promise<string[]> {
  const rows = await sql<{ order_id: string }[]>`select order_id from orders where shop = ${testShop.shop}`
  const count = new Map<string, number>()
  for (const { order_id } of rows) count.set(order_id, (count.get(order_id) ?? 0) + 1)
  return [...ledger.acknowledged].filter((id) => count.get(id) !== 1)
}
