import { describe, expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { parseJson } from './json.ts'

describe('what is not a long integer is as JSON.parse has it', () => {
  test('any JSON value', () => {
    // Numbers of fast-check's JSON are doubles; those that print as 16 or more digits are the other property's.
    const hasLongLiteral = /\d{16}/
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!hasLongLiteral.test(text))
        expect(parseJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })
  test('a string full of digits, quotes and backslashes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('"', '\\', '1234567890123456789', ':', ',', 'e', '\n') }),
        (text) => {
          expect(parseJson(JSON.stringify({ text, id: [text] }))).toEqual({ text, id: [text] })
        },
      ),
    )
  })
})

test('every integer of 16 or more digits keeps them', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 10n ** 15n, max: 10n ** 40n }), fc.boolean(), (digits, negative) => {
      const literal = `${negative ? '-' : ''}${digits}`
      const expected = { a: literal, b: [1, literal, { c: literal }] }
      expect(parseJson(`{"a":${literal},"b":[1, ${literal},{"c" :\n${literal}}]}`)).toEqual(expected)
      expect(parseJson(literal)).toBe(literal)
    }),
  )
})

describe('by hand', () => {
  test.each<[text: string, expected: unknown]>([
    ['{"tid":4089823765510044812}', { tid: '4089823765510044812' }],
    ['{"n":123456789012345}', { n: 123456789012345 }],
    ['{"n":1234567890123456.5}', { n: 1234567890123456.5 }],
    ['{"n":-1234567890123456.5}', { n: -1234567890123456.5 }],
    ['{"n":0.1234567890123456789}', { n: Number('0.1234567890123456789') }],
    ['{"n":1e-1234567890123456}', { n: 0 }],
    ['{"n":1234567890123456e2}', { n: 123456789012345600 }],
    ['{"s":"\\":1234567890123456","n":1234567890123456}', { s: '":1234567890123456', n: '1234567890123456' }],
    ['{"s":"\\\\","n":1234567890123456}', { s: '\\', n: '1234567890123456' }],
    ['{"1234567890123456":1}', { '1234567890123456': 1 }],
  ])('%s', (text, expected) => {
    expect(parseJson(text)).toEqual(expected)
  })
  test.each([
    '',
    '{"n":0000000000000001}',
    '{"n":1234567890123456',
    '{"s":"1234567890123456',
    '{"n":1234567890123456}{',
    '{"n":+1234567890123456}',
    '{"":1,9999999999999999:[]}',
    '{9999999999999999 :1}',
  ])('refused: %s', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError)
  })
})

test('256 KiB made to be slow is read through once', () => {
  // Quadratic work on these would be minutes, so that the test's own time-out is the measure.
  const long = 1 << 18
  for (const unit of ['\\"', '"\\', '"', '-1234567890123456', '[', '1', ':1234567890123456"\\'])
    expect(() => parseJson(`[1234567890123456,${unit.repeat(long / unit.length)}`)).toThrow()
})
