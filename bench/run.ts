/**
 * `npm run bench`: drives services of its own from outside with signed webhooks, scenario by scenario (bench/scenarios/),
 * checks every invariant after each, and writes a report that says what was measured, on what, and how to do it again.
 *
 * Everything runs on this machine: the service, its Postgres (fsync on), its Redis, the generator and the stand-in of
 * WeChat's API, each a process of its own, fresh for every scenario. A run with a lost order, an oversold unit or any
 * other broken invariant has no result: it prints what is broken and exits 1.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { projectRoot } from '../adapters/shared/root.ts'
import { describedViolations } from './load/check.ts'
import { commit, machine } from './load/machine.ts'
import { type BenchOptions, parseOptions, UsageError, usageOf } from './load/options.ts'
import { NoTarget } from './load/target.ts'
import type { BenchRun, Scenario } from './measured/scenario.ts'
import { measureParts } from './parts/measure.ts'
import { writeReport } from './report/write.ts'
import { scenarios } from './scenarios/all.ts'

/** What can be named on the command line beside the scenarios. */
const parts = { name: 'parts', question: 'How fast is each part of the way alone, and what ceiling follows from them?' }

export async function main(): Promise<void> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`)
  try {
    const argv = process.argv.slice(2)
    const options = parseOptions(argv, [...scenarios.map(({ name }) => name), parts.name])
    if (options.help) return print(usageOf([...scenarios, parts]))
    const run = await runBench(options, argv, scenarios, print)
    const folder = options.out ?? join(projectRoot(), 'bench', 'results', `${run.startedAt.slice(0, 10)}-${run.commit}`)
    writeReport(folder, run)
    if (options.json !== null) {
      mkdirSync(dirname(options.json), { recursive: true })
      writeFileSync(options.json, `${JSON.stringify(run, null, 2)}\n`)
    }
    print(`\n${summary(run)}\n\nThe report: ${relative(process.cwd(), join(folder, 'report.md'))}`)
    process.exitCode = isBroken(run) ? 1 : 0
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof NoTarget)) throw error
    process.stderr.write(`${error.message}\n`)
    if (error instanceof UsageError) process.stderr.write(`${usageOf([...scenarios, parts])}\n`)
    process.exitCode = 2
  }
}

/** Runs what was asked for of `all`, one after the other; a broken one does not keep the others from being run. */
export async function runBench(
  options: BenchOptions,
  argv: readonly string[],
  all: readonly Scenario[],
  say: (text: string) => void,
): Promise<BenchRun> {
  const { names, size, seconds, connections, seed, load, profile } = options
  const startedAt = new Date()
  const wanted = (name: string) => names.length === 0 || names.includes(name)
  let facts: Record<string, string | number> = machine()
  let steadyRate = options.rate
  const done: BenchRun['scenarios'][number][] = []
  const { mix } = load
  const arePartsWanted = wanted(parts.name) && load.url === undefined
  let measuredParts: BenchRun['parts'] = null
  // Their mix is the one that the whole was measured with.
  const measureAlone = async (): Promise<void> => {
    say(`\nparts: ${parts.question}`)
    measuredParts = await measureParts({ size, seed, connections, say, ...(mix === undefined ? {} : { mix }) })
  }
  for (const scenario of all.filter(({ name }) => wanted(name))) {
    const { name, question } = scenario
    say(`\n${name}: ${question}`)
    const result = await scenario.run({
      size,
      seconds,
      connections,
      seed,
      profile,
      steadyRate,
      load,
      say,
      surroundings: (more) => {
        // What the machine was busy with is that of the beginning.
        facts = { ...more, ...facts }
      },
    })
    done.push({ name, question, result })
    if (result.outcome === 'broken')
      say(`${name}: no result, these do not hold.\n${describedViolations(result.violations)}`)
    else if (name === 'steady') steadyRate ??= result.figures[0]!.value
    // They are compared with the steady rate, and a shared machine's speed is another one a quarter of an hour later.
    if (name === 'steady' && arePartsWanted) await measureAlone()
  }
  if (arePartsWanted && measuredParts === null) await measureAlone()
  return {
    startedAt: startedAt.toISOString(),
    commit: commit(),
    machine: facts,
    size,
    command: ['npm run bench', ...(argv.length === 0 ? [] : ['--', ...argv])].join(' '),
    scenarios: done,
    parts: measuredParts,
  }
}

export function isBroken(run: BenchRun): boolean {
  return run.scenarios.some(({ result }) => result.outcome === 'broken')
}

function summary(run: BenchRun): string {
  return run.scenarios
    .flatMap(({ name, result }) =>
      result.outcome === 'broken'
        ? [`${name}  no result: ${result.violations.map(({ invariant }) => invariant).join(', ')}`]
        : result.figures.map(
            ({ name: what, value, unit }) => `${name}  ${what}: ${value.toLocaleString('en')} ${unit}`,
          ),
    )
    .join('\n')
}
