/**
 * Real orders of the bench's workload, as they stand in front of each part: the events that their webhooks hold, named and
 * verified by the channels themselves, and for WeChat the order as it is fetched after the push.
 */
import { hash } from 'node:crypto'
import { channels } from '../../adapters/channels/channels.ts'
import { fetchedOrderEvent } from '../../adapters/channels/wechat/channel.ts'
import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import { standinOrders } from '../standin/orders.ts'
import { encode } from '../traffic/encode.ts'
import { stories } from '../traffic/events.ts'
import { orderAt } from '../traffic/generator.ts'
import type { GeneratedOrder } from '../traffic/order.ts'
import type { TrafficPlan } from '../traffic/plan.ts'

export type RawEvent = Omit<InboxEvent, 'bodyHash' | 'answers'>

export interface OrderMaterial {
  readonly index: number
  /** In the order of the order's story; the second delivery of an event is there too. */
  readonly pushed: readonly RawEvent[]
  /** What the pushes of a WeChat order lead to; null on the other channels. */
  readonly fetched: RawEvent | null
}

/** Orders `from … from + count - 1` of the plan. Some 150 µs each: made before a clock starts. */
export function materialOf(plan: TrafficPlan, from: number, count: number): OrderMaterial[] {
  const standin = standinOrders(plan, 'last')
  return Array.from({ length: count }, (_, n) => {
    const order = orderAt(plan, from + n)
    const answer = order.channel === 'wechat' ? standin.answer(order.orderId, false) : null
    return {
      index: order.index,
      pushed: stories[order.scenario].map((event) => receivedOf(order, encode(order, event, Date.now()))),
      fetched: answer === null ? null : eventOf(order, fetchedOrderEvent(Buffer.from(answer), '1')),
    }
  })
}

function receivedOf(order: GeneratedOrder, request: ReturnType<typeof encode>): RawEvent {
  const { query, headers, body } = request
  const received = channels[order.channel].receive(
    { method: 'POST', query, contentType: headers['content-type']!, body },
    order.shop.credentials,
    Date.now(),
  )
  if (received.outcome !== 'event') throw new Error(`a request of ours is no event: ${received.outcome}`)
  return eventOf(order, received)
}

function eventOf(order: GeneratedOrder, event: ReturnType<typeof fetchedOrderEvent>): RawEvent {
  const { eventId, orderId, kind, occurredAt, payload } = event
  return { channel: order.channel, shop: order.shop.shop, eventId, orderId, kind, occurredAt, body: payload }
}

/** As the service's intake does it for every event. */
export function hashed(event: RawEvent, answers: readonly string[] = []): InboxEvent {
  return { ...event, bodyHash: hash('sha256', event.body), ...(answers.length > 0 ? { answers } : {}) }
}
