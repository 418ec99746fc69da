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

test('a token that was right is let through until it is wrong; only the newest are remembered', () => {
  const limiter = start()
  for (const token of ['x', 'y', 'z']) limiter.succeeded(token)
  limiter.failed('a', '?', 0)
  limiter.failed('a', '?', 0)
  expect(['x', 'y', 'z', '?'].map((token) => limiter.waitSeconds('a', token, 0))).toEqual([1, 0, 0, 1])
  limiter.failed('a', 'z', 0)
  expect(limiter.waitSeconds('a', 'z', 0)).toBe(1)
})

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['2001:0db8:0001:0002:aaaa:bbbb:cccc:dddd', '2001:0db8:0001:0002'],
  ['0000:0000:0000:0000:0000:ffff:7f00:0001', '0000:0000:0000:0000:0000:ffff:7f00:0001'],
])('%s belongs to %s', (address, group) => {
  expect(addressGroup(address)).toBe(group)
})
