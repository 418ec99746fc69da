import { beforeAll, describe, expect, test } from 'vitest'
import { loadDivisions } from '../../../adapters/divisions/load.ts'
import { mix, randomFrom, weightedPicker, zipfWeights } from '../../../adapters/shared/seeded-random.ts'
import { type Divisions, pointOfAdcode, resolveAddress } from '../../../router/address.ts'
import { storageClasses } from '../../../router/types.ts'
import { districtsOf } from './districts.ts'
import { type DemoNetwork, demoNetwork } from './network.ts'
import { warehousePlaces } from './places.ts'

let divisions: Divisions
let network: DemoNetwork

beforeAll(() => {
  divisions = loadDivisions()
  network = demoNetwork(divisions, 42)
})

describe('the network', () => {
  test('is the same for the same seed and another for another', () => {
    const text = JSON.stringify(network)
    expect(JSON.stringify(demoNetwork(divisions, 42)) === text).toBe(true)
    const other = demoNetwork(divisions, 43)
    expect(JSON.stringify(other.stock) === JSON.stringify(network.stock)).toBe(false)
    expect(other.shops).not.toEqual(network.shops)
  })

  test('has ten warehouses and 120 stores, each at a place of its own that the division table knows', () => {
    expect(network.nodes.filter(({ kind }) => kind === 'warehouse')).toHaveLength(10)
    expect(network.nodes.filter(({ kind }) => kind === 'store')).toHaveLength(120)
    expect(new Set(network.nodes.map(({ adcode }) => adcode)).size).toBe(130)
    expect(new Set(network.nodes.map(({ apiKey }) => apiKey)).size).toBe(130)
    for (const { adcode, point } of network.nodes) expect(point).toEqual(pointOfAdcode(divisions, adcode!))
  })

  test('keys say that they are for a demo', () => {
    for (const { apiKey } of network.nodes) expect(apiKey).toMatch(/^demo-[A-Z]{2}-\w+-[0-9a-f]{16}$/)
    const [, , wechat] = network.shops
    expect(Buffer.from(`${wechat!.credentials.encodingAesKey}=`, 'base64')).toHaveLength(32)
    for (const { credentials } of network.shops) expect(Object.values(credentials)).not.toContain('')
  })

  test('freight bands rise with distance', () => {
    for (const { freight } of network.nodes) {
      const kms = freight.bands.map(({ kmMax }) => kmMax)
      expect(kms).toEqual([...new Set(kms)].sort((a, b) => a - b))
      expect(freight.bands.every(({ firstFen, stepFen }) => firstFen > 0 && stepFen > 0)).toBe(true)
    }
  })
})

describe('the goods', () => {
  test('are 2,000 distinct SKUs with 60 bundles of two to four plain ones', () => {
    const bySku = new Map(network.skus.map((sku) => [sku.sku, sku]))
    expect(bySku.size).toBe(2000)
    expect(network.listFen).toHaveLength(2000)
    const bundles = network.skus.filter(({ bundle }) => bundle.length > 0)
    expect(bundles).toHaveLength(60)
    for (const { bundle } of bundles) {
      expect(bundle.length).toBeGreaterThanOrEqual(2)
      expect(bundle.length).toBeLessThanOrEqual(4)
      for (const { sku } of bundle) expect(bySku.get(sku)!.bundle).toEqual([])
    }
    expect(new Set(network.skus.map(({ storageClass }) => storageClass))).toEqual(new Set(storageClasses))
  })

  test('hold those of the published samples, and every price is whole fen', () => {
    const codes = new Set(network.skus.map(({ sku }) => sku))
    for (const sku of ['CF-JKT-BLK-L', 'CF-SOCK-GRY', 'CF-GIFT-BUFF', 'CF-TENT-2P']) expect(codes).toContain(sku)
    for (const fen of network.listFen) expect(Number.isSafeInteger(fen) && fen > 0).toBe(true)
  })
})

describe('the stock', () => {
  test('each plain SKU lies in a warehouse, no bundle lies anywhere, no row comes twice', () => {
    const stocked = new Set(network.stock.filter(({ node }) => node.startsWith('WH-')).map(({ sku }) => sku))
    expect(network.skus.filter(({ sku, bundle }) => stocked.has(sku) !== (bundle.length === 0))).toEqual([])
    expect(new Set(network.stock.map(({ node, sku }) => `${node} ${sku}`)).size).toBe(network.stock.length)
    expect(network.stock.filter(({ onHand }) => !(Number.isSafeInteger(onHand) && onHand > 0))).toEqual([])
  })

  test('what is cold lies in cold rooms, what is for warehouses in no store', () => {
    const cold = new Set(warehousePlaces.filter((place) => place.cold).map((place) => place.node))
    const bySku = new Map(network.skus.map((sku) => [sku.sku, sku]))
    const misplaced = network.stock.filter(({ node, sku }) => {
      const { storageClass, warehouseOnly } = bySku.get(sku)!
      if ((storageClass === 'cold' || storageClass === 'frozen') && !cold.has(node)) return true
      return warehouseOnly && !node.startsWith('WH-')
    })
    expect(misplaced).toEqual([])
  })
})

test('districts lie in the mainland and their names lead back to their codes', () => {
  const districts = districtsOf(divisions)
  expect(districts.length).toBeGreaterThan(2700)
  for (const { adcode, point, ...names } of districts)
    expect(resolveAddress(divisions, names)).toEqual({ adcode, point })
  expect(districts.find(({ adcode }) => adcode === '110115')).toMatchObject({ province: '北京市', city: '北京市' })
})

describe('randomness', () => {
  test('streams of one seed differ, a stream repeats', () => {
    const take = (seed: number, stream: number) => Array.from({ length: 4 }, randomFrom(seed, stream).next)
    expect(take(1, 0)).toEqual(take(1, 0))
    expect(new Set([take(1, 0), take(1, 1), take(2, 0), take(0, 1)].map(String)).size).toBe(4)
    expect(new Set(Array.from({ length: 50_000 }, (_, n) => mix(7, n))).size).toBe(50_000)
  })

  test('weights are kept, a weight of nought is never drawn', () => {
    const random = randomFrom(5)
    const draw = weightedPicker([3, 0, 1])
    const drawn = [0, 0, 0]
    for (let n = 0; n < 40_000; n++) drawn[draw(random)]!++
    expect(drawn[1]).toBe(0)
    expect(Math.abs(drawn[0]! / 40_000 - 0.75)).toBeLessThan(0.02)
    expect(zipfWeights(3, 1)).toEqual([1, 1 / 2, 1 / 3])
  })
})
