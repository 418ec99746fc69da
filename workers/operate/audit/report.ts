/** The audit's findings, for people and for programs. */
import type { Checked, Violation } from '../../../adapters/store/audit/audit.ts'
import { advice } from './advice.ts'
import type { CountersAudit } from './counters.ts'
import type { Mended } from './mend.ts'
import type { Replayed } from './replay.ts'
import { type NotReplayed, notReplayedReasons } from './replay-order.ts'

export interface AuditReport {
  readonly where: string
  readonly orders: number
  /** Events that are not decided yet: no violation. */
  readonly undecided: number
  readonly checked: readonly Checked[]
  /** null: no Redis runs. */
  readonly counters: CountersAudit | null
  /** null: none was asked for. */
  readonly replayed: Replayed | null
  readonly mended: readonly Mended[] | null
  /** What is broken at the end, after what was mended. */
  readonly broken: readonly Violation[]
  readonly seconds: number
}

const nameWidth = 42

export function lineOf({ invariant, violation, leftOut, ms }: Checked): string {
  const time = `${(ms / 1000).toFixed(1)} s`.padStart(8)
  const rest = leftOut === null ? [] : [`            ${leftOut}`]
  if (violation === null) return [`  ok      ${invariant.padEnd(nameWidth)}${time}`, ...rest].join('\n')
  const found = `  BROKEN  ${invariant.padEnd(nameWidth)}${time}  ${violation.count}`
  return [found, ...examplesOf(violation), ...rest].join('\n')
}

export function countersLines(counters: CountersAudit | null): readonly string[] {
  if (counters === null)
    return ['  –       Redis does not run: its counters are loaded from Postgres at the next start']
  if (counters.state === 'not_loaded') {
    return [
      '  –       Redis is not the one that was loaded from this database: its counters were not compared. A service loads them ' +
        'from Postgres before it uses them',
    ]
  }
  const broken = new Map(counters.violations.map((v) => [v.invariant, v]))
  const lines = counterNames.map((invariant) => {
    const violation = broken.get(invariant)
    if (violation === undefined) return `  ok      ${invariant}`
    return [`  BROKEN  ${invariant.padEnd(nameWidth)}          ${violation.count}`, ...examplesOf(violation)].join('\n')
  })
  const { notLoaded, nodes } = counters
  if (notLoaded > 0)
    lines.push(`  –       ${notLoaded} of ${nodes} nodes are not loaded in this Redis: not compared there`)
  return lines
}

const counterNames = [
  'redis_counts_what_postgres_counts',
  'redis_has_heard_every_change',
  'nothing_is_reserved_for_nobody',
]

function examplesOf({ examples }: Violation): string[] {
  return examples.map((example) => `            ${JSON.stringify(example)}`)
}

export function replayLines(replayed: Replayed | null): readonly string[] {
  if (replayed === null) return []
  const { traces, orders, versions, different, notReplayed } = replayed
  const leftOut = Object.entries(notReplayed) as [NotReplayed, number][]
  return [
    `  ${different.length === 0 ? 'ok    ' : 'BROKEN'}  ${traces} plans replayed from their traces, ${orders} orders decided again from their events, ` +
      `${versions} versions${different.length > 0 ? `; ${different.length} differ` : ''}`,
    ...different.slice(0, 5).map((d) => `            ${JSON.stringify(d)}`),
    ...leftOut.map(([why, count]) => `  –       ${count} orders not decided again: ${notReplayedReasons[why]}`),
  ]
}

/** What the good news does not cover. */
function butFor(counters: CountersAudit | null): string {
  if (counters === null || (counters.state === 'compared' && counters.notLoaded === 0)) return ''
  return ` that Postgres shows; what Redis counts was not compared${counters.state === 'compared' ? ' at every node' : ''}`
}

export function summaryLines(report: AuditReport): readonly string[] {
  const { orders, undecided, counters, broken, mended, seconds } = report
  const lines: string[] = []
  if (mended !== null) {
    if (mended.length === 0) lines.push('Nothing could be mended.')
    for (const { what, count } of mended) lines.push(`Mended: ${count} ${what}.`)
  }
  const inFlight = counters === null ? '' : `, ${counters.inFlight} reservations in flight younger than 30 s`
  const moving = counters !== null && counters.moving > 0 ? `, ${counters.moving} counters too busy to be compared` : ''
  lines.push(
    `${orders.toLocaleString('en')} orders, ${undecided.toLocaleString('en')} events undecided${inFlight}${moving}.`,
  )
  const time = `${seconds.toFixed(1)} s`
  if (broken.length === 0) lines.push(`All promises hold${butFor(counters)} (${time}).`)
  else {
    const names = broken.map((v) => v.invariant).join(', ')
    for (const { invariant } of broken) {
      const sentence = advice[invariant]
      if (sentence !== undefined) lines.push(`${invariant}: ${sentence}.`)
    }
    lines.push(
      mended === null
        ? `Broken: ${names} (${time}). npm run audit -- --mend puts right what follows from something else.`
        : `Still broken: ${names} (${time}). That wants a person: no other record says what is right.`,
    )
  }
  return lines
}
