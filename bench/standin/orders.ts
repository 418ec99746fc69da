/**
 * The orders that the stand-in knows: all that the plan can make. Nothing is kept but the latest event of those that
 * were advanced; any other order is as after the first event of its story (or the last, see `untouched`).
 */
import type { EventName } from '../traffic/events.ts'
import { eventNames, stories, viewAt } from '../traffic/events.ts'
import { orderAt } from '../traffic/generator.ts'
import { indexOfWechatId } from '../traffic/ids.ts'
import type { TrafficPlan } from '../traffic/plan.ts'
import { orderJson } from '../traffic/wechat.ts'

export interface StandinOrders {
  /** The text of the answer, or null for an id that this plan did not make. */
  answer(orderId: string, stale: boolean): string | null
  /** Says what is wrong with the id or the event, or null. Any event may follow any other: it is a stand-in. */
  advance(orderId: string, event: string): string | null
}

export function standinOrders(plan: TrafficPlan, untouched: 'first' | 'last' = 'first'): StandinOrders {
  const latest = new Map<string, EventName>()

  function find(orderId: string) {
    const index = indexOfWechatId(plan.seed, orderId)
    if (index === null) return null
    const order = orderAt(plan, index)
    return order.channel === 'wechat' ? order : null
  }

  return {
    answer(orderId, stale) {
      const order = find(orderId)
      if (order === null) return null
      const story = stories[order.scenario]
      const event = latest.get(orderId) ?? (untouched === 'first' ? story[0]! : story.at(-1)!)
      return orderJson(order, viewAt(order, stale ? before(event) : event))
    },
    advance(orderId, event) {
      if (find(orderId) === null) return `no such order: ${orderId}`
      const name = eventNames.find((candidate) => candidate === event)
      if (name === undefined) return `no such event: ${event}`
      latest.set(orderId, name)
      return null
    },
  }
}

/** What a lagging replica would still show: unpaid while it is being paid, paid while anything later happens. */
function before(event: EventName): EventName {
  return event === 'created' || event === 'deposit_paid' || event === 'paid' || event === 'expired' ? 'created' : 'paid'
}
