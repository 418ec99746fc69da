/** The smallest day with everything in it. */
import { expect, test } from 'vitest'
import { plotSvg } from '../report/plot.ts'
import { mixed } from './mixed.ts'

test('orders, cancels, pulls, shipments, tracks and bills at once: all of them happen, and nothing is broken', async () => {
  const result = await mixed.run({
    size: 'smallest',
    seconds: null,
    connections: 32,
    seed: 12,
    profile: null,
    steadyRate: null,
    say: () => undefined,
  })
  if (result.outcome === 'broken') throw new Error(JSON.stringify(result.violations))
  const { answers } = result.raw as { answers: Record<string, number> }
  const calls = ['pull 200', 'cancel 200', 'accept 200', 'ship 200', 'track 200', 'bill 200']
  expect(calls.filter((call) => (answers[call] ?? 0) === 0)).toEqual([])
  // No warehouse asks for another's task, and every request succeeds, except where a buyer's cancellation came first.
  expect(Object.keys(answers).filter((key) => !/ (200|409)$/.test(key))).toEqual([])
  const figure = (name: string) => result.figures.find((one) => one.name === name)!.value
  expect(figure('refused')).toBe(0)
  expect(figure('never acknowledged')).toBe(0)
  expect(figure('orders taken')).toBeGreaterThan(0)
  expect(figure('orders shipped')).toBeGreaterThan(0)
  expect(result.checks.ordersCompared).toBeGreaterThan(100)
  for (const plot of result.plots) expect(plotSvg(plot)).not.toContain('nothing was measured')
}, 240_000)
