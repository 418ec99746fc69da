/** What a mixed day came to: figures that say whether something grew, and the curves behind them. */
import type { DiskSeen } from '../load/disk.ts'
import { memoryFigures, memoryPlot, ordersOf, refusalsOf, rounded } from '../load/figures.ts'
import type { FiredOpen } from '../load/fired.ts'
import type { Load } from '../load/session.ts'
import type { Figure, Plot, Table } from '../measured/scenario.ts'
import type { DayOver } from './day.ts'
import { halves, quantile, windowed } from './halves.ts'
import { bytesOf, type SizesSeen } from './sizes.ts'

export interface Seen {
  readonly load: Load<FiredOpen>
  readonly tables: readonly SizesSeen[]
  readonly disk: DiskSeen
  readonly day: DayOver
  readonly seconds: number
}

// A fifth more from one half to the other is no longer chance, on a machine that does nothing else.
const growthGoal = { value: 1.2, better: 'lower' } as const
// Latency of so little load is a few milliseconds, and moves with the disk, which others use as well.
const latencyGoal = { value: 1.5, better: 'lower' } as const
const nothing = { value: 0, better: 'lower' } as const
/** What is now, not what happened: these have as many rows in the evening as in the morning. */
const changingTables = ['stock', 'node', 'pending']
const mib = 1024 * 1024
// Until then heaps and caches fill, and code is compiled: no growth that goes on.
const settlingShare = 0.2

/** What is compared: from `from` to `middle`, and from there to the end. In seconds. */
function span(seconds: number): { readonly from: number; readonly middle: number } {
  const from = seconds * settlingShare
  return { from, middle: (from + seconds) / 2 }
}

function halvesOf(points: readonly (readonly [number, number])[], seconds: number) {
  const { from, middle } = span(seconds)
  return halves(
    points.filter(([x]) => x >= from),
    middle,
  )
}

/** p99 of each moment, of which a day has 120: a disk that stands still for a second spoils one of them, growth all. */
function moments(points: readonly (readonly [number, number])[], seconds: number) {
  return windowed(points, Math.max(0.5, seconds / 120), 0.99)
}

export function figuresOf(seen: Seen): Figure[] {
  const { load, day, disk, seconds } = seen
  const acks = ackPoints(load.fired)
  const pulls = day.calls.get('pull') ?? []
  const ms = (points: readonly (readonly [number, number])[], q: number) =>
    rounded(
      quantile(
        points.map(([, y]) => y),
        q,
      ) ?? 0,
      2,
    )
  return [
    { name: 'orders taken', value: rounded(ordersOf(load) / seconds, 1), unit: 'orders/s' },
    { name: 'orders shipped', value: rounded(day.shippedOrders / seconds, 1), unit: 'orders/s' },
    // So little load is taken at once, all of it.
    { name: 'refused', value: refusalsOf(load.fired), unit: 'answers', goal: nothing },
    { name: 'never acknowledged', value: load.fired.givenUp, unit: 'requests', goal: nothing },
    { name: 'ACK p50', value: ms(acks, 0.5), unit: 'ms' },
    { name: 'ACK p99', value: ms(acks, 0.99), unit: 'ms' },
    { name: 'pull p50', value: ms(pulls, 0.5), unit: 'ms' },
    { name: 'pull p99', value: ms(pulls, 0.99), unit: 'ms' },
    { name: 'the disk by itself p99', value: ms(disk, 0.99), unit: 'ms' },
    ...ratio('memory', halvesOf(load.memory.points, seconds)?.ratio, growthGoal),
    ...ratio('ACK p99', halvesOf(moments(acks, seconds), seconds)?.ratio, latencyGoal),
    ...ratio('pull p99', halvesOf(moments(pulls, seconds), seconds)?.ratio, latencyGoal),
    ...ratio('the disk by itself, p99', halvesOf(moments(disk, seconds), seconds)?.ratio, null),
    ...ratio('bytes an order', bytesAnOrderGrowth(seen), growthGoal),
    ...ratio('tables that only change', changingGrowth(seen), growthGoal),
    ...memoryFigures(load.memory),
  ]
}

