import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seedOfRun } from './seed.ts'

test('every property draws from the seed of the run', () => {
  expect(fc.readConfigureGlobal().seed).toBe(seedOfRun(process.env))
  const draw = (): number[] => {
    const drawn: number[] = []
    fc.assert(fc.property(fc.integer(), (n) => void drawn.push(n)))
    return drawn
  }
  expect(draw()).toEqual(draw())
})

test('another seed is given by name', () => {
  expect(seedOfRun({ PAIDAN_SEED: '7' })).toBe(7)
  expect(seedOfRun({ PAIDAN_SEED: '' })).toBe(seedOfRun({}))
  for (const wrong of ['x', '-1', '1.5', '1234567890']) {
    expect(() => seedOfRun({ PAIDAN_SEED: wrong })).toThrow('PAIDAN_SEED')
  }
})
