/**
 * Everything that a run of the demo is made of, from the second at which it began: which orders, with which ids. The
 * process that stands in for WeChat makes the same from the same second, so the two need no word with each other.
 */
import { loadDivisions } from '../../adapters/divisions/load.ts'
import { type District, districtsOf } from '../../workers/process/demo-network/districts.ts'
import { demoSeed } from '../../workers/process/demo-network/load.ts'
import { type DemoNetwork, demoNetwork } from '../../workers/process/demo-network/network.ts'
import { type ScenarioShares, type TrafficPlan, trafficPlan } from '../traffic/plan.ts'
import { type Samples, samplesOf } from './samples.ts'

export interface Stage {
  /** Names this run in codes and references. */
  readonly run: string
  readonly network: DemoNetwork
  readonly plan: TrafficPlan
  /** Orders of this run have the numbers from here on. */
  readonly firstIndex: number
  readonly samples: Samples
  district(adcode: string): District
}

/** How many orders of the plan belong to one run. */
export const indexesPerRun = 5_000

// Buyers ordered within the last hour, at most five a second, and all that happens to the orders lies in the past.
const ordersPerSecond = 5
const earlierMs = 40 * 60_000

// Far more of what is unusual than a shop sees, since each of it has to come up in a handful of orders.
const scenarios: ScenarioShares = {
  ...{ announced: 40, expired: 5, presale: 0, human_note: 40, unknown_sku: 40, address_review: 0 },
  ...{ refund: 120, cancel: 40, duplicate: 40, address_change: 60, memo_change: 5 },
}

/**
 * `second`: epoch seconds at which the run began. Ids of two runs within 230 days never meet, JD's twelve digits
 * included: the second's last three digits are in them as the seed, the others choose the stretch of numbers.
 */
export function stageAt(second: number): Stage {
  const divisions = loadDivisions()
  const network = demoNetwork(divisions, demoSeed)
  const firstIndex = (Math.floor(second / 1_000) % 20_000) * indexesPerRun
  const beginMs = second * 1_000 - earlierMs
  const plan = trafficPlan({
    ...{ network, divisions, ordersPerSecond, scenarios },
    seed: second % 100_000,
    startMs: beginMs - (firstIndex / ordersPerSecond) * 1_000,
  })
  const districts = districtsOf(divisions)
  return {
    run: second.toString(36).toUpperCase(),
    ...{ network, plan, firstIndex },
    samples: samplesOf(network.shops, String(second).padStart(10, '0'), beginMs),
    district: (adcode) => districts.find((district) => district.adcode === adcode)!,
  }
}
