/**
 * `npm run fuzz`: feeds every parser, every decision and every endpoint with inputs that are nearly valid, and compares
 * what comes with what is promised: documented refusals only, whole fen that add up, nothing stored that cannot be, no
 * prototype spoilt, no input that takes its time, and of the running service no 5xx and a sound database at the end.
 *
 * Inputs follow from seed, target and index, so a run can be made again, and one input by itself.
 */
import { examine } from './fuzz/examine.ts'
import { runServiceTargets } from './fuzz/http/run.ts'
import { type Failure, keepFailure, readFailure } from './fuzz/keep.ts'
import { type FuzzOptions, parseOptions, serviceTargets, UsageError, usage } from './fuzz/options.ts'
import { Report } from './fuzz/report.ts'
import { sharing } from './fuzz/sharing.ts'
import { targets } from './fuzz/targets.ts'
import { runThreads } from './fuzz/threads.ts'

const names = [...targets.map((t) => t.name), ...serviceTargets]

export async function main(): Promise<void> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  try {
    const options = parseOptions(process.argv.slice(2), names, Date.now())
    if (options === 'help') {
      say(usage(names))
      return
    }
    process.exitCode = options.replay === null ? await run(options, say) : await replay(options.replay, say)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n${usage(names)}\n`)
    process.exitCode = 2
  }
}

const progressMs = 10_000

async function run(options: FuzzOptions, say: (text: string) => void): Promise<number> {
  const began = performance.now()
  say(`▸ seed ${options.seed}, ${options.inputs.toLocaleString('en')} inputs, ${options.threads} threads`)
  const progress = new Report()
  const timer = setInterval(() => {
    say(`  ${Math.round((performance.now() - began) / 1000)} s: ${progress.inputs.toLocaleString('en')} inputs`)
  }, progressMs)
  const report = await fuzz(options, progress).finally(() => clearInterval(timer))
  const seconds = (performance.now() - began) / 1000
  say(`\n${report.lines().join('\n')}\n`)
  const rate = Math.round(report.inputs / seconds).toLocaleString('en')
  say(`${report.inputs.toLocaleString('en')} inputs in ${Math.round(seconds)} s, ${rate}/s; seed ${options.seed}`)
  for (const failure of report.failures.values()) {
    const path = keepFailure(options.folder, failure)
    say(`\n✗ ${failure.target}, index ${failure.index}: ${failure.message}\n  npm run fuzz -- --replay ${path}`)
  }
  say(report.failures.size === 0 ? 'Nothing broke.' : `\n${report.failures.size} kinds of failure.`)
  return report.failures.size === 0 ? 0 : 1
}

/** One in 200 of all inputs goes to the running service, one in 2,000 to its sockets: such an input costs far more. */
const httpPart = 1 / 200
const socketsPart = 1 / 2_000

export async function fuzz(options: FuzzOptions, report = new Report()): Promise<Report> {
  const { inputs, seed, targets: wanted } = options
  const here = targets.filter((t) => wanted === null || wanted.includes(t.name))
  const shared = sharing(here, inputs, seed)
  let stopped = false
  const stop = (): void => {
    stopped = true
    shared.stop()
  }
  const deadline = options.minutes === null ? undefined : setTimeout(stop, options.minutes * 60_000)
  const ofService = (name: string, part: number): number =>
    wanted === null ? Math.ceil(inputs * part) : wanted.includes(name) ? inputs : 0
  const counts = { http: ofService('http', httpPart), sockets: ofService('sockets', socketsPart) }
  try {
    await Promise.all([
      runThreads(here.length === 0 ? 0 : options.threads, shared.next, (stretched) => report.add(stretched)),
      runServiceTargets(
        counts,
        seed,
        () => stopped,
        (stretched) => report.add(stretched),
      ),
    ])
  } finally {
    clearTimeout(deadline)
  }
  return report
}

async function replay(path: string, say: (text: string) => void): Promise<number> {
  const { target: name, input } = failureIn(path)
  const target = targets.find((each) => each.name === name)
  if (target === undefined) throw new UsageError(`--replay: ${name} needs a running service, or is no target`)
  const { ms, problem } = await examine(target, input)
  say(problem === null ? `${name}: nothing broke, ${ms.toFixed(1)} ms` : `✗ ${name}: ${problem.message}`)
  return problem === null ? 0 : 1
}

function failureIn(path: string): Failure {
  try {
    const failure = readFailure(path)
    if (typeof failure.target === 'string') return failure
  } catch (error) {
    throw new UsageError(`--replay ${path}: ${(error as Error).message}. Name a file that an earlier run kept.`)
  }
  throw new UsageError(`--replay ${path}: no kept input. Name a file that an earlier run kept.`)
}
