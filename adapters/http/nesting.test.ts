import { expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { nestsDeeper } from './nesting.ts'

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

test('agrees with the parsed value on every JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.nat(8), (value, depthMax) => {
      for (const indent of [0, 1]) {
        expect(nestsDeeper(JSON.stringify(value, null, indent), depthMax)).toBe(depthOf(value) > depthMax)
      }
    }),
  )
})

test.each([
  ['[[]]', 1, true],
  ['[[]]', 2, false],
  ['"[[["', 0, false],
  ['"\\"[[["', 0, false],
  ['"\\\\"[', 0, true],
  ['"unclosed [[[', 0, false],
  ['', 0, false],
])('%s deeper than %i: %s', (text, depthMax, deeper) => {
  expect(nestsDeeper(text, depthMax)).toBe(deeper)
})
