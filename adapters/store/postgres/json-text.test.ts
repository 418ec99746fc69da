import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fc, runs } from '../../../router/testing/seed.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { jsonColumn, jsonText, listColumn, textColumn } from './json-text.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

const replaced = '\ufffd'

test.each([
  ['plain', 'plain'],
  ['NUL \0 inside', `NUL ${replaced} inside`],
  ['\0', replaced],
  ['half a pair \ud83d', `half a pair ${replaced}`],
  ['other half \udc00!', `other half ${replaced}!`],
  ['halves the wrong way \udc00\ud83d', `halves the wrong way ${replaced}${replaced}`],
  ['whole pair 😀', 'whole pair 😀'],
  ['backslash and letters \\u0000', 'backslash and letters \\u0000'],
  ['two backslashes \\\\u0000', 'two backslashes \\\\u0000'],
  ['backslash, then NUL \\\0', `backslash, then NUL \\${replaced}`],
  ['letters of half a pair \\ud800', 'letters of half a pair \\ud800'],
  ['quotes "\\" and lines \r\n\t\u2028', 'quotes "\\" and lines \r\n\t\u2028'],
  ['\u0001\u001f\u007f', '\u0001\u001f\u007f'],
])('%j is stored as %j', (given, stored) => {
  expect(JSON.parse(jsonText({ [given]: [given] }))).toEqual({ [stored]: [stored] })
})

test('Postgres takes every text, and gives it back with nothing else replaced', async () => {
  const { sql } = database
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom('\0', '\ud800', '\udfff', '\\', '\\u0000', '\\ud800', '"', '\u2028', '😀', '\\\\'),
  )
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 50 }), async (texts) => {
      const [row] = await sql<{ a: string[]; b: { t: string }[]; column: string[] }[]>`
        select ${jsonText(texts)}::text::json as a, ${jsonText(texts.map((t) => ({ t })))}::text::jsonb as b,
          array_to_json(string_to_array(${jsonColumn(texts)}::text, chr(30))::json[]) as column`
      const expected = texts.map((t) => Buffer.from(t).toString().replaceAll('\0', replaced))
      expect(row!.a).toEqual(expected)
      expect(row!.column).toEqual(expected)
      expect(row!.b.map((entry) => entry.t)).toEqual(expected)
    }),
    { numRuns: runs(40) },
  )
})

describe('columns of texts', () => {
  test.each([
    ['texts', ['a', '中', 'it\'s "x" \\ {1,2}']],
    ['numbers', [1, -2, 3]],
    ['null is the empty text', [null, 'x', '']],
    ['what would shift the column or be refused', ['a\x1eb', 'c\0d', 'e\ud800f', 'g\nh']],
  ])('%s', async (_, values) => {
    const rows = await database.sql<{ value: string }[]>`
      select unnest(string_to_array(${textColumn(values)}::text, chr(30))) as value`
    const told = values.map((v) => (v === null ? '' : String(v).replace(/[\p{Cc}\p{Cs}]/gu, '\ufffd')))
    expect(rows.map((r) => r.value)).toEqual(told)
  })

  test('of lists', async () => {
    const lists = [['a', 'b,c'], ['中'], ['x\x1fy', '"']]
    const rows = await database.sql<{ value: string[] }[]>`
      select string_to_array(list, chr(31)) as value
      from unnest(string_to_array(${listColumn(lists)}::text, chr(30))) as l (list)`
    expect(rows.map((r) => r.value)).toEqual([['a', 'b,c'], ['中'], ['x\ufffdy', '"']])
  })
})
