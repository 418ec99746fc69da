/**
 * `npm run chaos`: breaks a running Paidan at random moments and checks that it kept its promises.
 *
 *   workload  three platforms (tmall 50 %, jd 25 %, wechat 25 %) tell orders of 1–3 lines as fast as eight of them get
 *             answers, up to some 200 a second; 42 % are told twice, cancelled, out of order or under two bodies;
 *             warehouses pull, ship, reject, fall silent; goods run out and come again
 *   faults    see `--list`: kill -9 of the service, of one or both of two processes, of a thread, of Redis, of Postgres
 *             or one backend, of everything; pauses longer than the time-outs; Redis emptied or restored from old
 *             files; a full disk; wires cut, slow and silent
 *   worlds    some side by side, since a world spends most of its time waiting
 *   checks    the platforms and warehouses that the run plays note every answer that they got; these notes are
 *             compared with the tables, and every invariant of the audit is checked
 *
 * A run with a broken promise says which, with the seed and the faults before it, and exits 1.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { projectRoot } from '../adapters/shared/root.ts'
import { allFaults } from './chaos/faults/all.ts'
import { parseOptions, UsageError, usage } from './chaos/options.ts'
import { printed } from './chaos/report.ts'
import { runChaos } from './chaos/run.ts'
import type { ChaosReport } from './chaos/tally.ts'

export async function main(): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  try {
    const options = parseOptions(process.argv.slice(2))
    if (options === 'help') return say(usage)
    if (options === 'list')
      return say(allFaults.map(({ name, share }) => `${String(share).padStart(4)}  ${name}`).join('\n'))
    const report = await runChaos(options, { say })
    const table = printed(report)
    say(`\n${table}`)
    if (options.out !== null) say(`\nWritten: ${write(options.out, report, table).join(', ')}`)
    process.exitCode = report.failures.length === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n${usage}\n`)
    process.exitCode = 2
  }
}

function write(out: string, report: ChaosReport, table: string): string[] {
  const folder = resolve(projectRoot(), out)
  mkdirSync(folder, { recursive: true })
  const day = new Date().toISOString().slice(0, 10)
  const name = `chaos-${day}-${report.surroundings?.commit ?? 'unknown'}`
  const files = [join(folder, `${name}.json`), join(folder, `${name}.md`)] as const
  writeFileSync(files[0], `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(files[1], `# Chaos\n\n${table}\n`)
  return [...files]
}
