/**
 * What a stream of demo orders is made of. The defaults are the stated workload of the bench:
 *   mix        tmall 50 %, jd 25 %, wechat 25 %
 *   lines      1: 45 %, 2: 27 %, 3: 15 %, 4: 8 %, 5: 5 % (plus a gift line on 8 % of tmall and jd orders)
 *   SKUs       Zipf with exponent 0.9 over the network's 2,000, hottest first; bundles are among them
 *   buyers     districts of mainland China, provinces weighted by people
 *   scenarios  94 % plain; the rest as in `defaultScenarios`
 * Building a plan takes a few milliseconds; it is then shared by every order that is made from it.
 */

import type { Random } from '../../adapters/shared/seeded-random.ts'
import { weightedPicker, zipfWeights } from '../../adapters/shared/seeded-random.ts'
import type { Divisions } from '../../router/address.ts'
import { type ChannelName, isChannelName, type Sku } from '../../router/types.ts'
import type { District } from '../../workers/process/demo-network/districts.ts'
import { districtsOf } from '../../workers/process/demo-network/districts.ts'
import type { DemoNetwork, DemoShop } from '../../workers/process/demo-network/network.ts'
import { sumOf } from './amounts.ts'
import type { Baskets } from './baskets.ts'

/** What is unusual about an order, if anything. Each tells a story in events: see events.ts. */
export const scenarios = [
  'plain',
  /** The unpaid order is announced first. */
  'announced',
  /** Announced, never paid, closed by the platform. */
  'expired',
  /** Deposit first, balance later (tmall; a plain order elsewhere). */
  'presale',
  /** The buyer's note asks for a person. */
  'human_note',
  /** One line has a code that the merchant does not know. */
  'unknown_sku',
  /** The buyer asks to change the address and the platform has not settled it (wechat; elsewhere an address change). */
  'address_review',
  /** One line (jd: the order) is refunded before it ships. */
  'refund',
  /** Closed after payment, before it ships. */
  'cancel',
  /** The same paid event is delivered twice. */
  'duplicate',
  'address_change',
  'memo_change',
] as const
export type Scenario = (typeof scenarios)[number]

export type ScenarioShares = Readonly<Partial<Record<Scenario, number>>>

/** Per thousand; what is left is plain. */
export const defaultScenarios: ScenarioShares = {
  announced: 10,
  expired: 2,
  presale: 5,
  human_note: 4,
  unknown_sku: 2,
  address_review: 2,
  refund: 8,
  cancel: 6,
  duplicate: 10,
  address_change: 4,
  memo_change: 7,
}

export interface PlanOptions {
  readonly network: DemoNetwork
  readonly divisions: Divisions
  /** Part of every order id: orders of two seeds meet only when these agree modulo 1,000. */
  readonly seed: number
  /** Instant of order 0, epoch milliseconds; a whole second. */
  readonly startMs: number
  /** How densely orders follow each other by the platform's clock. */
  readonly ordersPerSecond?: number
  /** In proportion. */
  readonly mix?: Readonly<Record<ChannelName, number>>
  readonly scenarios?: ScenarioShares
  readonly zipfExponent?: number
  /** Largest number of lines, 1 … 5, gift not counted. */
  readonly linesMax?: number
  /** Every order is one unit of this SKU, and plain. */
  readonly only?: string
  /** How many lines and units, instead of the above. */
  readonly baskets?: Baskets
}

export interface TrafficPlan {
  readonly seed: number
  readonly startMs: number
  readonly ordersPerSecond: number
  readonly skus: readonly Sku[]
  readonly listFen: readonly number[]
  /** The code under which a shop sells a SKU, where it is not the merchant's own. */
  readonly platformCode: ReadonlyMap<DemoShop, ReadonlyMap<string, string>>
  drawShop(random: Random): DemoShop
  drawScenario(random: Random): Scenario
  drawLineCount(random: Random): number
  drawSkuRank(random: Random): number
  /** Units of a line. */
  drawQuantity(random: Random): number
  /** Of tmall and jd orders, how many have a gift line. */
  readonly giftShare: number
  drawDistrict(random: Random): District
}

const lineCountWeights = [45, 27, 15, 8, 5]

