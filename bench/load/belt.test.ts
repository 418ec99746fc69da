/** Requests that lie ready, and those that are made when they are sent. */
import { afterEach, expect, test, vi } from 'vitest'
import { belt, signedForMs } from './belt.ts'

afterEach(() => vi.useRealTimers())

const settings = {
  seed: 3,
  startMs: 1_790_000_000_000,
  mix: { tmall: 1, jd: 1, wechat: 1 },
  network: { small: true },
} as const

test('what lies ready for too long is not sent to be refused; what goes beyond is signed when it is sent', () => {
  vi.useFakeTimers({ now: 1_790_000_000_000 })
  const requests = belt(settings, 2, ({ index }) => ({ index, madeAtMs: Date.now() }))
  vi.setSystemTime(Date.now() + signedForMs)
  expect(requests.next().madeAtMs).toBe(1_790_000_000_000)
  vi.setSystemTime(Date.now() + 1)
  expect(() => requests.next()).toThrow('request 2 of 2 was signed 300 s ago')
  expect(requests.next().madeAtMs).toBe(Date.now())
  expect(requests.madeUnderLoad(0)).toBe(1)
})
