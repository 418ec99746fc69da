/** What `npm run bench` can be told. */
import { parseArgs } from 'node:util'
import type { ChannelName } from '../../router/types.ts'
import { parseMix } from '../traffic/plan.ts'

export interface BenchOptions {
  /** null: a service of the bench's own, on empty servers of its own. */
  readonly url: string | null
  readonly seconds: number
  /** Stops after so many requests, however long that takes; null: after `seconds`. */
  readonly requests: number | null
  /** Sent before the clock starts, so that the figures are not those of code that is still being compiled. */
  readonly warmUpSeconds: number
  readonly connections: number
  /** In proportion. */
  readonly mix: Readonly<Record<ChannelName, number>>
  readonly seed: number | null
  /** Where the whole report goes as JSON. */
  readonly json: string | null
  /** A folder for the service's CPU profiles, one a thread. */
  readonly profile: string | null
}

export class UsageError extends Error {}

export const usage = `npm run bench -- [options]
  --url http://…       drive a running service that has the demo network; its databases are found by DATABASE_URL and
                       REDIS_URL, else by DATA_DIR (default .data). Without it the bench starts a service of its own.
  --seconds 20         how long orders are sent
  --requests N         stop after N requests instead
  --warm-up 3          seconds of the same before the clock starts; checked like the rest
  --connections 256    each has one request under way: a closed loop
  --mix tmall=50,jd=25,wechat=25
  --seed N             of the orders: the same seed sends the same orders
  --json FILE          the whole report
  --profile FOLDER     CPU profiles of the service's threads (not with --url); slows it by some percent`

export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values } = parse(argv)
  return {
    url: values.url === undefined ? null : httpUrl(values.url),
    seconds: whole('seconds', values.seconds, 1, 3600),
    requests: values.requests === undefined ? null : whole('requests', values.requests, 1, 10_000_000),
    warmUpSeconds: whole('warm-up', values['warm-up'], 0, 600),
    connections: whole('connections', values.connections, 1, 4096),
    mix: mixOf(values.mix),
    seed: values.seed === undefined ? null : whole('seed', values.seed, 0, 2 ** 31 - 1),
    json: values.json ?? null,
    profile: values.profile ?? null,
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        url: { type: 'string' },
        seconds: { type: 'string', default: '20' },
        requests: { type: 'string' },
        'warm-up': { type: 'string', default: '3' },
        connections: { type: 'string', default: '256' },
        mix: { type: 'string', default: 'tmall=50,jd=25,wechat=25' },
        seed: { type: 'string' },
        json: { type: 'string' },
        profile: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
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
