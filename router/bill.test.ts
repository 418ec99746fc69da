import { expect, test } from 'vitest'
import { type BillProgress, type BillRow, compareSameRef, hasMoved, type SameRef } from './bill.ts'
import { fc } from './testing/seed.ts'

const day = 86_400_000
const refund: BillRow = {
  ...{ ref: 'r', kind: 'refund', channel: null, shop: null, orderId: null, transactionId: 't' },
  ...{ amountFen: 4_000, feeFen: -24, occurredAt: day },
}
type Word = BillProgress | undefined
const row = (progress: Word, change: Partial<BillRow> = {}): BillRow => ({
  ...refund,
  ...(progress === undefined ? {} : { progress }),
  ...change,
})

test.each<[Word, boolean]>([
  [undefined, true],
  ['done', true],
  ['pending', false],
  ['failed', false],
])('a refund that is %s has moved money: %s', (progress, moved) => {
  expect(hasMoved(row(progress))).toBe(moved)
})

test.each<[stored: Word, given: Word, Partial<BillRow>, SameRef]>([
  ['pending', 'pending', {}, 'same'],
  ['done', 'done', {}, 'same'],
  [undefined, undefined, {}, 'same'],
  ['pending', 'done', {}, 'replaces'],
  ['pending', 'done', { occurredAt: 2 * day, feeFen: 0 }, 'replaces'],
  ['pending', 'done', { occurredAt: 0 }, 'replaces'],
  ['pending', 'failed', { amountFen: 0, feeFen: 0 }, 'replaces'],
  ['done', 'pending', { occurredAt: 2 * day }, 'older'],
  ['failed', 'pending', {}, 'older'],
  // A refund that failed is made on another way.
  ['failed', 'done', { occurredAt: 2 * day }, 'replaces'],
  ['failed', 'done', {}, 'replaces'],
  ['done', 'failed', { occurredAt: 2 * day }, 'replaces'],
  ['done', 'failed', {}, 'older'],
  ['done', 'done', { amountFen: 1 }, 'conflict'],
  ['pending', 'pending', { amountFen: 1 }, 'conflict'],
  [undefined, undefined, { amountFen: 1 }, 'conflict'],
  // Stored by a version that kept no word.
  [undefined, 'pending', {}, 'older'],
  [undefined, 'done', {}, 'replaces'],
  [undefined, 'failed', {}, 'replaces'],
  [undefined, 'done', { occurredAt: 2 * day }, 'replaces'],
  [undefined, 'done', { amountFen: 1 }, 'conflict'],
])('stored as %s, told as %s with %j: %s', (stored, given, change, expected) => {
  expect(compareSameRef(row(stored), row(given, change), Object.keys(change).length === 0)).toBe(expected)
})

test('the row that stands in the end is the same in any sequence of bills', () => {
  const word = fc.constantFrom<BillProgress>('pending', 'failed', 'done')
  const told = fc.uniqueArray(fc.record({ word, days: fc.nat(3) }), {
    selector: ({ word: of, days }) => `${of} ${days}`,
    minLength: 1,
    maxLength: 6,
  })
  fc.assert(
    fc.property(told, fc.nat(), (words, turn) => {
      const rows = words.map(({ word: of, days }) => row(of, { occurredAt: days * day }))
      // Of one word the bills tell one time: two are a conflict, and there the first stands.
      const each = rows.filter((r, i) => rows.findIndex((other) => other.progress === r.progress) === i)
      const standing = (list: readonly BillRow[]) =>
        list.reduce((stands, given) =>
          compareSameRef(stands, given, stands.occurredAt === given.occurredAt) === 'replaces' ? given : stands,
        )
      const turned = [...each.slice(turn % each.length), ...each.slice(0, turn % each.length)].reverse()
      expect(standing(turned)).toEqual(standing(each))
    }),
  )
})
