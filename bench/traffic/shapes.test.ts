/** The networks and orders of the bench's scenarios: hot, wide, and as long as a wholesaler's. */
import { expect, test } from 'vitest'
import { networkOf, planOf, type StreamSettings } from '../load/stream.ts'
import { basketCounts, basketLinesMax, basketUnitsMax } from './baskets.ts'
import { encode } from './encode.ts'
import { orderAt } from './generator.ts'
import { hotSkuOf } from './hot.ts'

const startMs = 1_790_000_000_000
const settings: StreamSettings = { seed: 5, startMs, mix: { tmall: 50, jd: 25, wechat: 25 }, network: { small: true } }

test('hot: every order is one unit of the SKU that lies in one place', () => {
  const hot: StreamSettings = { ...settings, network: { small: true, hotUnits: 77 }, orders: 'hot' }
  const network = networkOf(hot)
  const { sku } = hotSkuOf(network)
  expect(network.stock.filter((row) => row.sku === sku)).toEqual([{ node: 'WH-SHA', sku, onHand: 77 }])
  const plan = planOf(hot, network)
  for (let index = 0; index < 500; index++) {
    const { lines, scenario } = orderAt(plan, index)
    expect(lines).toMatchObject([{ sku, quantity: 1, gift: false }])
    expect(scenario).toBe('plain')
  }
})

test('wide: so many nodes, names and keys of their own, at home in this country, the same every time', () => {
  const wide: StreamSettings = { ...settings, network: { small: true, nodeCount: 300 } }
  const network = networkOf(wide)
  expect(network.nodes).toHaveLength(300)
  expect(new Set(network.nodes.map(({ node }) => node)).size).toBe(300)
  expect(new Set(network.nodes.map(({ apiKey }) => apiKey)).size).toBe(300)
  for (const { point } of network.nodes) {
    expect(point!.lat > 17 && point!.lat < 55 && point!.lng > 72 && point!.lng < 137).toBe(true)
  }
  const rows = new Set(network.stock.map(({ node, sku }) => `${node} ${sku}`))
  expect(rows.size).toBe(network.stock.length)
  expect(network.stock.filter(({ node }) => node === 'ST-00000')).toHaveLength(60)
  expect(JSON.stringify(networkOf(wide)) === JSON.stringify(network)).toBe(true)
  expect(() => networkOf({ ...wide, network: { nodeCount: 3 } })).toThrow(RangeError)
})

test('baskets: lines and units as they were counted, cut where a webhook ends', () => {
  const { lines, units } = basketCounts()
  const sum = (counts: typeof lines) => counts.reduce((total, [, count]) => total + count, 0)
  expect(sum(lines)).toBe(19_907)
  const overTwelve = sum(lines.filter(([value]) => value > 12)) / sum(lines)
  expect(sum(units)).toBe(lines.reduce((total, [value, count]) => total + value * count, 0))

  const plan = planOf({ ...settings, network: {}, orders: 'baskets' })
  const orders = Array.from({ length: 2_000 }, (_, index) => orderAt(plan, index))
  const lengths = orders.map((order) => order.lines.filter(({ gift }) => !gift).length)
  expect(Math.abs(lengths.filter((length) => length > 12).length / orders.length - overTwelve)).toBeLessThan(0.04)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(basketLinesMax)
  expect(Math.max(...orders.flatMap((order) => order.lines.map(({ quantity }) => quantity)))).toBe(basketUnitsMax)
  const longest = orders.reduce((most, order) => (order.lines.length > most.lines.length ? order : most))
  expect(encode(longest, 'paid', startMs).body.length).toBeLessThan(262_144)
  for (const order of orders.slice(0, 50)) {
    expect(new Set(order.lines.map(({ lineId }) => lineId)).size).toBe(order.lines.length)
  }
})
