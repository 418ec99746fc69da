import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { list, raise, resolve } from './exceptions.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

const all = { limit: 100 }

describe('exceptions', () => {
  test('are open once, keep their age, and take the newest detail', async () => {
    const { sql } = database
    const entry = { kind: 'k1', ref: 'a', orderId: '7', detail: { fen: 1 }, since: 1_000 }
    expect(await raise(sql, [entry, { kind: 'k1', ref: 'b' }])).toBe(2)
    expect(await raise(sql, [{ ...entry, detail: { fen: 2 }, since: 5_000 }])).toBe(0)
    const { exceptions } = await list(sql, { ...all, kind: 'k1' })
    expect(exceptions).toMatchObject([
      { kind: 'k1', ref: 'a', orderId: '7', detail: { fen: 2 }, since: 1_000 },
      { kind: 'k1', ref: 'b', orderId: null, detail: {} },
    ])
    expect(exceptions[0]!.ageSeconds).toBeGreaterThan(1_000_000)
    expect(exceptions[1]!.ageSeconds).toBeLessThan(3_600)
  })

  test('are closed once, and may come again with a new age', async () => {
    const { sql } = database
    await raise(sql, [{ kind: 'k2', ref: 'a', since: 1_000 }])
    expect(await resolve(sql, 'k2', ['a', 'unknown'])).toBe(1)
    expect(await resolve(sql, 'k2', ['a'])).toBe(0)
    expect((await list(sql, { ...all, kind: 'k2' })).exceptions).toEqual([])
    expect(await raise(sql, [{ kind: 'k2', ref: 'a', since: 2_000 }])).toBe(1)
    expect((await list(sql, { ...all, kind: 'k2' })).exceptions).toMatchObject([{ since: 2_000 }])
    expect(await resolve(sql, 'k2', [])).toBe(0)
    // What was there stays to be read, each time with its own age.
    const past = (await list(sql, { ...all, kind: 'k2', state: 'resolved' })).exceptions
    expect(past).toMatchObject([{ since: 1_000, resolvedAt: expect.any(Number) }])
    expect(past[0]!.ageSeconds).toBe(Math.floor((past[0]!.resolvedAt! - 1_000) / 1_000))
    const both = (await list(sql, { ...all, kind: 'k2', state: 'all' })).exceptions
    expect(both.map((e) => e.resolvedAt === null)).toEqual([false, true])
  })

  test('are opened once by many at once, in opposite orders', async () => {
    const { sql } = database
    const entries = Array.from({ length: 50 }, (_, i) => ({ kind: 'k3', ref: `r${i}` }))
    const opened = await Promise.all([raise(sql, entries), raise(sql, entries.toReversed()), raise(sql, entries)])
    expect(opened.reduce((sum, count) => sum + count, 0)).toBe(50)
  })

  test('are listed page by page', async () => {
    const { sql } = database
    const seen: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await list(sql, { kind: 'k3', cursor, limit: 20 })
      seen.push(...page.exceptions.map((exception) => exception.ref))
      if (page.cursor === null) break
      cursor = page.cursor
    }
    expect(seen.length).toBe(50)
    expect(new Set(seen).size).toBe(50)
  })
})
