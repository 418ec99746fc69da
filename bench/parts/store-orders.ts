/** Events of real orders into the inbox, by group commits: what the service's intake does, without the sockets. */

import { storeEvents } from '../../adapters/store/inbox/store-events.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import type { EventToDecide } from '../../workers/decide/batch.ts'
import { hashed, type OrderMaterial, type RawEvent } from './material.ts'

export interface StoredOrders {
  /** What is left to decide, order by order. */
  readonly toDecide: readonly (readonly EventToDecide[])[]
  /** Rows that went into the inbox. */
  readonly rows: number
  readonly commits: number
}

/**
 * `ordersACommit` orders arrive while a commit runs, so they are in the next one; an order that was fetched goes into the
 * commit after that of its push, and answers it.
 */
export async function storeOrders(
  sql: Sql,
  orders: readonly OrderMaterial[],
  ordersACommit: number,
): Promise<StoredOrders> {
  const toDecide: EventToDecide[][] = orders.map(() => [])
  let rows = 0
  let commits = 0
  let fetched: Item[] = []
  for (let at = 0; at < orders.length || fetched.length > 0; at += ordersACommit) {
    const items = fetched
    fetched = []
    const notifications = new Map<number, string[]>()
    for (let n = at; n < Math.min(at + ordersACommit, orders.length); n++) {
      for (const event of orders[n]!.pushed) items.push({ n, event, answers: [] })
    }
    const outcomes = await storeEvents(
      sql,
      items.map(({ event, answers }) => hashed(event, answers)),
    )
    commits += 1
    const storedAtMs = Date.now()
    for (const [i, stored] of outcomes.entries()) {
      if (stored.outcome !== 'new') continue
      const { n, event } = items[i]!
      rows += 1
      if (event.kind === 'notification') notifications.set(n, [...(notifications.get(n) ?? []), stored.seq])
      else toDecide[n]!.push(decidable(event, stored.seq, storedAtMs))
    }
    for (const [n, answers] of notifications) fetched.push({ n, event: orders[n]!.fetched!, answers })
  }
  return { toDecide, rows, commits }
}

interface Item {
  readonly n: number
  readonly event: RawEvent
  readonly answers: readonly string[]
}

export function decidable(event: RawEvent, seq: string, storedAtMs: number): EventToDecide {
  const { channel, shop, eventId, orderId, kind, body } = event
  return { seq, channel, shop, eventId, orderId, kind, body, storedAtMs }
}

/** The same without a database: numbers of its own, every event once. */
export function numbered(orders: readonly OrderMaterial[]): readonly (readonly EventToDecide[])[] {
  let seq = 0
  const nowMs = Date.now()
  return orders.map(({ pushed, fetched }) => {
    const events = [...pushed.filter(({ kind }) => kind !== 'notification'), ...(fetched === null ? [] : [fetched])]
    const once = new Map(events.map((event) => [event.eventId, event]))
    return [...once.values()].map((event) => decidable(event, String(++seq), nowMs))
  })
}
