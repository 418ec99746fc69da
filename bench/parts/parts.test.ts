/** The parts alone at their smallest size, on servers of their own; and the arithmetic of the ceiling. */
import { expect, test } from 'vitest'
import { benchNetwork, planOf } from '../load/stream.ts'
import type { Part } from '../measured/scenario.ts'
import { ceilingOf } from './ceiling.ts'
import { deciderOn } from './decider.ts'
import { materialOf } from './material.ts'
import { measureParts, partNames } from './measure.ts'
import { numbered } from './store-orders.ts'

const part = (name: Part['name'], ordersPerSecond: number, cpuMicrosAnOrder: number): Part => ({
  name,
  ordersPerSecond,
  cpuMicrosAnOrder,
})

test('the ceiling is the cores’ time divided by the sum of the parts', () => {
  const parts = [part('http', 20_000, 50), part('intake', 20_000, 50), part('commit', 10_000, 100)]
  const ceiling = ceilingOf(parts, 2)
  expect(ceiling.ceilingPerSecond).toBe(10_000)
  expect(ceiling.oneAfterAnotherPerSecond).toBe(5_000)
  expect(ceiling.method).toContain('2 × 1,000,000 µs ÷ 200 µs')
  expect(ceiling.method).toContain('= 10,000 orders/s')
})

test('every part does its work, and costs something', async () => {
  const said: string[] = []
  const result = await measureParts({ size: 'smallest', seed: 3, connections: 32, say: (text) => said.push(text) })
  expect(result.parts.map(({ name }) => name)).toEqual(partNames)
  for (const { ordersPerSecond, cpuMicrosAnOrder } of result.parts) {
    expect(ordersPerSecond).toBeGreaterThan(0)
    expect(cpuMicrosAnOrder).toBeGreaterThanOrEqual(0)
  }
  expect(Number.isFinite(result.ceilingPerSecond)).toBe(true)
  expect(said).toHaveLength(partNames.length * 2)
}, 240_000)

test('what is decided in memory is what the workload is: nearly all routed, every task on stock that lies there', async () => {
  const plan = planOf({ seed: 5, startMs: 1_700_000_000_000, mix: { tmall: 50, jd: 25, wechat: 25 } })
  const network = benchNetwork()
  const writes = await (await deciderOn(network, 1)).decide(numbered(materialOf(plan, 0, 200)))
  expect(writes).toHaveLength(200)
  expect(writes.filter(({ order }) => order.state === 'routed').length).toBeGreaterThan(180)
  const shelves = new Map(network.stock.map(({ node, sku, onHand }) => [`${node}/${sku}`, onHand]))
  for (const { newTasks } of writes) {
    for (const { task } of newTasks) {
      for (const { sku, quantity } of task.lines)
        expect(shelves.get(`${task.node}/${sku}`) ?? 0).toBeGreaterThanOrEqual(quantity)
    }
  }
  expect(writes.every(({ seqs }) => seqs.length > 0)).toBe(true)
})
