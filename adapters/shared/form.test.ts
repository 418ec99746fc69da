import { describe, expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { formatForm, parseForm, parseQuery } from './form.ts'

const texts = (query: string) => {
  const fields = parseQuery(query)
  return fields === null ? null : Object.fromEntries([...fields].map(([name, value]) => [name, value.toString('utf8')]))
}

describe('by hand', () => {
  test.each<[query: string, expected: Record<string, string> | null]>([
    ['', {}],
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&&b=2&', { a: '1', b: '2' }],
    ['a=&b', { a: '', b: '' }],
    ['a=x=y', { a: 'x=y' }],
    ['t=2026-11-11+00%3A10%3a00', { t: '2026-11-11 00:10:00' }],
    ['p=%2B%26%3D%25', { p: '+&=%' }],
    ['n=%E5%BC%A0', { n: '张' }],
    ['n=张', { n: '张' }],
    ['a=1&a=2', null],
    ['a=%4', null],
    ['a=%', null],
    ['a=%zz', null],
    ['=1', null],
    ['a%00=1', null],
    [Array.from({ length: 65 }, (_, index) => `a${index}=1`).join('&'), null],
  ])('%s', (query, expected) => {
    expect(texts(query)).toEqual(expected)
  })
})

test('what was formatted is read back', () => {
  const names = fc.string({
    unit: fc.constantFrom('a', 'B', '3', '_', '&', '=', '%', '+'),
    minLength: 1,
    maxLength: 20,
  })
  const values = fc.string({ unit: 'binary', maxLength: 200 })
  fc.assert(
    fc.property(fc.dictionary(names, values, { maxKeys: 20, noNullPrototype: true }), (fields) => {
      expect(texts(formatForm(Object.entries(fields)))).toEqual(fields)
    }),
  )
})

test('any bytes: an answer, never a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const fields = parseForm(bytes)
      expect(fields === null || fields instanceof Map).toBe(true)
    }),
  )
})
