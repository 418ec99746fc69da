/**
 * `npm run simulate -- [--seeds N] [--from S]` plays worlds and stops at the first whose invariants break; `--seed X --trace`
 * plays one again and shows its steps. `--mutants` tells of each deliberate fault the first seed that notices it. The same seed
 * is the same world, step by step. Everything is in memory.
 */
import { parseArgs } from 'node:util'
import { faults, playMutants, playMutation } from './simulation/hunt.ts'
import type { Place } from './simulation/network.ts'
import { makeCatalog, makeDivisions } from './simulation/network.ts'
import type { Played } from './simulation/play-mutants.ts'
import { type Outcome, simulate } from './simulation/simulate.ts'

const usage = `Usage: npm run simulate -- [options]
  --seeds N   worlds to play (1000)
  --from S    the first one's seed (1)
  --seed X    only this one
  --trace     show every step of it
  --mutants   put every deliberate fault in, and tell the first seed that notices it
  --only T    those whose name holds this text
  --help`

const progressEveryMs = 2_000
/** Of a world that broke, without --trace. */
const lastSteps = 60
/** Of what broke, in a list. */
const breachChars = 100

export async function main(): Promise<void> {
  const options = parse(process.argv.slice(2))
  if (options === null) return
  const place = { catalog: makeCatalog(), divisions: makeDivisions() }
  if (options.mutants) await huntAll(options, place)
  else await playAll(options, place)
}

async function playAll({ from, count, traced }: Options, place: Place): Promise<void> {
  const started = performance.now()
  let told = started
  let steps = 0
  for (let i = 0; i < count; i++) {
    const outcome = await simulate(from + i, place, undefined, traced)
    steps += outcome.steps
    if (outcome.breach !== null) {
      showBreach(traced ? outcome : await simulate(from + i, place, undefined, true), traced)
      process.exitCode = 1
      return
    }
    if (traced) console.log(outcome.trace.join('\n'))
    if (performance.now() - told < progressEveryMs) continue
    told = performance.now()
    console.log(`${i + 1} of ${count} seeds, ${rate(i + 1, started)} seeds/s`)
  }
  console.log(`${count} seeds from ${from}: every invariant held over ${steps} steps, ${rate(count, started)} seeds/s`)
}

/** Exit code 1 when there is a fault, not a rare one, that none notices. */
async function huntAll({ from, count, only }: Options, place: Place): Promise<void> {
  const seeds = Array.from({ length: count }, (_, i) => from + i)
  const wanted = (names: readonly string[]): string[] => names.filter((name) => name.includes(only))
  const inside = wanted([...faults.inside, ...faults.rare])
  for await (const played of playMutants(Object.fromEntries(inside.map((name) => [name, seeds])))) tell(played)
  for (const name of wanted(faults.between)) tell(await playMutation(name, seeds, place))
}

function tell({ name, seed, breach }: Played): void {
  if (seed === null && !faults.rare.includes(name)) process.exitCode = 1
  console.log(
    seed === null ? `NO SEED  ${name}` : `${String(seed).padStart(7)}  ${name}: ${breach!.slice(0, breachChars)}`,
  )
}

function rate(count: number, started: number): string {
  return (count / ((performance.now() - started) / 1000)).toFixed(0)
}

function showBreach({ seed, breach, trace, hash, steps }: Outcome, whole: boolean): void {
  console.log((whole ? trace : trace.slice(-lastSteps)).join('\n'))
  console.log(`\nseed ${seed} breaks after ${steps} steps (log ${hash.toString(16)}): ${breach}`)
  if (!whole) console.log(`All steps: npm run simulate -- --seed ${seed} --trace`)
}

interface Options {
  readonly from: number
  readonly count: number
  readonly traced: boolean
  readonly mutants: boolean
  readonly only: string
}

function parse(args: readonly string[]): Options | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seeds: { type: 'string', default: '1000' },
        from: { type: 'string', default: '1' },
        seed: { type: 'string' },
        trace: { type: 'boolean', default: false },
        mutants: { type: 'boolean', default: false },
        only: { type: 'string', default: '' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(usage)
      return null
    }
    const { trace: traced, mutants, only } = values
    if (only !== '' && !mutants) throw new Error('--only needs --mutants: it chooses among the faults')
    if (traced && mutants) throw new Error('--trace is for worlds without --mutants')
    const all = [...faults.inside, ...faults.rare, ...faults.between]
    if (!all.some((name) => name.includes(only)))
      throw new Error(`--only: no fault has the text ${JSON.stringify(only)}; --mutants alone names all`)
    if (values.seed !== undefined) return { from: whole('seed', values.seed, 0), count: 1, traced, mutants, only }
    const [from, count] = [whole('from', values.from, 0), whole('seeds', values.seeds, 1)]
    return { from, count, traced, mutants, only }
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`)
    process.exitCode = 2
    return null
  }
}

function whole(name: string, text: string, min: number): number {
  const value = Number(text)
  if (/^\d{1,9}$/.test(text) && value >= min) return value
  throw new Error(`--${name} has to be a whole number from ${min} to 999999999`)
}
