/** Whatever is read at a glance is what the parser reads. */
import { describe, expect, test } from 'vitest'
import { fc, runs } from '../../router/testing/seed.ts'
import { parseJson } from './json.ts'
import { skim, skimmedArray, skimmedObject } from './skim.ts'

const bytes = (text: string) => Buffer.from(text, 'utf8')

/** As the parser has it, with containers told as such. */
function parsed(text: string, path: readonly string[]): unknown {
  let value: unknown = parseJson(text)
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
  }
  if (Array.isArray(value)) return skimmedArray
  return typeof value === 'object' && value !== null ? skimmedObject : value
}

const paths = [['a'], ['a', 'b'], ['b', 'a'], ['b', 'a', 'c'], ['long'], ['缺', 'a'], ['__proto__']]

describe('as the parser', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'aa', '缺', 'a"', '\\', 'x\ny', '__proto__')
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('', 'x', '"', '\\', '\\"', '}', '{"a":1', '中', '\u0001', null, true, false, 0, -1.5, 1e21, 7),
      tie('object'),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
    object: fc
      .array(fc.tuple(names, tie('value')), { maxLength: 4 })
      .map((members) => Object.fromEntries(members.filter(([name]) => name !== '__proto__'))),
  }))

  test('any object, however it is spaced', () => {
    fc.assert(
      fc.property(value, fc.constantFrom(0, 1, '\t', '\r\n'), (any, space) => {
        const text = JSON.stringify({ b: any, a: any }, null, space)
        const found = skim(bytes(text), paths)
        if (found !== null) expect(found).toEqual(paths.map((path) => parsed(text, path)))
        // Nothing of what the platforms write is unclear.
        if (!/\\|[^\x20-\x7e]/.test(JSON.stringify(any))) expect(found).not.toBeNull()
      }),
      { numRuns: runs(500) },
    )
  })

  test.each([
    ['a long integer', '{"long":12345678901234567890}', ['long'], '12345678901234567890'],
    ['a negative one', '{"long":-4000010000000100905}', ['long'], '-4000010000000100905'],
    ['a fraction', '{"a":1234567890123456.5}', ['a'], 1234567890123456.5],
    ['the last of two', '{"a":1,"a":{"b":2}}', ['a', 'b'], 2],
    ['the last of two, which is no object', '{"a":{"b":2},"a":1}', ['a', 'b'], undefined],
    ['a name inside a string', '{"b":"\\"a\\":1","a":2}', ['a'], 2],
    ['a name of another depth', '{"b":{"a":1},"c":[{"a":3}],"a":2}', ['a'], 2],
    ['nothing', '{}', ['a'], undefined],
  ])('%s', (_, text, path, expected) => {
    expect(skim(bytes(text), [path])).toEqual([expected])
    expect(parsed(text, path)).toEqual(expected)
  })
})

test.each([
  ['cut off', '{"a":{"b":1}'],
  ['cut off in a string', '{"a":"x'],
  ['cut off behind an escape', '{"a":"x\\'],
  ['more behind it', '{"a":1}x'],
  ['no object', '[1]'],
  ['nothing', ''],
  ['a name with an escape', '{"\\u0061":1}'],
  ['a value with an escape', '{"a":"\\u0061"}'],
  ['a value that is not ASCII', '{"a":"中"}'],
  ['no JSON', '{"a":nil}'],
  ['a comma too much', '{"a":1,}'],
  ['no value', '{"a":}'],
])('not to be told at a glance: %s', (_, text) => {
  expect(skim(bytes(text), [['a']])).toBeNull()
})

test('any bytes: an answer, never an error', () => {
  const near = fc.array(fc.constantFrom(...bytes('{}[]",:\\ a1tn\xff')), { maxLength: 40 })
  fc.assert(
    fc.property(fc.oneof(near, fc.array(fc.nat(255), { maxLength: 40 })), (any) => {
      const found = skim(Uint8Array.from(any), paths)
      expect(found === null || found.length === paths.length).toBe(true)
    }),
    { numRuns: runs(2_000) },
  )
})
