/**
 * The stream that is sent: order after order of the plan, each with the events of its story one behind the other. With
 * many connections the events of one order are under way at once and meet the service in any order, as in life.
 */
import { loadDivisions } from '../../adapters/divisions/load.ts'
import type { ChannelName } from '../../router/types.ts'
import { demoSeed } from '../../workers/process/demo-network/load.ts'
import { type DemoNetwork, demoNetwork } from '../../workers/process/demo-network/network.ts'
import { loadBaskets } from '../traffic/baskets.ts'
import { encode, type WireRequest } from '../traffic/encode.ts'
import { stories } from '../traffic/events.ts'
import { orderAt } from '../traffic/generator.ts'
import { heatUp, hotSkuOf } from '../traffic/hot.ts'
import { type TrafficPlan, trafficPlan } from '../traffic/plan.ts'
import { wideNetwork } from '../traffic/wide-network.ts'

/** Everything that a process needs to make the very same orders. */
export interface StreamSettings {
  readonly seed: number
  /** Of order 0, epoch milliseconds; a whole second. */
  readonly startMs: number
  readonly mix: Readonly<Record<ChannelName, number>>
  /** The demo's own network when absent. */
  readonly network?: NetworkShape
  /** Everyday orders when absent. */
  readonly orders?: 'everyday' | 'hot' | 'baskets'
}

/** Plain data: it goes from process to process, and each makes the same network of it. */
export interface NetworkShape {
  /** Fewer SKUs and stores: what a test can load in a moment. */
  readonly small?: boolean
  /** How many nodes there are, all over the country, ten of them warehouses. */
  readonly nodeCount?: number
  /** Units of the hot SKU, which lies in one warehouse and nowhere else. */
  readonly hotUnits?: number
}

// By the platform's clock: so dense that the newest order is never in the future.
export const ordersPerSecond = 20_000
/** Units enough for millions of orders: a load test shall meet hot rows, not empty shelves. */
export const stockFactor = 50

// A bundle is made of the first 400 SKUs, so there have to be more.
const small = { skuCount: 600, bundleCount: 20, storeCount: 24 }

export function benchNetwork(wechatApiBaseUrl?: string, shape: NetworkShape = {}): DemoNetwork {
  const divisions = loadDivisions()
  const options = {
    stockFactor,
    ...(shape.small === true ? small : {}),
    ...(wechatApiBaseUrl === undefined ? {} : { wechatApiBaseUrl }),
  }
  const network =
    shape.nodeCount === undefined
      ? demoNetwork(divisions, demoSeed, options)
      : wideNetwork(divisions, demoSeed, shape.nodeCount, options)
  return shape.hotUnits === undefined ? network : heatUp(network, shape.hotUnits)
}

/** By the settings' own shape, and with what its shops know: for the service that is measured. */
export function networkOf(settings: StreamSettings, wechatApiBaseUrl?: string): DemoNetwork {
  return benchNetwork(wechatApiBaseUrl, settings.network)
}

export function planOf(settings: StreamSettings, network: DemoNetwork = networkOf(settings)): TrafficPlan {
  const { seed, startMs, mix, orders } = settings
  return trafficPlan({
    seed,
    startMs,
    mix,
    network,
    divisions: loadDivisions(),
    ordersPerSecond,
    ...(orders === 'hot' ? { only: hotSkuOf(network).sku } : {}),
    ...(orders === 'baskets' ? { baskets: loadBaskets() } : {}),
  })
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
