/** Which tasks a shortage calls back: newest first, no more than are needed, and none twice. */
import { expect, test } from 'vitest'
import { tasksToCallBack } from './shortage.ts'

type Held = [taskId: string, quantity: number, place?: string]
const place = (name: string) => ({ node: name.split('|')[0]!, sku: name.split('|')[1]! })

test.each<[why: string, short: [string, number][], held: Held[], recalled: string[], wanted: string[]]>([
  [
    'one task makes up for it',
    [['n|a', 1]],
    [
      ['3', 1],
      ['2', 1],
    ],
    [],
    ['3'],
  ],
  [
    'as many as are needed',
    [['n|a', 3]],
    [
      ['3', 1],
      ['2', 1],
      ['1', 5],
    ],
    [],
    ['3', '2', '1'],
  ],
  [
    'one may be more than is missing',
    [['n|a', 1]],
    [
      ['3', 5],
      ['2', 1],
    ],
    [],
    ['3'],
  ],
  [
    'what is called back already counts first',
    [['n|a', 2]],
    [
      ['3', 1],
      ['2', 1],
      ['1', 1],
    ],
    ['1'],
    ['3'],
  ],
  [
    'enough is called back already',
    [['n|a', 2]],
    [
      ['3', 1],
      ['2', 2],
    ],
    ['2'],
    [],
  ],
  ['fewer are held than are missing', [['n|a', 9]], [['3', 1]], [], ['3']],
  ['nobody holds any', [['n|a', 1]], [], [], []],
  [
    'each place for itself',
    [
      ['n|a', 1],
      ['n|b', 1],
    ],
    [
      ['3', 1, 'n|a'],
      ['2', 1, 'n|b'],
      ['1', 1, 'n|a'],
    ],
    [],
    ['3', '2'],
  ],
  [
    'one task that holds both is called back once',
    [
      ['n|a', 1],
      ['n|b', 1],
    ],
    [
      ['3', 1, 'n|a'],
      ['3', 1, 'n|b'],
      ['2', 1, 'n|b'],
    ],
    [],
    ['3'],
  ],
  ['nor one whose name reads alike', [['n|a/1', 1]], [['3', 1, 'n/a|1']], [], []],
  ['a place that is not short', [['n|a', 1]], [['3', 1, 'm|a']], [], []],
])('%s', (_, short, held, recalled, wanted) => {
  const found = tasksToCallBack(
    short.map(([at, missing]) => ({ ...place(at), missing })),
    held.map(([taskId, quantity, at = 'n|a']) => ({ ...place(at), taskId, quantity })),
    ({ taskId }) => recalled.includes(taskId),
  )
  expect(found.map((h) => h.taskId)).toEqual(wanted)
})
