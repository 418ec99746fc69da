import { expect, test } from 'vitest'
import { keptUntil, TokenCache } from './token.ts'

test.each([
  ['two hours: until a minute before their end', 7_200_000, 7_140_000],
  ['a minute and a half: until half of it is over', 90_000, 45_000],
  ['none', 0, 0],
])('a token with a life of %s', (_, lifeMs, keptMs) => {
  expect(keptUntil(1_000_000, lifeMs)).toBe(1_000_000 + keptMs)
})

function asked(...values: (string | null | Error)[]) {
  let count = 0
  const ask = async (until = 100) => {
    const value = values[count++]
    if (value instanceof Error) throw value
    return { value: value ?? null, until }
  }
  return { ask, count: () => count }
}

test('all callers of an account ask together, each account for itself, and again when the time is over', async () => {
  let now = 0
  const cache = new TokenCache(() => now)
  const { ask, count } = asked('a', 'b', 'c')
  const get = (key: string) => cache.get(key, () => ask())
  expect(await Promise.all([get('one'), get('one'), get('two')])).toEqual(['a', 'a', 'b'])
  now = 99
  expect(await get('one')).toBe('a')
  now = 100
  expect(await get('one')).toBe('c')
  expect(count()).toBe(3)
})

test('a failure reaches all that asked together, and the next caller asks again', async () => {
  const cache = new TokenCache(() => 0)
  const { ask } = asked(new Error('away'), 'b')
  const get = () => cache.get('one', () => ask())
  const results = await Promise.allSettled([get(), get()])
  expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected'])
  expect(await get()).toBe('b')
})

test('only the token that was refused is forgotten', async () => {
  const cache = new TokenCache(() => 0)
  const { ask } = asked('a', 'b', null)
  const get = () => cache.get('one', () => ask())
  await get()
  cache.forget('one', 'an older one')
  expect(await get()).toBe('a')
  cache.forget('one', 'a')
  expect(await get()).toBe('b')
  // "No token" is an answer as well: it is kept and forgotten alike.
  cache.forget('one', 'b')
  expect([await get(), await get()]).toEqual([null, null])
})
