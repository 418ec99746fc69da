import { describe, expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { formatGmt8, parseGmt8 } from './time.ts'

describe('by hand', () => {
  test.each<[text: string, expected: string | null]>([
    ['2026-11-11 00:00:01', '2026-11-10T16:00:01.000Z'],
    ['2024-02-29 23:59:59', '2024-02-29T15:59:59.000Z'],
    ['1970-01-01 08:00:00', '1970-01-01T00:00:00.000Z'],
    ['2026-02-29 00:00:00', null],
    ['2026-04-31 00:00:00', null],
    ['2026-00-10 00:00:00', null],
    ['2026-13-10 00:00:00', null],
    ['2026-11-11 24:00:00', null],
    ['2026-11-11 00:60:00', null],
    ['2026-11-11T00:00:01', null],
    ['2026-11-11 00:00', null],
    ['2026-11-11 00:00:01 ', null],
    ['0001-01-01 00:00:00', null],
    ['', null],
  ])('%s', (text, expected) => {
    const parsed = parseGmt8(text)
    expect(parsed === null ? null : new Date(parsed).toISOString()).toBe(expected)
  })
})

test('every second is read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 7_000_000_000 }), (seconds) => {
      expect(parseGmt8(formatGmt8(seconds * 1000))).toBe(seconds * 1000)
    }),
  )
})
