/** What people and other stages ask of an order becomes an event in the inbox, like everything else that happens to it. */

import { hash } from 'node:crypto'
import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import type { Command } from '../../router/commands.ts'
import type { OrderKey } from '../../router/types.ts'

/** `id` makes it once: the same command asked twice under one id is one event. `nowMs`: epoch milliseconds. */
export function commandEvent(key: OrderKey, command: Command, nowMs: number, id: string): InboxEvent {
  const body = Buffer.from(JSON.stringify(command))
  return {
    channel: key.channel,
    shop: key.shop,
    eventId: `command:${command.type}:${id}`,
    orderId: key.orderId,
    kind: 'command',
    occurredAt: nowMs,
    body,
    bodyHash: hash('sha256', body),
  }
}
