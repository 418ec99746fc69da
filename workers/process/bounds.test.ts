/** Queues in memory that end somewhere. What they do not take waits in Postgres. */
import { expect, test } from 'vitest'
import type { BatchResult } from '../decide/batch.ts'
import { Dispatch, type QueuedEvent } from '../decide/dispatch.ts'
import { Waiting } from '../fulfil/waiting.ts'
import { openBills } from '../settle/bills.ts'
import { machineClock } from './clock.ts'
import { createLog } from './log.ts'

function event(seq: number, bytes: number): QueuedEvent {
  const order = String(seq)
  return {
    seq: order,
    channel: 'jd',
    shop: 's',
    eventId: order,
    orderId: order,
    kind: 'order',
    body: Buffer.alloc(bytes),
    storedAtMs: 0,
  }
}

test('events in memory are bounded in number and in bytes, and room comes back', async () => {
  let decide: (() => void) | null = null
  const dispatch = new Dispatch({
    clock: machineClock,
    run: (events) =>
      new Promise<BatchResult>((resolve) => {
        const decided = events.map((e) => ({ seq: e.seq, done: true, outcome: 'routed', order: null }) as const)
        const times = { decode: 0, decide: 0, reserve: 0, commit: 0 }
        decide = () => resolve({ decided, times, refusals: 0, problems: [] })
      }),
    ...{ batchMax: 2, batchBytesMax: 1_000, concurrency: 1, memoryMax: 5, memoryBytesMax: 1_000 },
    onDecided: () => undefined,
    onFailed: () => undefined,
    putAside: () => undefined,
  })
  dispatch.push(Array.from({ length: 9 }, (_, i) => event(i, 400)))
  // The one that goes over is taken still.
  expect(dispatch.size).toBe(3)
  dispatch.push(Array.from({ length: 9 }, (_, i) => event(100 + i, 1)))
  expect(dispatch.size).toBe(3)
  decide!()
  while (dispatch.size > 1) await new Promise((resolve) => setImmediate(resolve))
  dispatch.push(Array.from({ length: 9 }, (_, i) => event(200 + i, 1)))
  expect(dispatch.size).toBe(5)
})

test('a batch is bounded in number and in bytes, and nothing is too large for a batch of its own', async () => {
  const batches: number[] = []
  const dispatch = new Dispatch({
    clock: machineClock,
    run: async (events) => {
      batches.push(events.length)
      const decided = events.map((e) => ({ seq: e.seq, done: true, outcome: 'routed', order: null }) as const)
      return { decided, times: { decode: 0, decide: 0, reserve: 0, commit: 0 }, refusals: 0, problems: [] }
    },
    ...{ batchMax: 4, batchBytesMax: 1_000, concurrency: 1, memoryMax: 100, memoryBytesMax: 100_000 },
    onDecided: () => undefined,
    onFailed: () => undefined,
    putAside: () => undefined,
  })
  dispatch.push([5_000, 400, 400, 400, 1, 1, 1, 1, 1].map((bytes, i) => event(i, bytes)))
  while (dispatch.size > 0) await new Promise((resolve) => setImmediate(resolve))
  expect(batches).toEqual([1, 3, 4, 1])
})

test('waiting pulls: so many, and all together at a pace', async () => {
  const waiting = new Waiting(machineClock, { waitingMax: 3, lookAgainMs: 10, looksPerSecondMax: 100 })
  const pauses = Array.from({ length: 3 }, () => waiting.pause(1))
  expect(waiting.count).toBe(3)
  expect(waiting.pauseMs).toBe(30)
  expect(await waiting.pause(1)).toBe(false)
  expect(await Promise.all(pauses)).toEqual([true, true, true])
  expect(waiting.count).toBe(0)
  expect(waiting.pauseMs).toBe(10)
})

test('bills: one is imported, a few wait, more are told to try again', async () => {
  const bills = openBills('postgres:///none?host=/nowhere', createLog('error'))
  const importOne = () =>
    bills.import({ source: 'generic', account: 'a', bytes: new Uint8Array(Buffer.from('no header')) })
  const sent = Array.from({ length: 12 }, () =>
    importOne().then(
      (done) => done.outcome,
      (error: { code: string }) => error.code,
    ),
  )
  const outcomes = await Promise.all(sent)
  expect(outcomes.filter((outcome) => outcome === 'refused').length).toBeGreaterThanOrEqual(4)
  expect(outcomes.filter((outcome) => outcome === 'try_again').length).toBeGreaterThanOrEqual(6)
  await bills.close()
})
