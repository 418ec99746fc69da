import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../shared/root.ts'
import { outcomeOf, outcomeTable } from './outcomes.ts'
import { markedVerbs } from './scripts.ts'

const folder = join(projectRoot(), 'adapters', 'stock')
const texts = [...markedVerbs, 'reload'].map((verb) => readFileSync(join(folder, `${verb}.lua`), 'utf8'))

test('the statuses that the headers name, with their names, are the table', () => {
  const named = texts.flatMap((text) =>
    [...text.matchAll(/^-- +\[?(\d+) ([a-z_]+)\b/gm)].map(([, n, name]) => [n, name]),
  )
  // Of the headers' numbered lines, KEYS and ARGV are told from statuses by the names they have.
  const statuses = named.filter(([, name]) => Object.values(outcomeTable()).includes(name!))
  expect(Object.fromEntries(statuses)).toEqual(outcomeTable())
})

test('the numbers that the scripts use are those of the headers', () => {
  const used = texts.flatMap((text) =>
    [...text.matchAll(/^local ([A-Z_, ]+) = ([\d, ]+)$/gm)].flatMap(([, names, numbers]) => {
      const split = numbers!.split(', ')
      return names!.split(', ').map((name, i): [string, string] => [split[i]!, name.toLowerCase()])
    }),
  )
  const { 2: staleEpoch, ...rest } = outcomeTable()
  expect(Object.fromEntries(used)).toEqual(rest)
  expect(staleEpoch).toBe('stale_epoch')
})

test.each([[99], [null], ['toString'], [21]])('a status that is not possible throws: %s', (status) => {
  expect(() => outcomeOf(status, ['reserved', 'already_reserved'])).toThrow(/unknown status/)
})
