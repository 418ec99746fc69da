/** A short run of the cheap faults, all promises kept; and each of the book's checks finds what it is there to find. */
import { expect, test } from 'vitest'
import { checkBook } from './chaos/checks.ts'
import { allFaults } from './chaos/faults/all.ts'
import { findingNames } from './chaos/findings.ts'
import { parseOptions, UsageError } from './chaos/options.ts'
import { printed } from './chaos/report.ts'
import { runChaos } from './chaos/run.ts'
import { scheduleOf } from './chaos/schedule.ts'
import { quantile } from './chaos/tally.ts'
import type { World } from './chaos/world.ts'

const short =
  'one-of-two-kill,both-kill,thread-kill,redis-kill,redis-flushall,postgres-kill,postgres-backend-kill,redis-wire-cut-in-reply'

/** How to break the tables, by what has to notice; and how to mend them. */
const tampering: readonly (readonly [finding: string, breaks: string, mends: string])[] = [
  [
    'acknowledged_orders_are_there',
    `update orders set shop = shop || '?' where id = (select min(order_id) from task)`,
    `update orders set shop = rtrim(shop, '?')`,
  ],
  [
    'acknowledged_events_are_kept',
    `update inbox set order_id = order_id || '?' where order_id = (select order_id from orders order by id limit 1)`,
    `update inbox set order_id = rtrim(order_id, '?')`,
  ],
  [
    'confirmed_shipments_are_kept',
    `update task set packages = replace(packages::text, '"waybill": "', '"waybill": "?')::jsonb where state = 'shipped'`,
    `update task set packages = replace(packages::text, '"waybill": "?', '"waybill": "')::jsonb`,
  ],
  [
    'shipments_happen_once',
    `update task set packages = packages || packages where task_id = (select min(task_id) from task where jsonb_array_length(packages) = 1)`,
    `update task set packages = packages - 1 where packages -> 0 = packages -> 1`,
  ],
  [
    'no_unit_is_in_two_tasks',
    `insert into task select task_id || '?', order_id, node, 'ready', 0, null, false, lines from task
     where task_id = (select min(task_id) from task where state = 'shipped')`,
    `delete from task where task_id like '%?'`,
  ],
  [
    'shelves_hold_what_was_put_there',
    `update stock set on_hand = on_hand + 1 where (node, sku) = ('east', 'scarce-1')`,
    `update stock set on_hand = on_hand - 1 where (node, sku) = ('east', 'scarce-1')`,
  ],
]

async function tamper(world: World): Promise<void> {
  expect(await checkBook(world, true)).toEqual([])
  for (const [finding, breaks, mends] of tampering) {
    await world.sql.unsafe(breaks)
    const found = (await checkBook(world, true)).map((violation) => violation.invariant)
    await world.sql.unsafe(mends)
    expect(found).toContain(finding)
    expect(findingNames).toContain(finding)
  }
  expect(await checkBook(world, true)).toEqual([])
}

test('a short run: nothing lost, nothing twice, nothing oversold, nothing leaked', async () => {
  // The schedule of this seed has every kind once, thread-kill twice: the moment without any process leaves requests unanswered.
  const options = parseOptions(['--points', '9', '--seed', '4', '--only', short])
  if (typeof options === 'string') throw new Error(options)
  const lines: string[] = []
  const report = await runChaos(options, { say: (text) => lines.push(text), beforeLastChecks: tamper })
  expect(report.failures, lines.join('\n')).toEqual([])
  expect(report.skipped).toEqual([])
  expect(report.kinds.map(({ kind }) => kind).toSorted()).toEqual(short.split(',').toSorted())
  expect(report.kinds.reduce((sum, kind) => sum + kind.points, 0)).toBe(9)
  expect(report.totals.acknowledged).toBeGreaterThan(100)
  expect(report.totals.shipments).toBeGreaterThan(20)
  expect(report.totals.unanswered).toBeGreaterThan(0)
  expect(printed(report)).toContain('| **all** | 9 | 0 | 0 | 0 | 0 | 0 |')
}, 180_000)

test('the same seed gives the same schedule, of as many points as were asked for', () => {
  for (const points of [1, 20, 21, 333, 1_000]) {
    const plans = scheduleOf(allFaults, points, 7)
    expect(plans.flatMap((plan) => plan.faults)).toHaveLength(points)
    expect(scheduleOf(allFaults, points, 7)).toEqual(plans)
    for (const { faults, pair, wires, disk } of plans) {
      for (const { needs } of faults) expect(needs === undefined || { pair, wires, disk }[needs]).toBe(true)
    }
  }
  const thousand = scheduleOf(allFaults, 1_000, 8).flatMap((plan) => plan.faults)
  for (const { name } of allFaults)
    expect(thousand.filter((fault) => fault.name === name).length, name).toBeGreaterThan(1)
  expect(scheduleOf(allFaults, 1_000, 9)).not.toEqual(scheduleOf(allFaults, 1_000, 8))
})

test.each([
  ['--points', '0'],
  ['--only', 'nothing-like-it'],
  ['--only', ''],
  ['--minutes', 'many'],
  ['--side-by-side', '0'],
  ['--worse', 'please'],
  ['--only', 'redis-kill', '--points', '1', '--world', '2'],
])('refused: %s %s', (...words) => {
  expect(() => parseOptions(words)).toThrow(UsageError)
})

test('--only takes names and the beginnings of several; --out without a folder means the results of the bench', () => {
  const options = parseOptions(['--only', 'postgres-away,redis-kill', '--out', '--seed', '4'])
  if (typeof options === 'string') throw new Error(options)
  expect(options.faults.map((fault) => fault.name)).toEqual([
    'postgres-away-1s',
    'postgres-away-10s',
    'postgres-away-60s',
    'redis-kill',
  ])
  expect(options).toMatchObject({ out: 'bench/results', seed: 4, points: 1_000, minutes: null })
})

test('quantiles are values that were there', () => {
  expect([quantile([], 0.5), quantile([3], 0.5), quantile([4, 1, 3, 2], 0.5), quantile([4, 1, 3, 2], 1)]).toEqual([
    null,
    3,
    2,
    4,
  ])
})
