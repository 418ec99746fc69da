/** The table of a run, as Markdown. */
import { type Promised, promiseOf, promises } from './findings.ts'
import { type ChaosReport, type Failure, type KindResult, quantile } from './tally.ts'

const number = (value: number): string => value.toLocaleString('en')
const ms = (value: number | null): string => (value === null ? '–' : number(value))

export function printed(report: ChaosReport): string {
  const { seed, planned, sideBySide, seconds, spent, surroundings, kinds, totals, failures, skipped } = report
  const points = kinds.reduce((sum, kind) => sum + kind.points, 0)
  const where = surroundings
  const lines = [
    `${number(points)} of ${number(planned)} faults at random moments under load, seed ${seed}, in ${number(seconds)} s: ` +
      `${number(totals.acknowledged)} events of ${number(totals.orders)} orders acknowledged (${number(totals.refused)} ` +
      `refused in the platform's words, ${number(totals.unanswered)} requests unanswered), ${number(totals.shipments)} tasks ` +
      `confirmed as shipped, ${number(totals.driftsMended)} drifts of Redis found and mended by the sweep; ${number(totals.checks)} complete checks in ${number(totals.worlds)} worlds, ${number(sideBySide)} at a time.`,
    '',
    `Seconds of all worlds together: ${Object.entries(spent)
      .map(([part, sum]) => `${part} ${number(sum)}`)
      .join(' · ')}.`,
    ...(where === null
      ? []
      : [
          '',
          `Commit ${where.commit}, ${where.cores} cores (${where.cpu}), ${where.memoryGib} GiB, Node ${where.node}, ` +
            `Postgres ${where.postgres} (fsync on), Redis ${where.redis} (append-only).`,
        ]),
    '',
    `| fault | points | ${promises.join(' | ')} | recovery, ms: p50 | max |`,
    `|---|---:|${promises.map(() => '---:').join('|')}|---:|---:|`,
    ...kinds.map(row),
    row({
      kind: '**all**',
      points,
      broken: Object.fromEntries(promises.map((name) => [name, sumOf(failures, name)])) as KindResult['broken'],
      recoveryMs: kinds.flatMap((kind) => kind.recoveryMs),
    }),
    ...skipped.map(({ kind, points: count, why }) => `\nNot done: ${kind}, ${count} points: ${why}.`),
    ...failures.map(
      ({ world, kinds: after, violation }) =>
        `\n✗ seed ${seed}, world ${world}, after ${after.join(', ')}: ${violation.invariant}: ${violation.count}, ` +
        `for example ${JSON.stringify(violation.examples)}`,
    ),
  ]
  return lines.join('\n')
}

function row({ kind, points, broken, recoveryMs }: KindResult): string {
  const cells = [
    kind,
    number(points),
    ...promises.map((name) => number(broken[name])),
    ms(quantile(recoveryMs, 0.5)),
    ms(quantile(recoveryMs, 1)),
  ]
  return `| ${cells.join(' | ')} |`
}

function sumOf(failures: readonly Failure[], promised: Promised): number {
  return failures
    .filter(({ violation }) => promiseOf(violation.invariant) === promised)
    .reduce((sum, { violation }) => sum + violation.count, 0)
}