function ratio(name: string, value: number | null | undefined, goal: NonNullable<Figure['goal']> | null): Figure[] {
  if (value === null || value === undefined) return []
  return [
    { name: `${name}, second half ÷ first`, value: rounded(value, 2), unit: '×', ...(goal === null ? {} : { goal }) },
  ]
}

/** What an order of the second half added to the database, against one of the first. */
function bytesAnOrderGrowth({ tables, seconds }: Seen): number | null {
  const [first, middle, last] = threeOf(tables, seconds)
  if (first === undefined || middle === undefined || last === undefined) return null
  const perOrder = (from: SizesSeen, to: SizesSeen) => (bytesOf(to) - bytesOf(from)) / (to.orders - from.orders)
  const growth = perOrder(middle, last) / perOrder(first, middle)
  return Number.isFinite(growth) && growth > 0 ? growth : null
}

function changingGrowth({ tables, seconds }: Seen): number | null {
  const [, middle, last] = threeOf(tables, seconds)
  if (middle === undefined || last === undefined) return null
  return bytesOf(last, changingTables) / bytesOf(middle, changingTables)
}

/** At the beginning, in the middle and at the end of what is compared. */
function threeOf(tables: readonly SizesSeen[], seconds: number): (SizesSeen | undefined)[] {
  const { from, middle } = span(seconds)
  const since = (at: number) => tables.find((seen) => seen.seconds >= at)
  return [since(from), since(middle), tables.at(-1)]
}

/** Seconds since the first was due, milliseconds from then to the answer. */
function ackPoints({ dueAtMs, ackMs, startedAtMs }: FiredOpen): (readonly [number, number])[] {
  return Array.from(ackMs, (ms, i) => [(dueAtMs[i]! - startedAtMs) / 1000, ms] as const)
}

export function tablesOf(seen: Seen): Table[] {
  const [, middle, last] = threeOf(seen.tables, seen.seconds)
  const sizes = (last?.tables ?? []).map((table) => {
    const before = middle?.tables.find(({ table: name }) => name === table.table)
    const perOrder = last!.orders === 0 ? 0 : Math.round(table.bytes / last!.orders)
    return [
      table.table,
      rounded((before?.bytes ?? 0) / mib, 2),
      rounded(table.bytes / mib, 2),
      rounded(table.indexBytes / mib, 2),
      perOrder,
      table.liveRows,
      table.deadRows,
    ]
  })
  const answers = Object.entries(seen.day.answers).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    {
      title: 'Tables with their indexes, in the middle and at the end',
      columns: ['table', 'MiB, middle', 'MiB, end', 'of it indexes', 'bytes an order', 'live rows', 'dead rows'],
      rows: sizes,
    },
    { title: 'Calls by their answer', columns: ['call', 'times'], rows: answers },
  ]
}

export function plotsOf(seen: Seen): Plot[] {
  const { load, day, disk, tables, seconds } = seen
  const acks = ackPoints(load.fired)
  const pulls = day.calls.get('pull') ?? []
  const ships = day.calls.get('ship') ?? []
  return [
    memoryPlot('mixed-memory', { service: load.memory }),
    {
      name: 'mixed-latency',
      title: 'Answers through the day, p99 of each moment',
      kind: 'line',
      x: 's',
      y: 'ms',
      series: [
        { name: 'ACK', points: moments(acks, seconds) },
        { name: 'pull', points: moments(pulls, seconds) },
        { name: 'ship', points: moments(ships, seconds) },
        { name: 'the disk by itself', points: moments(disk, seconds) },
      ],
    },
    {
      name: 'mixed-size',
      title: 'Size of the tables that only change',
      kind: 'step',
      x: 's',
      y: 'MiB',
      series: changingTables.map((name) => ({
        name,
        points: tables.map((at): [number, number] => [at.seconds, bytesOf(at, [name]) / mib]),
      })),
    },
    {
      name: 'mixed-dead',
      title: 'Dead rows that wait for vacuum',
      kind: 'step',
      x: 's',
      y: 'rows',
      series: ['stock', 'pending', 'task', 'orders'].map((name) => ({
        name,
        points: tables.map((at): [number, number] => [
          at.seconds,
          at.tables.find(({ table }) => table === name)?.deadRows ?? 0,
        ]),
      })),
    },
  ]
}
