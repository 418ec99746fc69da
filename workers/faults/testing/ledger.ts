/**
 * A platform that does not give up: sends each order until it is acknowledged, and keeps a ledger of what was, which owes
 * nothing to the service.
 */
import { Pool } from 'undici'
import { channels } from '../../../adapters/channels/channels.ts'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import type { ChannelName, SkuQuantity } from '../../../router/types.ts'
import { type TestOrder, testOrder } from '../../e2e/testing/orders.ts'
import { signedOrder } from '../../e2e/testing/webhooks.ts'

const unitFen = 1_000

/** A paid order of whole units; tmall's when no channel is named. */
export function orderOf(lines: readonly SkuQuantity[], channel: ChannelName = 'tmall'): TestOrder {
  return testOrder(
    channel,
    lines.map(({ sku, quantity }) => ({ sku, quantity, paidFen: quantity * unitFen })),
  )
}

export interface PlatformAnswer {
  readonly status: number
  readonly body: string
}

/** Sends an order once, signed now. Throws when nothing answers. */
export async function push(pool: Pool, order: TestOrder): Promise<PlatformAnswer> {
  const { method, path, contentType, body } = signedOrder(order)
  const answer = await pool.request({
    method,
    path,
    headers: { 'content-type': contentType },
    body,
  })
  return { status: answer.statusCode, body: await answer.body.text() }
}

export function isAcknowledged(channel: ChannelName, { status, body }: PlatformAnswer): boolean {
  const { acknowledgement } = channels[channel]
  return status === acknowledgement.status && body === acknowledgement.body
}

/** Refused in the platform's own words, so that it sends again. */
export function isTryAgain(channel: ChannelName, { status, body }: PlatformAnswer): boolean {
  const refusal = channels[channel].refusal('try_again')
  return status === refusal.status && body === refusal.body
}

export interface Ledger {
  /** `keyOf` of every order that the service acknowledged. */
  readonly acknowledged: Set<string>
  /** Answers in the platform's words for "again, please". */
  refused: number
  /** Requests that nobody answered. */
  unanswered: number
  /** Anything else: none is ever expected. */
  readonly odd: PlatformAnswer[]
}

export function newLedger(): Ledger {
  return { acknowledged: new Set(), refused: 0, unanswered: 0, odd: [] }
}

export function ledgerKey(order: {
  readonly channel: string
  readonly shop: string
  readonly orderId: string
}): string {
  return `${order.channel}/${order.shop}/${order.orderId}`
}

export interface Sending {
  /** Where the service listens just now; null while it does not. */
  readonly target: () => string | null
  readonly ledger: Ledger
  /** Requests that wait for an answer at any time. */
  readonly connections?: number
}

const connectionsDefault = 64
// A real platform waits minutes; long enough that a dead service is not asked thousands of times.
const againMs = 20

/** Resolves when every order is acknowledged. */
export async function sendAll(orders: Iterable<TestOrder>, sending: Sending): Promise<void> {
  const { connections = connectionsDefault } = sending
  const pools = new Map<string, Pool>()
  const poolOf = (url: string): Pool => {
    const known = pools.get(url) ?? new Pool(url, { connections })
    pools.set(url, known)
    return known
  }
  const queue = orders[Symbol.iterator]()
  const work = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      await sendUntilAcknowledged(next.value, sending, poolOf)
    }
  }
  try {
    await Promise.all(Array.from({ length: connections }, work))
  } finally {
    await Promise.all([...pools.values()].map((pool) => pool.destroy()))
  }
}

async function sendUntilAcknowledged(
  order: TestOrder,
  { target, ledger }: Sending,
  poolOf: (url: string) => Pool,
): Promise<void> {
  for (;;) {
    const url = target()
    if (url !== null) {
      const answer = await push(poolOf(url), order).catch(() => null)
      if (answer === null) ledger.unanswered += 1
      else if (isAcknowledged(order.channel, answer)) {
        ledger.acknowledged.add(ledgerKey(order))
        return
      } else if (isTryAgain(order.channel, answer)) ledger.refused += 1
      else ledger.odd.push(answer)
    }
    await new Promise((resolve) => setTimeout(resolve, againMs))
  }
}

/** What the ledger and the tables disagree about: acknowledged orders that do not exist exactly once. */
export async function lostOrders(sql: Sql, ledger: Ledger): Promise<string[]> {
  const rows = await sql<{ channel: string; shop: string; orderId: string }[]>`
    select channel, shop, order_id as "orderId" from orders`
  const count = new Map<string, number>()
  for (const row of rows) count.set(ledgerKey(row), (count.get(ledgerKey(row)) ?? 0) + 1)
  return [...ledger.acknowledged].filter((key) => count.get(key) !== 1)
}
