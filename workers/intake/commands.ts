/** What people and other stages ask of an order becomes an event in the inbox, like everything else that happens to it. */
import { hash, randomUUID } from 'node:crypto'
import type { InboxEvent } from '../../adapters/store/inbox/inbox.ts'
import type { Transaction } from '../../adapters/store/postgres/connect.ts'
import type { Command, OrderKey } from '../../router/types.ts'
import type { EventToStore } from './intake.ts'

/** `id` makes it once: the same command asked twice under one id is one event. */
export function commandEvent(key: OrderKey, command: Command, nowMs: number, id: string = randomUUID()): EventToStore {
  return {
    channel: key.channel,
    shop: key.shop,
    eventId: `command:${command.type}:${id}`,
    orderId: key.orderId,
    kind: 'command',
    occurredAt: nowMs,
    body: Buffer.from(JSON.stringify(command)),
  }
}

export function hashed(event: EventToStore): InboxEvent {
  return { ...event, bodyHash: hash('sha256', event.body) }
}

/** Stores one command inside a transaction of somebody else's; gives its number. */
export async function insertCommand(tx: Transaction, event: InboxEvent, day: string): Promise<string> {
  const [row] = await tx<{ seq: string }[]>`
    with stored as (
      insert into inbox (day, channel, shop, event_id, order_id, kind, body_hash, body)
      values (${day}, ${event.channel}, ${event.shop}, ${event.eventId}, ${event.orderId}, ${event.kind},
        decode(${event.bodyHash}, 'hex'), ${Buffer.from(event.body)})
      returning *
    )
    insert into pending (seq, day, channel, shop, event_id, order_id, kind)
    select seq, day, channel, shop, event_id, order_id, kind from stored returning seq`
  return row!.seq
}
