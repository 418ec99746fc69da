import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { ReplayMemory } from './replay-memory.ts'

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
const signature = (n: number) => createHash('md5').update(String(n)).digest('hex').toUpperCase()

test('a signature is known with its content and its place', () => {
  const memory = new ReplayMemory(1024)
  const [sign, other] = [signature(1), signature(2)]
  expect(memory.note(sign, 'tmall/a', hashOf('x'))).toBe('first')
  expect(memory.note(sign, 'tmall/a', hashOf('x'))).toBe('same_content')
  expect(memory.note(sign, 'tmall/a', hashOf('y'))).toBe('other_content')
  expect(memory.note(sign, 'tmall/b', hashOf('x'))).toBe('other_content')
  // A refused attempt does not take the place of what was there.
  expect(memory.note(sign, 'tmall/a', hashOf('x'))).toBe('same_content')
  expect(memory.note(other, 'tmall/a', hashOf('x'))).toBe('first')
})

test('memory is bounded: the newer signature takes the older one’s slot', () => {
  const memory = new ReplayMemory(1)
  expect(memory.note(signature(1), 's', hashOf('x'))).toBe('first')
  expect(memory.note(signature(2), 's', hashOf('x'))).toBe('first')
  expect(memory.note(signature(1), 's', hashOf('y'))).toBe('first')
})

test('of as many as half the table holds, most are known again, and none is taken for another', () => {
  const memory = new ReplayMemory(4096)
  const all = Array.from({ length: 2048 }, () => randomBytes(16).toString('hex'))
  for (const sign of all) expect(memory.note(sign, 's', hashOf(sign))).toBe('first')
  const again = all.map((sign) => memory.note(sign, 's', hashOf(sign)))
  expect(again.filter((seen) => seen === 'same_content').length).toBeGreaterThan(1024)
  expect(again).not.toContain('other_content')
})
