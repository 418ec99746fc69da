/** What `npm run chaos` can be told. */
import { parseArgs } from 'node:util'
import { allFaults } from './faults/all.ts'
import type { Fault } from './faults/fault.ts'
import { scheduleOf } from './schedule.ts'

export interface ChaosOptions {
  readonly points: number
  readonly seed: number
  readonly faults: readonly Fault[]
  /** Worlds at a time. */
  readonly sideBySide: number
  /** This one of the schedule alone, numbered from 1; null: all. */
  readonly world: number | null
  /** No further point is begun after so long; null: all of them, however long that takes. */
  readonly minutes: number | null
  /** A folder for the report; null: none is written. */
  readonly out: string | null
}

export class UsageError extends Error {}

export const usage = `npm run chaos -- [options]
  --points 1000     faults at random moments under load, each followed by a check
  --seed 1          of the faults, their order and their moments, and of what is ordered
  --only name,…     these kinds alone: a name, or the beginning of several
  --side-by-side 3  worlds at a time; what happens in each does not depend on it
  --world N         world N of that seed and those points alone, as a failure names it
  --minutes M       begin no further point after M minutes
  --out [FOLDER]    write chaos-<date>-<commit>.json and .md into it (bench/results when no folder is named)
  --list            the kinds, with their share of a long run`

export function parseOptions(argv: readonly string[]): ChaosOptions | 'help' | 'list' {
  const words = argv.flatMap((word, i) =>
    word === '--out' && isOption(argv[i + 1]) ? ['--out', 'bench/results'] : [word],
  )
  const { values } = parse(words)
  if (values.help) return 'help'
  if (values.list) return 'list'
  return withItsWorld({
    points: whole('points', values.points, 1, 1_000_000),
    seed: whole('seed', values.seed, 0, 2 ** 31 - 1),
    faults: values.only === undefined ? allFaults : chosen(values.only),
    sideBySide: whole('side-by-side', values['side-by-side'], 1, 32),
    world: values.world === undefined ? null : whole('world', values.world, 1, 1_000_000),
    minutes: values.minutes === undefined ? null : whole('minutes', values.minutes, 1, 10_000),
    out: values.out ?? null,
  })
}

function withItsWorld(options: ChaosOptions): ChaosOptions {
  const { world, faults, points, seed } = options
  const count = world === null ? 0 : scheduleOf(faults, points, seed).length
  if (world === null || world <= count) return options
  const told = count === 1 ? 'is 1 world' : `are ${count} worlds`
  throw new UsageError(`--world ${world}: with these points, kinds and this seed there ${told}`)
}

const isOption = (word: string | undefined): boolean => word === undefined || word.startsWith('--')

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        points: { type: 'string', default: '1000' },
        seed: { type: 'string', default: '1' },
        only: { type: 'string' },
        'side-by-side': { type: 'string', default: '3' },
        world: { type: 'string' },
        minutes: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function chosen(names: string): readonly Fault[] {
  const picked = names.split(',').flatMap((name) => {
    const exact = allFaults.filter((fault) => fault.name === name)
    const found = exact.length > 0 ? exact : allFaults.filter((fault) => name !== '' && fault.name.startsWith(name))
    if (found.length === 0) throw new UsageError(`--only: there is no kind ${JSON.stringify(name)}; --list names them`)
    return found
  })
  return [...new Set(picked)]
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new UsageError(`--${name} has to be a whole number from ${min} to ${max}`)
}
