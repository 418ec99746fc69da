/** The figures of a run, and how a person reads them. */
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import type { Fired } from './fired.ts'
import type { Reading } from './gauge.ts'
import type { Surroundings } from './machine.ts'
import { grownByLabel, quantile } from './scrape.ts'
import type { StreamSettings } from './stream.ts'

export interface Report {
  readonly surroundings: Surroundings
  readonly durability: Readonly<Record<string, string>>
  readonly workload: StreamSettings & { readonly connections: number; readonly generator: string }
  readonly accepted: {
    readonly requests: number
    readonly orders: number
    readonly seconds: number
    readonly requestsPerSecond: number
    readonly ordersPerSecond: number
    readonly ackMs: Readonly<Record<'p50' | 'p90' | 'p99' | 'max', number>>
    readonly refused: Readonly<Record<string, number>>
    readonly errors: number
    readonly madeUnderLoad: number
  }
  readonly routed: {
    /** Orders with at least one task that can be pulled. */
    readonly orders: number
    readonly tasks: number
    /** From the first request to the last decision. */
    readonly seconds: number
    readonly ordersPerSecond: number
    readonly states: Readonly<Record<string, number>>
    /** From the committed event to its committed decision; under a closed loop mostly time in the queue. */
    readonly decisionMs: Readonly<Record<'p50' | 'p90' | 'p99', number | null>>
    readonly eventsABatch: number
    readonly eventsAnIntakeCommit: number
  }
  /** Microseconds of CPU an order, by process; `machine` is everything that ran on it. */
  readonly cpuMicros: Readonly<Record<string, number>>
  /** Microseconds of the threads' wall clock an order, by stage: batches overlap. */
  readonly stageMicros: Readonly<Record<string, number>>
  readonly bytesAnOrder: Readonly<Record<'database' | 'wal' | 'redis', number>>
  /** Of the service, resident; null when it is not known. */
  readonly peakMib: number | null
  readonly checks: { readonly invariants: number; readonly ordersCompared: number; readonly seconds: number }
}

export interface Measured {
  readonly before: Reading
  readonly after: Reading
  readonly fired: Fired
}

export function accepted({ fired }: Measured): Report['accepted'] {
  const seconds = (fired.endedAtMs - fired.startedAtMs) / 1000
  const orders = new Set(fired.acknowledged).size
  const sorted = fired.ackMs.slice().sort()
  const at = (q: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0, 2)
  return {
    requests: fired.acknowledged.length,
    orders,
    seconds: round(seconds, 2),
    requestsPerSecond: Math.round(fired.acknowledged.length / seconds),
    ordersPerSecond: Math.round(orders / seconds),
    ackMs: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) },
    refused: fired.refused,
    errors: fired.errors,
    madeUnderLoad: fired.madeUnderLoad,
  }
}

export async function routed(sql: Sql, { before, after, fired }: Measured): Promise<Report['routed']> {
  const since = new Date(fired.startedAtMs)
  const [tasks] = await sql<{ orders: number; tasks: number }[]>`
    select count(distinct order_id)::int as orders, count(*)::int as tasks from task where created_at >= ${since}`
  const [last] = await sql<{ at: Date | null }[]>`select max(at) as at from decision where at >= ${since}`
  const states = await sql<{ state: string; count: number }[]>`
    select state, count(*)::int from orders where received_at >= ${since} group by 1 order by 2 desc`
  const seconds = ((last!.at?.getTime() ?? fired.endedAtMs) - fired.startedAtMs) / 1000
  const decision = (q: number) => {
    const value = quantile(before.metrics, after.metrics, 'paidan_event_decision_seconds', q)
    return value === null ? null : round(value * 1000, 1)
  }
  const counter = (name: string) => (after.metrics.get(name) ?? 0) - (before.metrics.get(name) ?? 0)
  return {
    orders: tasks!.orders,
    tasks: tasks!.tasks,
    seconds: round(seconds, 2),
    ordersPerSecond: Math.round(tasks!.orders / seconds),
    states: Object.fromEntries(states.map(({ state, count }) => [state, count])),
    decisionMs: { p50: decision(0.5), p90: decision(0.9), p99: decision(0.99) },
    eventsABatch: round(counter('paidan_event_decision_seconds_count') / counter('paidan_batches_total'), 1),
    eventsAnIntakeCommit: round(counter('paidan_intake_batch_rows_sum') / counter('paidan_intake_batch_rows_count'), 1),
  }
}

