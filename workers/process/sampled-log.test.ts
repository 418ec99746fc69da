import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Log } from './log.ts'
import { LogSample, sampled } from './sampled-log.ts'

describe('what is told of a flood', () => {
  test('the first at once, then one a second with the count of those between', () => {
    const sample = new LogSample()
    const told = [0, 1, 500, 999, 1_000, 1_001, 1_999, 2_500, 9_000].map((ms) => sample.note('a', ms))
    expect(told).toEqual([0, null, null, null, 3, null, null, 2, 0])
  })
  test('each reason by itself', () => {
    const sample = new LogSample()
    expect([sample.note('a', 0), sample.note('b', 1), sample.note('a', 2), sample.note('b', 1_001)]).toEqual([
      0,
      0,
      null,
      0,
    ])
  })
  test('every line is told or counted, once', () => {
    const sample = new LogSample()
    let lines = 0
    let untold = 0
    for (let ms = 0; ms < 10_000; ms += 7) {
      const counted = sample.note('a', ms)
      if (counted === null) continue
      lines += 1
      untold += counted
    }
    for (const rest of sample.rest(11_000)) untold += rest.untold
    expect(lines).toBeLessThanOrEqual(11)
    expect(lines + untold).toBe(Math.ceil(10_000 / 7))
  })
  test('the rest of a flood that is over, when its last line is a second old', () => {
    const sample = new LogSample()
    for (const ms of [0, 1, 2]) sample.note('a', ms)
    sample.note('b', 2)
    expect([sample.rest(999), sample.isSilent]).toEqual([[], false])
    expect([sample.rest(1_000), sample.isSilent]).toEqual([[{ reason: 'a', untold: 2 }], true])
    expect(sample.note('a', 1_001)).toBeNull()
    expect(sample.rest(3_000)).toEqual([{ reason: 'a', untold: 1 }])
  })
  test('beyond some hundreds, reasons share one', () => {
    const sample = new LogSample()
    const told = Array.from({ length: 10_000 }, (_, i) => sample.note(`reason ${i}`, 0))
    expect(told.filter((counted) => counted !== null)).toHaveLength(201)
    expect(sample.rest(1_000)).toEqual([{ reason: 'other', untold: 9_799 }])
  })
})

describe('the log', () => {
  afterEach(() => {
    vi.useRealTimers()
  })
  test('51,000 refusals are two lines; parts of a process share the count', () => {
    vi.useFakeTimers()
    const lines: unknown[] = []
    const log = { warn: (fields: object, message: string) => void lines.push({ ...fields, message }) } as unknown as Log
    for (let i = 0; i < 51_000; i++) sampled(log).warn({ shop: 's', i }, 'refused', 'busy')
    sampled(log).warn({ shop: 's' }, 'refused', 'broken')
    const first = { shop: 's', i: 0, message: 'refused' }
    expect(lines).toEqual([first, { shop: 's', message: 'refused' }])
    vi.advanceTimersByTime(2_000)
    expect(lines.slice(2)).toEqual([{ reason: 'refused: busy', untold: 50_999, message: 'and more' }])
    expect(vi.getTimerCount()).toBe(0)
  })
})
