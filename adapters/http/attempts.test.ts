import { describe, expect, test } from 'vitest'
import { addressGroup, attempts } from './attempts.ts'

const limits = { burst: 2, perSecond: 1, addressesMax: 3, provenMax: 2 }
const start = () => attempts((token) => token, limits)

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
    expect(['a', 'b', 'c', 'd'].map((address) => limiter.waitSeconds(address, 't', 0))).toEqual([0, 1, 1, 1])
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
