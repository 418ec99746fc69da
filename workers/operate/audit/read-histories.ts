/**
 * What was decided about some orders and what from: every entry of their histories, the events that are still in the inbox, and
 * the orders as they are now. Ask within one snapshot: a service may be at work.
 */
import { loadByKeys } from '../../../adapters/store/orders/load.ts'
import type { Queryable } from '../../../adapters/store/postgres/connect.ts'
import type { ChannelName } from '../../../router/types.ts'
import type { EventToDecide } from '../../decide/batch.ts'
import type { Entry, History } from './history.ts'

/** Where an event lies in the inbox, which no index finds by the event's number. */
export interface EventPlace {
  readonly seq: string
  readonly day: string
  readonly eventId: string
}

/** Reads the inbox once, without bodies: ask for many orders at a time. */
export async function locateEvents(sql: Queryable, orderIds: readonly string[]): Promise<Map<string, EventPlace[]>> {
  const rows = await sql<(EventPlace & { id: string })[]>`
    select o.id, i.seq, i.day::text as day, i.event_id as "eventId"
    from orders o join decision d on d.order_id = o.id and d.seq > 0
    join inbox i on i.seq = d.seq and i.channel = o.channel and i.shop = o.shop and i.order_id = o.order_id
    where o.id = any(${orderIds as string[]}::bigint[])`
  const places = new Map<string, EventPlace[]>()
  for (const { id, ...place } of rows) places.set(id, [...(places.get(id) ?? []), place])
  return places
}

/** How many entries the history of each order has. */
export async function historyLengths(sql: Queryable, orderIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await sql<{ id: string; entries: number }[]>`
    select order_id as id, count(*)::int as entries from decision
    where order_id = any(${orderIds as string[]}::bigint[]) group by 1`
  return new Map(rows.map((r) => [r.id, r.entries]))
}

/** By order id. */
export async function readHistories(
  sql: Queryable,
  orderIds: readonly string[],
  places: ReadonlyMap<string, readonly EventPlace[]>,
): Promise<Map<string, History>> {
  const keys = await sql<{ channel: ChannelName; shop: string; orderId: string }[]>`
    select channel, shop, order_id as "orderId" from orders where id = any(${orderIds as string[]}::bigint[])`
  const loaded = await loadByKeys(sql, keys)
  const entries = await sql<(Entry & { id: string })[]>`
    select order_id as id, version, seq, at::text as at, outcome, trace::json as trace from decision
    where order_id = any(${orderIds as string[]}::bigint[]) order by order_id, version, decision.at, seq`
  const histories = new Map<
    string,
    { loaded: History['loaded']; entries: Entry[]; events: Map<string, EventToDecide> }
  >()
  for (const one of loaded.values()) histories.set(one.order.id, { loaded: one, entries: [], events: new Map() })
  for (const { id, ...entry } of entries) histories.get(id)?.entries.push(entry)
  for (const { id, ...event } of await readEvents(sql, orderIds, places))
    histories.get(id)?.events.set(event.seq, event)
  return histories
}

async function readEvents(
  sql: Queryable,
  orderIds: readonly string[],
  places: ReadonlyMap<string, readonly EventPlace[]>,
): Promise<(EventToDecide & { id: string })[]> {
  const wanted = orderIds.flatMap((id) => (places.get(id) ?? []).map((place) => ({ id, ...place })))
  if (wanted.length === 0) return []
  const column = (read: (place: (typeof wanted)[number]) => string) => wanted.map(read)
  return await sql<(EventToDecide & { id: string })[]>`
    select o.id, i.seq, i.channel, i.shop, i.event_id as "eventId", i.order_id as "orderId", i.kind, i.body,
      floor(extract(epoch from i.received_at) * 1000)::float8 as "storedAtMs"
    from unnest(${column((w) => w.id)}::bigint[], ${column((w) => w.seq)}::bigint[], ${column((w) => w.day)}::date[],
      ${column((w) => w.eventId)}::text[]) as w (id, seq, day, event_id)
    cross join lateral (select id, channel, shop from orders where id = w.id offset 0) o
    cross join lateral (
      select * from inbox
      where day = w.day and channel = o.channel and shop = o.shop and event_id = w.event_id and seq = w.seq offset 0
    ) i`
}
