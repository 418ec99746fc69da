/** When a pool ends its threads: never while one of them loads, and at once when all of them are there. */
import { expect, test } from 'vitest'
import { createLog } from './log.ts'
import type { SlowThreadData } from './testing/slow-thread.ts'
import { openPool } from './thread-pool.ts'

const threads = 3

function openSlow({ loadMs }: { readonly loadMs: number }) {
  const counter = new SharedArrayBuffer(4)
  const workerData: SlowThreadData = { counter, loadMs }
  const settings = { name: 'neverEnds', minThreads: threads, maxThreads: threads, workerData }
  const module = new URL('./testing/slow-thread.js', import.meta.url)
  const pool = openPool<null, never>({ module, ...settings }, createLog('error'))
  return { pool, loaded: () => new Int32Array(counter)[0]! }
}

test('a pool that is closed while its threads load ends them when they are loaded', async () => {
  const { pool, loaded } = openSlow({ loadMs: 500 })
  expect(loaded()).toBe(0)
  await pool.close()
  expect(loaded()).toBe(threads)
})

test('tasks that do not end are ended with their threads', async () => {
  const { pool, loaded } = openSlow({ loadMs: 0 })
  const outcomes = Promise.allSettled(Array.from({ length: threads + 1 }, () => pool.run(null, [])))
  expect(pool.waiting()).toBe(1)
  await pool.close()
  expect(loaded()).toBe(threads)
  for (const { status } of await outcomes) expect(status).toBe('rejected')
})
