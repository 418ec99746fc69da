import { describe, expect, test } from 'vitest'
import { atMs } from '../testing/world.ts'
import { dayOf } from './event.ts'

describe('the day of an event is the one in China', () => {
  test.each([
    ['midnight', Date.UTC(2026, 10, 10, 16), '2026-11-11'],
    ['a millisecond before', Date.UTC(2026, 10, 10, 16) - 1, '2026-11-10'],
    ['noon', atMs, '2026-11-11'],
    ['a leap day', Date.UTC(2028, 1, 28, 16), '2028-02-29'],
    ['the last millisecond of a year', Date.UTC(2026, 11, 31, 16) - 1, '2026-12-31'],
    ['the last day of the century', Date.UTC(2100, 0, 1) - 1, '2100-01-01'],
    ['never said', 0, '1970-01-01'],
    ['before the clock began', -1, '1970-01-01'],
    ['beyond any order', Date.UTC(2100, 0, 1), '1970-01-01'],
    ['no date at all', Number.MAX_SAFE_INTEGER, '1970-01-01'],
    ['no number', Number.NaN, '1970-01-01'],
    ['endless', Number.POSITIVE_INFINITY, '1970-01-01'],
  ])('%s', (_, occurredAt, day) => {
    expect(dayOf(occurredAt)).toBe(day)
  })
})
