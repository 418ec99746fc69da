/** What `npm run bench` can be told. */
import { parseArgs } from 'node:util'
import type { ChannelName } from '../../router/types.ts'
import type { LoadOverrides, Size } from '../measured/scenario.ts'
import { parseMix } from '../traffic/plan.ts'

export interface BenchOptions {
  /** Empty: all. */
  readonly names: readonly string[]
  readonly size: Size
  /** null: what fits the size. */
  readonly seconds: number | null
  readonly connections: number
  readonly seed: number
  readonly load: LoadOverrides
  /** Orders a second that latency and burst go by, instead of what `steady` finds out; null: not told. */
  readonly rate: number | null
  /** A folder for the report; null: bench/results/<date>-<commit>. */
  readonly out: string | null
  /** Where the whole run goes as JSON as well. */
  readonly json: string | null
  /** A folder for the service's CPU profiles, one a thread. */
  readonly profile: string | null
  readonly help: boolean
}

export class UsageError extends Error {}

/** `all`: names and questions of what can be run. */
export function usageOf(all: readonly { readonly name: string; readonly question: string }[]): string {
  const width = Math.max(...all.map(({ name }) => name.length))
  return `npm run bench -- [scenario …] [options]
  without a name every scenario is run:
${all.map(({ name, question }) => `    ${name.padEnd(width)}  ${question}`).join('\n')}

  --size standard      smallest (seconds), standard (all of it in about a quarter of an hour), full (that of a release)
  --out FOLDER         where the report goes: report.md, report.json, plots; default bench/results/<date>-<commit>
  --json FILE          the whole run as JSON, there as well
  --seconds N          how long orders are sent, in the scenarios that have a time
  --connections 256    each has one request under way; in an open loop the most that are opened (burst has its own)
  --seed 1             of the orders: the same seed sends the same orders
  --rate N             orders a second that latency and burst go by; default what steady sustained in the same run
  --profile FOLDER     CPU profiles of the service's threads; slows it by some percent
  for steady alone:
  --mix tmall=50,jd=25,wechat=25
  --requests N         stop after N requests instead of a time
  --warm-up 8          seconds of the same before the clock starts; checked like the rest
  --url http://…       drive a running service that has the demo network; its databases are found by DATABASE_URL and
                       REDIS_URL, else by DATA_DIR (default .data), and its orders are of a seed of their own`
}

/** Scenarios that understand --url, --requests and --warm-up. */
const alone = 'steady'

export function parseOptions(argv: readonly string[], known: readonly string[]): BenchOptions {
  const { values, positionals } = parse(argv)
  for (const name of positionals)
    if (!known.includes(name)) throw new UsageError(`there is no scenario ${name}: ${known.join(', ')}`)
  const load: LoadOverrides = {
    ...(values.url === undefined ? {} : { url: httpUrl(values.url) }),
    ...(values.mix === undefined ? {} : { mix: mixOf(values.mix) }),
    ...(values.requests === undefined ? {} : { requests: whole('requests', values.requests, 1, 10_000_000) }),
    ...(values['warm-up'] === undefined ? {} : { warmUpSeconds: whole('warm-up', values['warm-up'], 0, 600) }),
  }
  const onlyAlone = Object.keys(load).length > 0
  if (onlyAlone && positionals.some((name) => name !== alone))
    throw new UsageError(`--url, --mix, --requests and --warm-up are for ${alone} alone`)
  return {
    names: onlyAlone ? [alone] : [...new Set(positionals)],
    size: sizeOf(values.size),
    seconds: values.seconds === undefined ? null : whole('seconds', values.seconds, 1, 3600),
    connections: whole('connections', values.connections, 1, 4096),
    seed: whole('seed', values.seed, 0, 2 ** 31 - 1),
    load,
    rate: values.rate === undefined ? null : whole('rate', values.rate, 1, 1_000_000),
    out: values.out ?? null,
    json: values.json ?? null,
    profile: values.profile ?? null,
    help: values.help,
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        size: { type: 'string', default: 'standard' },
        url: { type: 'string' },
        seconds: { type: 'string' },
        requests: { type: 'string' },
        'warm-up': { type: 'string' },
        connections: { type: 'string', default: '256' },
        mix: { type: 'string' },
        seed: { type: 'string', default: '1' },
        rate: { type: 'string' },
        out: { type: 'string' },
        json: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function sizeOf(text: string): Size {
  if (text === 'smallest' || text === 'standard' || text === 'full') return text
  throw new UsageError('--size is smallest, standard or full')
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new UsageError(`--${name} has to be a whole number from ${min} to ${max}`)
}

function httpUrl(text: string): string {
  if (/^http:\/\//.test(text) && URL.canParse(text)) return new URL(text).origin
  throw new UsageError('--url has to look like http://127.0.0.1:8080')
}

function mixOf(text: string): Record<ChannelName, number> {
  try {
    return parseMix(text)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
