/** What each reason says: one line a reason, and none is missing. */
import { expect, test } from 'vitest'
import { correctionsOf, reasonRules, rejectReasons, type TakeBackReason } from './reasons.ts'

const named = [{ sku: 'A', quantity: 1 }]
const released = [
  { sku: 'A', quantity: 2 },
  { sku: 'B', quantity: 1 },
]

test.each<[TakeBackReason, node: string, corrections: readonly [sku: string, missing: number, nothingLeft: boolean][]]>(
  [
    [
      'out_of_stock',
      'avoided',
      [
        ['A', 2, true],
        ['B', 1, true],
      ],
    ],
    [
      'damaged',
      'avoided',
      [
        ['A', 2, false],
        ['B', 1, false],
      ],
    ],
    ['closed', 'excluded', []],
    ['overloaded', 'excluded', []],
    ['intercepted', 'asked_again', []],
    ['shortage', 'asked_again', []],
  ],
)('%s: the node is %s', (why, node, corrections) => {
  expect(reasonRules[why].node).toBe(node)
  const told = (lines: typeof named) =>
    correctionsOf(why, lines, released).map((c) => [c.sku, c.missing, c.believeNothingLeft])
  expect(told([])).toEqual(corrections)
  // What the node names counts, and not all that it gives back.
  expect(told(named)).toEqual(corrections.length === 0 ? [] : [['A', 1, corrections[0]![2]]])
})

test('every reason that a warehouse may give takes effect on a rejected task', () => {
  for (const why of rejectReasons) expect(reasonRules[why].taskState).toBe('rejected')
  expect(Object.keys(reasonRules).sort()).toEqual([...rejectReasons, 'intercepted', 'shortage', 'node_closed'].sort())
})
