/** What the latencies come to: figures, tables and curves. */
import { memoryFigures, rounded } from '../load/figures.ts'
import type { MemorySeen } from '../load/process-memory.ts'
import { percentileCurve, quantiles } from '../load/quantiles.ts'
import type { Figure, Measured, Plot } from '../measured/scenario.ts'

/** Of the steady rate. */
export const shares = [0.25, 0.5, 0.75] as const
// At half the steady rate; see the goals of the project.
export const goals = { share: 0.5, ackP99Ms: 20, taskP99Ms: 250 } as const

export interface Level {
  readonly isInMemory: boolean
  readonly share: number
  readonly ordersPerSecond: number
  readonly ackMs: Float64Array
  /** By channel. */
  readonly taskMs: Readonly<Record<string, number[]>>
  readonly latenessMs: Float64Array
  /** What the disk took for a few bytes meanwhile, milliseconds. */
  readonly diskMs: readonly number[]
  readonly refused: number
  readonly errors: number
  /** Tasks that the observer never saw: 0, or the figures lack some. */
  readonly unseen: number
  readonly memory: MemorySeen
  readonly undecided: number
}

export function shown(levels: readonly Level[], rate: number, seconds: number) {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  return {
    workload:
      `Open loop at ${shares.map(percent).join(', ')} of ${rate.toLocaleString('en')} orders/s, ${seconds} s each; ` +
      'latencies from the instant at which a request was due.' +
      (levels.some(({ isInMemory }) => isInMemory) ? ' Then half of it with all data in memory.' : ''),
    figures: [...levels.flatMap(figuresOf), ...memoryFigures(...levels.map(({ memory }) => memory))],
    tables: [
      tableOf('ACK', levels, ackOf),
      tableOf('Webhook → task', levels, tasksOf),
      diskTable(levels),
      channelTable(levels),
    ],
    plots: [
      curve('latency-ack', 'ACK, from the instant at which it was due', levels, ackOf),
      curve('latency-task', 'Webhook → task that can be pulled', levels, tasksOf),
    ],
    raw: levels.map((level) => ({
      share: level.share,
      isInMemory: level.isInMemory,
      diskMs: percentileCurve(level.diskMs),
      ordersPerSecond: level.ordersPerSecond,
      ackMs: percentileCurve(level.ackMs),
      taskMs: percentileCurve(tasksOf(level)),
      latenessMs: percentileCurve(level.latenessMs),
      refused: level.refused,
      errors: level.errors,
      unseen: level.unseen,
    })),
  }
}

const nameOf = ({ ordersPerSecond, isInMemory }: Level): string =>
  `${Math.round(ordersPerSecond).toLocaleString('en')}${isInMemory ? ', in memory' : ''}`
const ackOf = ({ ackMs }: Level): Float64Array => ackMs
const tasksOf = ({ taskMs }: Level): number[] => Object.values(taskMs).flat()

function figuresOf(level: Level): Figure[] {
  const at = `at ${Math.round(level.share * 100)} %${level.isInMemory ? ', all data in memory' : ''}`
  const isGoal = level.share === goals.share && !level.isInMemory
  const figure = (name: string, of: Float64Array | readonly number[], q: number, goalMs: number | null): Figure => ({
    name: `${name} p${q * 100} ${at}`,
    value: rounded(quantiles(of).at(q) ?? Number.NaN, 1),
    unit: 'ms',
    ...(goalMs === null || !isGoal ? {} : { goal: { value: goalMs, better: 'lower' as const } }),
  })
  return [
    figure('ACK', level.ackMs, 0.5, null),
    figure('ACK', level.ackMs, 0.99, goals.ackP99Ms),
    figure('webhook → task', tasksOf(level), 0.5, null),
    figure('webhook → task', tasksOf(level), 0.99, goals.taskP99Ms),
    ...(level.isInMemory ? [] : [figure('the disk by itself', level.diskMs, 0.99, null)]),
  ]
}

type Values = (level: Level) => Float64Array | readonly number[]

function tableOf(title: string, levels: readonly Level[], of: Values): Measured['tables'][number] {
  return {
    title: `${title}, ms`,
    columns: [
      'orders/s',
      'measured',
      'p50',
      'p90',
      'p99',
      'p99.9',
      'max',
      'generator late p99',
      'refused',
      'errors',
      'unseen',
    ],
    rows: levels.map((level) => {
      const all = quantiles(of(level))
      return [
        nameOf(level),
        all.count,
        ...[0.5, 0.9, 0.99, 0.999].map((q) => text(all.at(q))),
        text(all.max),
        text(quantiles(level.latenessMs).at(0.99)),
        level.refused,
        level.errors,
        level.unseen,
      ]
    }),
  }
}

function diskTable(levels: readonly Level[]): Measured['tables'][number] {
  return {
    title: 'What the disk took meanwhile to make 8 KiB durable for somebody who does nothing else, ms',
    columns: ['orders/s', 'asked', 'p50', 'p90', 'p99', 'max'],
    rows: levels.map((level) => {
      const all = quantiles(level.diskMs)
      return [nameOf(level), all.count, ...[0.5, 0.9, 0.99].map((q) => text(all.at(q))), text(all.max)]
    }),
  }
}

function channelTable(levels: readonly Level[]): Measured['tables'][number] {
  return {
    title: 'Webhook → task by channel, ms (WeChat: the order is pulled from its API in between)',
    columns: ['orders/s', 'channel', 'p50', 'p99', 'max'],
    rows: levels.flatMap((level) =>
      Object.entries(level.taskMs).map(([channel, values]) => {
        const all = quantiles(values)
        return [nameOf(level), channel, text(all.at(0.5)), text(all.at(0.99)), text(all.max)]
      }),
    ),
  }
}

function text(ms: number | null): number | string {
  return ms === null ? '–' : rounded(ms, 1)
}

function curve(name: string, title: string, levels: readonly Level[], of: Values): Plot {
  return {
    name,
    title,
    kind: 'percentile',
    x: '%',
    y: 'ms',
    series: levels.map((level) => ({
      name: `${nameOf(level)} orders/s`,
      points: percentileCurve(of(level)),
    })),
  }
}
