/** An event that becomes durable together with the fact that it follows from. */
import type { Transaction } from '../postgres/connect.ts'
import { dayOf, type InboxEvent } from './event.ts'

/** Stores one event inside the caller's transaction; gives its number. Throws where its id is taken. */
export async function insertEvent(tx: Transaction, event: InboxEvent): Promise<string> {
  const [row] = await tx<{ seq: string }[]>`
    with stored as (
      insert into inbox (day, channel, shop, event_id, order_id, kind, body_hash, body)
      values (${dayOf(event.occurredAt)}, ${event.channel}, ${event.shop}, ${event.eventId}, ${event.orderId},
        ${event.kind}, decode(${event.bodyHash}, 'hex'), ${Buffer.from(event.body)})
      returning *
    )
    insert into pending (seq, day, channel, shop, event_id, order_id, kind)
    select seq, day, channel, shop, event_id, order_id, kind from stored returning seq`
  return row!.seq
}
