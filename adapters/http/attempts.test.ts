import { describe, expect, test } from 'vitest'
import { addressGroup, attempts } from './attempts.ts'

const limits = { burst: 2, perSecond: 1, addressesMax: 3, provenMax: 2 }
const start = () => {
  const limiter = attempts((token) => token, limits)
  const begin = (address: string, token: string, nowMs: number) => limiter.begin(address, token, nowMs)
  return {
    begin,
    failed: (address: string, token: string, nowMs: number) => begin(address, token, nowMs).failed(nowMs),
    succeeded: (address: string, token: string) => begin(address, token, 0).succeeded(0),
    waitSeconds: (address: string, token: string, nowMs: number) => {
      const attempt = begin(address, token, nowMs)
      if (attempt.waitSeconds === 0) attempt.undecided(nowMs)
      return attempt.waitSeconds
    },
  }
}

describe('a bucket per address', () => {
  test('drains by failures, refills with time, never above its burst', () => {
    const limiter = start()
    limiter.failed('a', 't', 0)
    expect(limiter.waitSeconds('a', 't', 0)).toBe(0)
    limiter.failed('a', 't', 0)
    expect(limiter.waitSeconds('a', 't', 0)).toBe(1)
    expect(limiter.waitSeconds('b', 't', 0)).toBe(0)
    expect(limiter.waitSeconds('a', 't', 1000)).toBe(0)
    limiter.failed('a', 't', 1_000_000)
    limiter.failed('a', 't', 1_000_000)
    expect(limiter.waitSeconds('a', 't', 1_000_000)).toBe(1)
  })

  test('a clock that steps back changes nothing', () => {
    const limiter = start()
    limiter.failed('a', 't', 10_000)
    limiter.failed('a', 't', 0)
    expect(limiter.waitSeconds('a', 't', 0)).toBe(1)
  })

  test('memory is bounded: the longest untouched address is forgotten', () => {
    const limiter = start()
    for (const address of ['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd']) limiter.failed(address, 't', 0)
    expect(['b', 'c', 'd', 'a'].map((address) => limiter.waitSeconds(address, 't', 0))).toEqual([1, 1, 1, 0])
  })
})

describe('tries at the same time', () => {
  test('are no more than tries one after the other', () => {
    const limiter = start()
    const tries = Array.from({ length: 100 }, (_, i) => limiter.begin('a', `guess ${i}`, 0))
    expect(tries.filter((t) => t.waitSeconds === 0).length).toBe(limits.burst)
  })

  test('with one right token, or while nobody can say, cost nothing', () => {
    const limiter = start()
    const right = [limiter.begin('a', 'right', 0), limiter.begin('a', 'right', 0)]
    for (const attempt of right) attempt.succeeded(0)
    const away = [limiter.begin('a', '1', 0), limiter.begin('a', '2', 0)]
    expect(away.map((t) => t.waitSeconds)).toEqual([0, 0])
    for (const attempt of away) attempt.undecided(0)
    expect([limiter.begin('a', '3', 0), limiter.begin('a', '4', 0)].map((t) => t.waitSeconds)).toEqual([0, 0])
    expect(limiter.waitSeconds('a', '5', 0)).toBe(1)
  })
})

describe('a token that was right', () => {
  const locked = () => {
    const limiter = start()
    for (const token of ['x', 'y', 'z']) limiter.succeeded('a', token)
    for (const address of ['a', 'b']) for (const _ of [1, 2]) limiter.failed(address, '?', 0)
    return limiter
  }
  test('is let through at a locked address; only the newest are remembered', () => {
    const limiter = locked()
    expect(['x', 'y', 'z', '?'].map((token) => limiter.waitSeconds('a', token, 0))).toEqual([1, 0, 0, 1])
  })
  test('until it is wrong', () => {
    const limiter = locked()
    limiter.failed('a', 'z', 0)
    expect(limiter.waitSeconds('a', 'z', 0)).toBe(1)
  })
  test('and nowhere else: guesses from another address are counted, right ones too', () => {
    const limiter = locked()
    expect(limiter.waitSeconds('b', 'z', 0)).toBe(1)
  })
})

test('a flood of wrong tokens costs the address its next tries only, whatever its length', () => {
  const limiter = start()
  let taken = 0
  for (let ms = 0; ms < 10_000; ms++) {
    if (limiter.waitSeconds('a', `guess ${ms}`, ms) > 0) continue
    limiter.failed('a', `guess ${ms}`, ms)
    taken += 1
  }
  expect(taken).toBe(limits.burst + 9)
  expect(limiter.waitSeconds('a', 'right', 11_000)).toBe(0)
})

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['2001:0db8:0001:0002:aaaa:bbbb:cccc:dddd', '2001:0db8:0001:0002'],
  ['0000:0000:0000:0000:0000:ffff:7f00:0001', '0000:0000:0000:0000:0000:ffff:7f00:0001'],
])('%s belongs to %s', (address, group) => {
  expect(addressGroup(address)).toBe(group)
})
