/** A line has one id, whatever the sequence in which a platform lists the lines. */
import { expect, test } from 'vitest'
import { fc } from '../../router/testing/seed.ts'
import { codeIn, uniqueLineIds } from './read.ts'

test('lines of one id keep theirs, in whatever sequence they come', () => {
  const line = fc.record({
    id: fc.constantFrom('a', 'b'),
    gift: fc.nat(1),
    unique: fc.uuid(),
    paidFen: fc.nat(200_000),
  })
  const listed = fc
    .uniqueArray(line, { minLength: 1, maxLength: 6, selector: (l) => l.unique })
    .chain((lines) => fc.tuple(fc.constant(lines), fc.shuffledSubarray(lines, { minLength: lines.length })))
  const idsOf = (lines: readonly { id: string; gift: number; unique: string; paidFen: number }[]) => {
    const ids = uniqueLineIds(
      lines.map((l) => l.id),
      lines.map((l) => [l.gift, l.unique, l.paidFen]),
    )
    expect(new Set(ids).size).toBe(lines.length)
    return new Map(lines.map((l, i) => [l.unique, ids[i]]))
  }
  fc.assert(
    fc.property(listed, ([lines, shuffled]) => {
      expect(idsOf(shuffled)).toEqual(new Map([...idsOf(lines)]))
    }),
  )
})

test('numbers rank as numbers, what is bought before what is given away, and one alone keeps its id', () => {
  const words = [
    [0, 900],
    [0, 10_000],
    [1, 0],
  ]
  expect(uniqueLineIds(['a', 'a', 'a'], words)).toEqual(['a', 'a-2', 'a-3'])
  expect(uniqueLineIds(['a', 'a', 'a'], words.toReversed())).toEqual(['a-3', 'a-2', 'a'])
  expect(uniqueLineIds(['b', 'a'], [[], []])).toEqual(['b', 'a'])
})

test('a code is read in the time that its length takes, however many blanks are in it', () => {
  const code = `a${' '.repeat(60_000)}b`
  for (let time = 0; time < 200; time++) expect(codeIn({ code: ` \u3000${code}\u200b ` }, 'code')).toBe(code)
})
