/**
 * The stream that is sent: order after order of the plan, each with the events of its story one behind the other. With
 * many connections the events of one order are under way at once and meet the service in any order, as in life.
 */
import { loadDivisions } from '../../adapters/divisions/load.ts'
import type { ChannelName } from '../../router/types.ts'
import { demoSeed } from '../../workers/demo/load.ts'
import { type DemoNetwork, demoNetwork } from '../../workers/demo/network.ts'
import { encode, type WireRequest } from '../traffic/encode.ts'
import { stories } from '../traffic/events.ts'
import { orderAt } from '../traffic/generator.ts'
import { type TrafficPlan, trafficPlan } from '../traffic/plan.ts'

/** Everything that a process needs to make the very same orders. */
export interface StreamSettings {
  readonly seed: number
  /** Of order 0, epoch milliseconds; a whole second. */
  readonly startMs: number
  readonly mix: Readonly<Record<ChannelName, number>>
}

// By the platform's clock: so dense that the newest order is never in the future.
export const ordersPerSecond = 20_000
/** Units enough for millions of orders: a load test shall meet hot rows, not empty shelves. */
export const stockFactor = 50

export function benchNetwork(wechatApiBaseUrl?: string): DemoNetwork {
  const options = wechatApiBaseUrl === undefined ? { stockFactor } : { stockFactor, wechatApiBaseUrl }
  return demoNetwork(loadDivisions(), demoSeed, options)
}

export function planOf(settings: StreamSettings, network: DemoNetwork = benchNetwork()): TrafficPlan {
  return trafficPlan({ ...settings, network, divisions: loadDivisions(), ordersPerSecond })
}

/** By the clock: two runs within a day on one service do not send the same orders. JD's ids keep its last three digits. */
export function unusedSeed(nowMs: number): number {
  return Math.floor(nowMs / 1000) % 100_000
}

export interface StreamedRequest extends WireRequest {
  /** Of the order. */
  readonly index: number
}

/** Signed for the instant at which it is asked for. */
export function* stream(plan: TrafficPlan): Generator<StreamedRequest, never> {
  for (let index = 0; ; index++) {
    const order = orderAt(plan, index)
    for (const event of stories[order.scenario]) yield { ...encode(order, event, Date.now()), index }
  }
}