// Millions of people, by the first two digits of the adcode; rounded from the 2020 census.
// biome-ignore format: a table of codes is read across
const provinceWeights: Readonly<Record<string, number>> = {
  11: 22, 12: 14, 13: 75, 14: 35, 15: 24, 21: 43, 22: 24, 23: 32, 31: 25, 32: 85, 33: 65, 34: 61, 35: 42, 36: 45, 37: 102, 41: 99,
  42: 58, 43: 66, 44: 126, 45: 50, 46: 10, 50: 32, 51: 84, 52: 39, 53: 47, 54: 4, 61: 40, 62: 25, 63: 6, 64: 7, 65: 26,
}

export function trafficPlan(options: PlanOptions): TrafficPlan {
  const { network, divisions, seed, startMs } = options
  if (startMs % 1000 !== 0) throw new RangeError('startMs has to be a whole second: tmall and jd know no finer time')
  const mix = options.mix ?? { tmall: 50, jd: 25, wechat: 25 }
  const pickShop = weightedPicker(network.shops.map(({ channel }) => mix[channel]))
  const { only, baskets } = options
  const shares = options.scenarios ?? (only === undefined ? defaultScenarios : {})
  const unusual = scenarios.filter((name) => name !== 'plain')
  const unusualShares = unusual.map((name) => shares[name] ?? 0)
  const plainShare = shares.plain ?? Math.max(0, 1000 - sumOf(unusualShares))
  const pickScenario = weightedPicker([plainShare, ...unusualShares])
  const scenarioNames: readonly Scenario[] = ['plain', ...unusual]
  const linesMax = only === undefined ? (options.linesMax ?? lineCountWeights.length) : 1
  const pickLineCount = weightedPicker(lineCountWeights.slice(0, linesMax))
  const pickDistrict = districtPicker(districtsOf(divisions))
  return {
    seed,
    startMs,
    ordersPerSecond: options.ordersPerSecond ?? 2000,
    skus: network.skus,
    listFen: network.listFen,
    platformCode: new Map(
      network.shops.map((shop) => [shop, new Map(Object.entries(shop.skuMap).map(([code, sku]) => [sku, code]))]),
    ),
    drawShop: (random) => network.shops[pickShop(random)]!,
    drawScenario: (random) => scenarioNames[pickScenario(random)]!,
    drawLineCount: baskets?.drawLineCount ?? ((random) => 1 + pickLineCount(random)),
    drawSkuRank: only === undefined ? pickRank(network, options.zipfExponent ?? 0.9) : always(rankOf(network, only)),
    drawQuantity: only === undefined ? (baskets?.drawQuantity ?? mostlyOne) : always(1),
    giftShare: only === undefined ? 0.08 : 0,
    drawDistrict: pickDistrict,
  }
}

function pickRank({ skus }: DemoNetwork, exponent: number): (random: Random) => number {
  return weightedPicker(zipfWeights(skus.length, exponent))
}

function rankOf({ skus }: DemoNetwork, wanted: string): number {
  const rank = skus.findIndex(({ sku }) => sku === wanted)
  if (rank === -1) throw new RangeError(`the network does not sell ${wanted}`)
  return rank
}

const always = (number: number) => (): number => number

const mostlyOne = (random: Random): number => (random.chance(0.85) ? 1 : random.between(2, 3))

/** `tmall=50,jd=25,wechat=25`; a channel that is not named gets nothing. Throws TypeError. */
export function parseMix(text: string): Record<ChannelName, number> {
  const mix: Record<ChannelName, number> = { tmall: 0, jd: 0, wechat: 0 }
  for (const part of text.split(',')) {
    const [name = '', share = ''] = part.split('=')
    if (!isChannelName(name) || !/^\d+$/.test(share)) throw new TypeError(`the mix: ${part} is not channel=share`)
    mix[name] = Number(share)
  }
  if (sumOf(Object.values(mix)) === 0) throw new TypeError('the mix: nothing is left to send')
  return mix
}

/** A province by its people, then one of its districts, all alike. */
function districtPicker(districts: readonly District[]): (random: Random) => District {
  const byProvince = new Map<string, District[]>()
  for (const district of districts) {
    const province = district.adcode.slice(0, 2)
    if (provinceWeights[province] === undefined) continue
    const known = byProvince.get(province)
    if (known === undefined) byProvince.set(province, [district])
    else known.push(district)
  }
  const provinces = [...byProvince]
  const pickProvince = weightedPicker(provinces.map(([province]) => provinceWeights[province]!))
  return (random) => random.pick(provinces[pickProvince(random)]![1])
}
