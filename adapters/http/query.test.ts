import { expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { parseQuery } from './query.ts'

test.each([
  ['', {}],
  ['a=1&b=2', { a: '1', b: '2' }],
  ['a', { a: '' }],
  ['a=b=c', { a: 'b=c' }],
  ['&&a=1&', { a: '1' }],
  ['a=x+y%2B', { a: 'x y+' }],
  ['%E4%BD%A0=%E5%A5%BD', { 你: '好' }],
  ['a=1&a=1', null],
  ['a=%', null],
  ['a=%C3%28', null],
  ['a=%00', null],
])('%s', (raw, parsed) => {
  expect(parseQuery(raw)).toEqual(parsed)
})

test('reads back what forms write', () => {
  const printable = fc.string({ unit: 'grapheme' }).filter((text) => !/[\p{Cc}\p{Cs}\uFFFD]/u.test(text))
  fc.assert(
    fc.property(
      fc.dictionary(
        printable.filter((key) => key !== '__proto__'),
        printable,
      ),
      (pairs) => {
        expect(parseQuery(new URLSearchParams(pairs).toString())).toEqual({ ...pairs })
      },
    ),
  )
})

test('is always a plain object, whose __proto__ is only a name', () => {
  for (const raw of ['', '&', 'a=1', '__proto__=1']) {
    const parsed = parseQuery(raw)
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
  }
  expect(Object.keys(parseQuery('__proto__=1')!)).toEqual(['__proto__'])
})
