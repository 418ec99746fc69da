import { describe, expect, test } from 'vitest'
import { OutboundError, type OutboundReason, statusError } from './errors.ts'
import { type RetryOptions, retried } from './retry.ts'

const options: RetryOptions = { attemptsMax: 3, pauseMs: 1, pauseMsMax: 2, random: () => 0 }

describe('a call that fails is made', () => {
  test.each<[reason: OutboundReason, calls: number]>([
    ['unreachable', 3],
    ['busy', 3],
    ['bad_answer', 3],
    ['overloaded', 3],
    ['aborted', 1],
    ['denied', 1],
    ['answer_too_large', 1],
  ])('%s: %i times', async (reason, calls) => {
    let count = 0
    const call = async () => {
      throw new OutboundError('shop_api', reason, { status: ++count })
    }
    // The last error is the one that is thrown.
    await expect(retried('shop_api', options, call, undefined)).rejects.toMatchObject({ reason, status: calls })
  })
  test('a bug: once', async () => {
    let count = 0
    const call = async () => {
      count++
      throw new TypeError('x')
    }
    await expect(retried('shop_api', options, call, undefined)).rejects.toThrow(TypeError)
    expect(count).toBe(1)
  })
})

test('an answer ends it', async () => {
  let count = 0
  const call = async () => {
    if (++count < 3) throw new OutboundError('shop_api', 'busy')
    return 'answer'
  }
  expect(await retried('shop_api', options, call, undefined)).toBe('answer')
})

test('a caller that gives up between two attempts gets no further one', async () => {
  const controller = new AbortController()
  let count = 0
  const call = async () => {
    count++
    controller.abort()
    throw new OutboundError('shop_api', 'busy')
  }
  const slow = { ...options, pauseMs: 60_000, pauseMsMax: 60_000 }
  await expect(retried('shop_api', slow, call, controller.signal)).rejects.toMatchObject({ reason: 'aborted' })
  expect(count).toBe(1)
})

test.each([
  [500, 'busy'],
  [503, 'busy'],
  [599, 'busy'],
  [408, 'busy'],
  [425, 'busy'],
  [429, 'busy'],
  [302, 'denied'],
  [400, 'denied'],
  [401, 'denied'],
  [404, 'denied'],
])('HTTP %i: %s', (status, reason) => {
  const error = statusError('shop_api', status)
  expect(error).toMatchObject({
    code: `shop_api_${reason}`,
    reason,
    status,
    message: `shop_api_${reason} (HTTP ${status})`,
  })
})
