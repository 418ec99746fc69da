/** The arithmetic of "does it grow", and the way back from a platform's order id to the order. */
import { expect, test } from 'vitest'
import { planOf } from '../load/stream.ts'
import { orderAt } from '../traffic/generator.ts'
import { halves, quantile, windowed } from './halves.ts'
import { indexOfOrder } from './order-index.ts'

test.each([
  [[1, 2, 3, 4], 0.5, 2],
  [[4, 3, 2, 1], 0.99, 4],
  [[7], 0.5, 7],
  [[], 0.5, null],
])('of %j the quantile %d is %s', (values, q, wanted) => {
  expect(quantile(values, q)).toBe(wanted)
})

test('halves are told apart by their medians: one outlier is no growth, a rise is', () => {
  const steady = Array.from({ length: 100 }, (_, x): [number, number] => [x, x === 70 ? 900 : 10])
  expect(halves(steady, 50)).toEqual({ first: 10, second: 10, ratio: 1 })
  const rising = Array.from({ length: 100 }, (_, x): [number, number] => [x, x])
  expect(halves(rising, 50)!.ratio).toBeGreaterThan(2.9)
  expect(halves(steady, 1_000)).toBeNull()
  expect(
    halves(
      [
        [0, 0],
        [1, 1],
      ],
      1,
    )!.ratio,
  ).toBeNull()
})

test('windows are in order, and an empty one is left out', () => {
  expect(
    windowed(
      [
        [5.5, 3],
        [0.1, 1],
        [0.9, 2],
      ],
      1,
      1,
    ),
  ).toEqual([
    [0, 2],
    [5, 3],
  ])
})

test('an order is found by the id that its platform gave it', () => {
  const plan = planOf({ seed: 12_345, startMs: 1_700_000_000_000, mix: { tmall: 1, jd: 1, wechat: 1 } })
  for (let index = 0; index < 300; index += 7) {
    const { channel, orderId } = orderAt(plan, index)
    expect(indexOfOrder(channel, orderId)).toBe(index)
  }
  expect(indexOfOrder('tmall', '12')).toBeNull()
  expect(indexOfOrder('ebay', '4123450000000100123')).toBeNull()
})