export function costs({ before, after }: Measured, orders: number) {
  const micros = (seconds: number) => Math.round((seconds / orders) * 1e6)
  const cpuMicros: Record<string, number> = {}
  for (const [name, seconds] of Object.entries(after.cpuSeconds))
    cpuMicros[name] = micros(seconds - (before.cpuSeconds[name] ?? 0))
  cpuMicros.machine = micros(after.busySeconds - before.busySeconds)
  const stages = grownByLabel(before.metrics, after.metrics, 'paidan_stage_seconds_total', 'stage')
  const bytes = (name: 'databaseBytes' | 'walBytes' | 'redisBytes') => Math.round((after[name] - before[name]) / orders)
  return {
    cpuMicros,
    stageMicros: Object.fromEntries(Object.entries(stages).map(([name, seconds]) => [name, micros(seconds)])),
    bytesAnOrder: { database: bytes('databaseBytes'), wal: bytes('walBytes'), redis: bytes('redisBytes') },
  }
}

export function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits
}

export function printed(report: Report): string {
  const { surroundings: s, workload: w, accepted: a, routed: r, checks } = report
  const list = (of: Readonly<Record<string, number | string | null>>, unit = '') =>
    Object.entries(of)
      .map(([name, value]) => `${name} ${typeof value === 'number' ? value.toLocaleString('en') : value}${unit}`)
      .join(' · ')
  const refusals = Object.keys(a.refused).length === 0 ? 'none' : list(a.refused)
  return [
    `Accepted   ${a.ordersPerSecond.toLocaleString('en')} orders/s (${a.requestsPerSecond.toLocaleString('en')} requests/s): ${a.orders.toLocaleString('en')} orders in ${a.seconds} s`,
    `Routed     ${r.ordersPerSecond.toLocaleString('en')} orders/s: ${r.orders.toLocaleString('en')} orders with ${r.tasks.toLocaleString('en')} tasks in ${r.seconds} s, first request to last decision`,
    `ACK        ${list(a.ackMs, ' ms')}`,
    `Decision   ${list(r.decisionMs, ' ms')} after the ACK's commit, ${r.eventsABatch} events a batch, ${r.eventsAnIntakeCommit} events a commit of the inbox`,
    `States     ${list(r.states)}`,
    `Refused    ${refusals} · errors ${a.errors}${a.madeUnderLoad > 0 ? ` · ${a.madeUnderLoad} requests were made under load` : ''}`,
    `CPU        ${list(report.cpuMicros, ' µs')} an order`,
    `Stages     ${list(report.stageMicros, ' µs')} an order of the threads' clock`,
    `Bytes      ${list(report.bytesAnOrder)} an order`,
    `Memory     ${report.peakMib === null ? 'unknown' : `${Math.round(report.peakMib)} MiB of the service at most`}`,
    `Checked    ${checks.invariants} invariants and ${checks.ordersCompared.toLocaleString('en')} acknowledged orders one by one in ${checks.seconds} s: all hold`,
    `Workload   seed ${w.seed} · ${list(w.mix, ' %')} · 1–5 lines, Zipf 0.9 over 2,000 SKUs · ${w.connections} connections, closed loop, ${w.generator}`,
    `Durability ${list(report.durability)}`,
    `Machine    ${s.cores} × ${s.cpu}, ${s.memoryGib} GiB, load average ${s.loadAverageBefore.toFixed(2)} before · Node ${s.node}, Postgres ${s.postgres}, Redis ${s.redis} · commit ${s.commit}`,
  ].join('\n')
}
