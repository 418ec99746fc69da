/**
 * From the events of one order, as they lie in the inbox, to the decision on it: bodies are normalised here, everything else is
 * `decideOrder` of the brain. A bug here spoils one order, not its batch.
 */

import { type EventKind, Unintelligible } from '../../adapters/channels/channel.ts'
import { channels } from '../../adapters/channels/channels.ts'
import type { Loaded } from '../../adapters/store/orders/load.ts'
import { type Divisions, resolveReceiver } from '../../router/address.ts'
import { readCommand } from '../../router/commands.ts'
import { newOrder } from '../../router/order.ts'
import { decideOrder, type OrderDecision, type Taken, type Told } from '../../router/order-decision.ts'
import type { Policy } from '../../router/policy.ts'
import type { Task } from '../../router/task.ts'
import { type ChannelName, isChannelName, type Order } from '../../router/types.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { EventToDecide } from './batch.ts'

export interface EventOutcome extends Taken {
  readonly event: EventToDecide
}

export interface Work extends Omit<OrderDecision, 'events'> {
  readonly before: Order
  readonly tasksBefore: readonly Task[]
  readonly events: readonly EventOutcome[]
}

export interface WorkContext {
  readonly catalog: Catalog
  readonly divisions: Divisions
  readonly policy: Policy
}

/** `events` are all of one order, in the sequence of their numbers. */
export function workOn(context: WorkContext, events: readonly EventToDecide[], loaded: Loaded | undefined): Work {
  const { channel, shop, orderId, seq } = events[0]!
  const before = loaded?.order ?? newOrder({ channel: channel as ChannelName, shop, orderId }, seq)
  const tasksBefore = loaded?.tasks ?? []
  const decided = decideOrder({
    before,
    tasks: tasksBefore,
    events: events.map((event) => ({ told: toldBy(context, event), storedAtMs: event.storedAtMs })),
    catalog: context.catalog.sku,
    skuMap: skuMapOf(context, channel, shop),
    policy: context.policy,
  })
  return {
    ...decided,
    before,
    tasksBefore,
    events: decided.events.map((taken, i) => ({ event: events[i]!, ...taken })),
  }
}

function skuMapOf({ catalog }: WorkContext, channel: string, shop: string): Readonly<Record<string, string>> {
  return catalog.shop(channel, shop)?.skuMap ?? {}
}

function toldBy(context: WorkContext, event: EventToDecide): Told {
  if (event.kind === 'command')
    return { type: 'command', command: readCommand(JSON.parse(Buffer.from(event.body).toString('utf8'))) }
  if (event.kind === 'unintelligible') return unintelligible('the body is not what the platform documents')
  if (!isChannelName(event.channel)) return unintelligible('unknown channel')
  try {
    return normalised(context, event, event.channel)
  } catch (error) {
    if (error instanceof Unintelligible) return unintelligible(error.message)
    throw error
  }
}

function normalised(context: WorkContext, event: EventToDecide, name: ChannelName): Told {
  const channel = channels[name]
  const settings = { shop: event.shop, skuMap: skuMapOf(context, name, event.shop) }
  const snapshot = channel.normalise(event.kind as EventKind, event.body, settings)
  if (snapshot.orderId !== event.orderId) return unintelligible('the order id is not the one it was stored under')
  switch (snapshot.type) {
    case 'notification':
      return unintelligible('a notification holds no order')
    case 'refund':
      return snapshot
    case 'order': {
      const fetchNumber = channel.fetch?.numberOf(event.eventId) ?? 0
      return { ...snapshot, fetchNumber, receiver: resolveReceiver(context.divisions, snapshot.receiver) }
    }
  }
}

function unintelligible(reason: string): Told {
  return { type: 'unintelligible', reason }
}
