import { describe, expect, test } from 'vitest'
import type { OutboundError } from './errors.ts'
import { Gate, type GateLimits } from './gate.ts'

const gateOf = (limits: GateLimits) => new Gate('shop_api', limits)
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'let in',
    (error: OutboundError) => error.code,
  )

test('so many are inside, so many wait, the next is refused, and places are handed over in order', async () => {
  const gate = gateOf({ insideMax: 1, waitingMax: 2 })
  const order: string[] = []
  const enter = (name: string, signal?: AbortSignal) => gate.enter(signal).then(() => order.push(name))
  await enter('first')
  const gone = new AbortController()
  const waiting = [enter('second', gone.signal), enter('third')]
  expect(await codeOf(gate.enter())).toBe('shop_api_overloaded')
  gone.abort()
  expect(await codeOf(waiting[0]!)).toBe('shop_api_aborted')
  const last = enter('fourth')
  gate.leave()
  await waiting[1]
  gate.leave()
  await last
  expect(order).toEqual(['first', 'third', 'fourth'])
  gate.leave()
  await enter('fifth')
})

test('a caller that has given up is not let in', async () => {
  const gate = gateOf({ insideMax: 1, waitingMax: 0 })
  expect(await codeOf(gate.enter(AbortSignal.abort()))).toBe('shop_api_aborted')
  expect(await codeOf(gate.enter())).toBe('let in')
})

describe('calls a second', () => {
  test('begin evenly: each is given its turn by the clock', async () => {
    // The clock stands still, so turn n is n tenths of a second away; a caller that gives up shows that it waits.
    const gate = gateOf({ insideMax: 10, waitingMax: 0, perSecondMax: 10, now: () => 0 })
    expect(await codeOf(gate.enter())).toBe('let in')
    const controller = new AbortController()
    let isIn = false
    const second = gate.enter(controller.signal).then(() => {
      isIn = true
    })
    await Promise.resolve()
    expect(isIn).toBe(false)
    controller.abort()
    expect(await codeOf(second)).toBe('shop_api_aborted')
  })

  test('a pause uses no turn up, and saves none up either', async () => {
    let now = 0
    const gate = gateOf({ insideMax: 10, waitingMax: 0, perSecondMax: 1, now: () => now })
    const aborted = AbortSignal.timeout(0)
    await gate.enter()
    now = 5_000
    await gate.enter()
    // Five seconds without a call are no five calls at once.
    expect(await codeOf(gate.enter(aborted))).toBe('shop_api_aborted')
    now = 7_000
    await gate.enter()
  })

  test('whoever gives up while its turn comes gives its place back', async () => {
    const gate = gateOf({ insideMax: 2, waitingMax: 0, perSecondMax: 1, now: () => 0 })
    await gate.enter()
    const controller = new AbortController()
    const second = codeOf(gate.enter(controller.signal))
    controller.abort()
    expect(await second).toBe('shop_api_aborted')
    // Full it would be refused at once; so it waits for its turn instead.
    expect(await codeOf(gate.enter(AbortSignal.timeout(0)))).toBe('shop_api_aborted')
  })
})
