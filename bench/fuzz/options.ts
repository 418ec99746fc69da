/** What `npm run fuzz` can be told. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { projectRoot } from '../../adapters/shared/root.ts'

export interface FuzzOptions {
  readonly inputs: number
  readonly seed: number
  /** Names; null: all of them, the running service too. */
  readonly targets: readonly string[] | null
  readonly minutes: number | null
  readonly threads: number
  /** A file that an earlier run kept, to be run again; null: a run. */
  readonly replay: string | null
  /** Where failing inputs are kept. */
  readonly folder: string
}

export class UsageError extends Error {}

/** The running service: requests by shape, and bytes on its sockets. */
export const serviceTargets = ['http', 'sockets'] as const

export function usage(names: readonly string[]): string {
  return `npm run fuzz -- [options]
  --inputs 10000000    how many, shared over the targets; some 20 minutes on two cores
  --minutes N          end after so long, whatever is left
  --seed N             the same seed makes the same inputs; by the clock when it is not given
  --target NAME        only this one; may be given several times:
                       ${names
                         .join(', ')
                         .replace(/(.{1,90})(?:, |$)/g, '$1,\n                       ')
                         .trim()
                         .replace(/,$/, '')}
  --threads 2          that feed the parsers; the running service is fed beside them
  --replay FILE        run one kept input again
  --folder DIR         where failing inputs are kept, as small as they get (default .data/fuzz)
Exit 1 when an input broke something.`
}

/** Throws UsageError. */
export function parseOptions(argv: readonly string[], names: readonly string[], nowMs: number): FuzzOptions | 'help' {
  const values = parse(argv)
  if (values.help === true) return 'help'
  for (const name of values.target ?? []) {
    if (!names.includes(name)) throw new UsageError(`--target ${name}: there is none of that name`)
  }
  return {
    inputs: whole('inputs', values.inputs, 1, 1e12),
    seed: values.seed === undefined ? Math.floor(nowMs / 1000) % 2 ** 31 : whole('seed', values.seed, 0, 2 ** 31 - 1),
    targets: values.target ?? null,
    minutes: values.minutes === undefined ? null : whole('minutes', values.minutes, 1, 100_000),
    threads: whole('threads', values.threads, 1, 64),
    replay: values.replay ?? null,
    folder: values.folder ?? join(projectRoot(), '.data', 'fuzz'),
  }
}

function parse(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        inputs: { type: 'string', default: '10000000' },
        minutes: { type: 'string' },
        seed: { type: 'string' },
        target: { type: 'string', multiple: true },
        threads: { type: 'string', default: '2' },
        replay: { type: 'string' },
        folder: { type: 'string' },
        help: { type: 'boolean' },
      },
    })
    return values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new UsageError(`--${name} has to be a whole number from ${min} to ${max}`)
}
