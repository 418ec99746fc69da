/**
 * A whole demo network from one seed: nodes, SKUs, stock, freight, shops with keys, a carrier account. Plain data; the
 * same seed gives the same network. Every key in it is derived from the seed and starts with `demo`: it protects
 * nothing and is for a machine of one's own only.
 */

import type { Random } from '../../../adapters/shared/seeded-random.ts'
import { randomFrom, randomHex } from '../../../adapters/shared/seeded-random.ts'
import type { Divisions } from '../../../router/address.ts'
import type { Node } from '../../../router/node.ts'
import type { ChannelName, Sku } from '../../../router/types.ts'
import type { District } from './districts.ts'
import { districtsOf } from './districts.ts'
import { makeGoods } from './goods.ts'
import { storeCities, storeFreight, warehouseFreight, warehousePlaces } from './places.ts'
import type { StockRow } from './stock.ts'
import { makeStock } from './stock.ts'

export interface DemoNode extends Node {
  readonly apiKey: string
}

export interface DemoShop {
  readonly channel: ChannelName
  readonly shop: string
  readonly credentials: Readonly<Record<string, string>>
  readonly apiBaseUrl: string | null
  /** The shop's own codes for some SKUs. */
  readonly skuMap: Readonly<Record<string, string>>
}

/** Where the demo's stand-in for WeChat's API answers; the demo itself starts it. */
export const demoWechatUrl = 'http://127.0.0.1:8090'

export interface DemoNetwork {
  readonly seed: number
  readonly nodes: readonly DemoNode[]
  /** Hottest first. */
  readonly skus: readonly Sku[]
  /** Price of one unit; same order as `skus`. */
  readonly listFen: readonly number[]
  readonly stock: readonly StockRow[]
  readonly shops: readonly DemoShop[]
  readonly kuaidi100: { readonly account: string; readonly salt: string }
}

export interface DemoOptions {
  readonly skuCount?: number
  readonly bundleCount?: number
  readonly storeCount?: number
  /** Multiplies the warehouses' stock: a long load test sells more than a demo. */
  readonly stockFactor?: number
  /** Where the stand-in of the WeChat API answers. */
  readonly wechatApiBaseUrl?: string
}

// One stream of randomness a subject, so that a change in one does not shift the others.
const streams = { goods: 1, stores: 2, stock: 3, keys: 4 } as const

/** Some 50 ms. Throws when the division table lacks a place that the network needs. */
export function demoNetwork(divisions: Divisions, seed: number, options: DemoOptions = {}): DemoNetwork {
  const { skuCount = 2000, bundleCount = 60, storeCount = 120, stockFactor = 1 } = options
  const districts = districtsOf(divisions)
  const keys = randomFrom(seed, streams.keys)
  const goods = makeGoods(randomFrom(seed, streams.goods), skuCount, bundleCount)
  const nodes = [
    ...makeWarehouses(districts, keys),
    ...makeStores(districts, randomFrom(seed, streams.stores), keys, storeCount),
  ]
  return {
    seed,
    nodes,
    skus: goods.skus,
    listFen: goods.listFen,
    stock: makeStock(randomFrom(seed, streams.stock), nodes, goods.skus, stockFactor),
    shops: makeShops(keys, goods.skus, options.wechatApiBaseUrl ?? demoWechatUrl),
    kuaidi100: { account: 'demo', salt: `demo${randomHex(keys, 8)}` },
  }
}

function makeWarehouses(districts: readonly District[], keys: Random): DemoNode[] {
  return warehousePlaces.map((place) => {
    const district = districts.find((candidate) => candidate.adcode === place.adcode)
    if (district === undefined) throw new Error(`the division table lacks ${place.adcode} of ${place.node}`)
    return {
      node: place.node,
      name: place.name,
      kind: 'warehouse',
      adcode: place.adcode,
      point: district.point,
      open: true,
      channels: null,
      regions: null,
      preferenceFen: place.preferenceFen,
      handlingFen: 250,
      freight: warehouseFreight,
      safetyStock: 0,
      apiKey: `demo-${place.node}-${randomHex(keys, 16)}`,
    }
  })
}

function makeStores(districts: readonly District[], random: Random, keys: Random, count: number): DemoNode[] {
  const stores: DemoNode[] = []
  for (const [at, place] of storePlaces(districts, count).entries()) {
    const node = `ST-${place.adcode}`
    stores.push({
      node,
      name: `${place.city}${place.district}店`,
      kind: 'store',
      adcode: place.adcode,
      point: place.point,
      // One store in forty is being refitted; one in six has no staff for JD's parcels.
      open: at % 40 !== 39,
      channels: at % 6 === 5 ? ['tmall', 'wechat'] : null,
      // Half of them serve their province only; a courier's list price beyond it would not pay anyway.
      regions: random.chance(0.5) ? [place.adcode.slice(0, 2)] : null,
      preferenceFen: random.between(-1, 2) * 50,
      handlingFen: 200,
      freight: storeFreight,
      safetyStock: random.between(1, 3),
      apiKey: `demo-${node}-${randomHex(keys, 16)}`,
    })
  }
  return stores
}

/** Takes one district of each city in turn until there are enough: no two stores in one district. */
function storePlaces(districts: readonly District[], count: number): District[] {
  const taken = new Set(warehousePlaces.map((place) => place.adcode))
  const byCity = storeCities.map((prefix) =>
    districts.filter((d) => d.adcode.startsWith(prefix) && !taken.has(d.adcode)),
  )
  const places: District[] = []
  for (let round = 0; places.length < count; round++) {
    const before = places.length
    for (const city of byCity) {
      const place = city[round]
      if (place !== undefined && places.length < count) places.push(place)
    }
    if (places.length === before) throw new Error(`only ${before} districts for ${count} stores`)
  }
  return places
}

function makeShops(keys: Random, skus: readonly Sku[], wechatApiBaseUrl: string): DemoShop[] {
  // The JD shop still sells some best sellers under the codes of an older system.
  const skuMap = Object.fromEntries(
    skus.slice(0, 60).flatMap(({ sku }, n) => (n % 6 === 1 ? [[`JDOLD${1000 + n}`, sku]] : [])),
  )
  const keyPair = () => ({ appKey: `demo${randomHex(keys, 8)}`, appSecret: `demo${randomHex(keys, 28)}` })
  return [
    { channel: 'tmall', shop: 'chenfeng-tmall', credentials: keyPair(), apiBaseUrl: null, skuMap: {} },
    { channel: 'jd', shop: 'chenfeng-jd', credentials: keyPair(), apiBaseUrl: null, skuMap },
    {
      channel: 'wechat',
      shop: 'chenfeng-wechat',
      credentials: {
        appId: `wx${randomHex(keys, 16)}`,
        token: `demo${randomHex(keys, 12)}`,
        // 43 characters of base64 that decode, with one `=` added, to a 32-byte AES key.
        encodingAesKey: Buffer.from(randomHex(keys, 64), 'hex').toString('base64').slice(0, 43),
        appSecret: `demo${randomHex(keys, 28)}`,
      },
      apiBaseUrl: wechatApiBaseUrl,
      skuMap: {},
    },
  ]
}
