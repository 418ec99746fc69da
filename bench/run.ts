/**
 * `npm run bench`: drives a service from outside with signed webhooks, then checks every invariant.
 *
 *   workload  a closed loop of 256 connections for 20 s, after 3 s to warm up; tmall 50 %, jd 25 %, wechat 25 % (a push, and the order pulled
 *             from a stand-in of WeChat's API); 1–5 lines; 94 % plain orders, the rest announced, presale, refunded,
 *             cancelled, changed, delivered twice (bench/traffic/plan.ts)
 *   seed      1 on a service of its own; with --url one that was not used there before
 *   skew      SKUs by Zipf 0.9 over 2,000, so that the hottest is in every ninth line; buyers by where people live
 *
 * Everything runs on this machine: the service, its Postgres (fsync on), its Redis, the generator and the stand-in, each a
 * process of its own. A run with a lost order or an oversold unit has no result: it prints what is broken and exits 1.
 */
import { writeFileSync } from 'node:fs'
import type { Violation } from '../adapters/store/audit.ts'
import { allInvariantNames, auditAll } from '../workers/audit.ts'
import { StockKeeper } from '../workers/stock-keeper.ts'
import { durability, read } from './load/gauge.ts'
import { checkLedger, checkShelves, ledgerInvariants } from './load/ledger.ts'
import { surroundings } from './load/machine.ts'
import { type BenchOptions, parseOptions, UsageError, usage } from './load/options.ts'
import { loadCannon, startStandin } from './load/processes.ts'
import { accepted, costs, printed, type Report, round, routed } from './load/report.ts'
import { settle } from './load/settle.ts'
import { benchNetwork, planOf, type StreamSettings, unusedSeed } from './load/stream.ts'
import { NoTarget, ownTarget, runningTarget, type Target } from './load/target.ts'

export type BenchResult =
  | { readonly outcome: 'measured'; readonly report: Report }
  /** No figure of such a run is worth anything. */
  | { readonly outcome: 'broken'; readonly violations: readonly Violation[] }

export interface BenchHooks {
  readonly say?: (text: string) => void
  /** Between the load and the checks. */
  readonly settled?: (target: Target) => Promise<void>
}

export async function main(): Promise<void> {
  try {
    const options = parseOptions(process.argv.slice(2))
    const result = await runBench(options, { say: (text) => process.stdout.write(`${text}\n`) })
    if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`)
    process.stdout.write(`\n${result.outcome === 'measured' ? printed(result.report) : described(result.violations)}\n`)
    process.exitCode = result.outcome === 'measured' ? 0 : 1
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof NoTarget)) throw error
    process.stderr.write(`${error.message}\n${error instanceof UsageError ? `${usage}\n` : ''}`)
    process.exitCode = 1
  }
}

/** Throws NoTarget when there is nothing to measure. */
export async function runBench(options: BenchOptions, hooks: BenchHooks = {}): Promise<BenchResult> {
  const { say = () => undefined } = hooks
  const stops: (() => Promise<void>)[] = []
  try {
    const startMs = Math.floor(Date.now() / 1000) * 1000 - streamAgeMs
    const settings = {
      seed: options.seed ?? (options.url === null ? 1 : unusedSeed(startMs)),
      startMs,
      mix: options.mix,
    }
    say('▸ starting the stand-in of the WeChat API')
    const standin = await startStandin(settings)
    stops.push(() => standin.stop())
    say(options.url === null ? '▸ starting a service of its own on empty servers' : `▸ driving ${options.url}`)
    const target =
      options.url === null
        ? await ownTarget(standin.url, options.profile)
        : await runningTarget(options.url, standin.url)
    stops.push(() => target.stop())
    return await measure(target, settings, options, standin.pid, hooks, stops)
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

// Order 0 is so old; its story of some seconds lies in the past, and so does the last order's.
const streamAgeMs = 120_000
// Twice the rate that is hoped for; the bodies are 2 KB each.
const preparedPerSecond = 5_000
const preparedMax = 120_000

async function measure(
  target: Target,
  settings: StreamSettings,
  options: BenchOptions,
  standinPid: number,
  { say = () => undefined, settled }: BenchHooks,
  stops: (() => Promise<void>)[],
): Promise<BenchResult> {
  const { connections, seconds, requests, warmUpSeconds } = options
  const wanted = (requests ?? seconds * preparedPerSecond) + warmUpSeconds * preparedPerSecond
  const prepared = Math.min(preparedMax, wanted)
  say(`▸ making ${prepared.toLocaleString('en')} signed requests`)
  const cannon = await loadCannon({ url: target.url, connections, stream: settings, prepared })
  stops.push(() => cannon.stop())
  const acknowledged = new Set<number>()
  if (warmUpSeconds > 0) {
    say(`▸ warming up for ${warmUpSeconds} s`)
    const warmed = await cannon.fire({ seconds: warmUpSeconds, requests: null })
    for (const index of warmed.acknowledged) acknowledged.add(index)
    await settle(target.sql)
  }
  const where = await surroundings(target.sql, target.redisUrl)
  const processes = { generator: cannon.pid, 'wechat stand-in': standinPid }
  const before = await read(target, processes)
  say(`▸ sending ${requests === null ? `for ${seconds} s` : `${requests.toLocaleString('en')} requests`}`)
  const fired = await cannon.fire({ seconds, requests })
  for (const index of fired.acknowledged) acknowledged.add(index)
  say(`▸ ${fired.acknowledged.length.toLocaleString('en')} acknowledged; waiting until all is decided`)
  const undecided = await settle(target.sql)
  const after = await read(target, processes)
  await settled?.(target)

  say('▸ checking the invariants')
  const checkStarted = performance.now()
  const violations = await check(target, settings, acknowledged, undecided)
  if (violations.length > 0) return { outcome: 'broken', violations }
  const measured = { before, after, fired }
  const taken = accepted(measured)
  return {
    outcome: 'measured',
    report: {
      surroundings: where,
      durability: await durability(target.sql, target.redisUrl),
      workload: { ...settings, connections },
      accepted: taken,
      routed: await routed(target.sql, measured),
      ...costs(measured, taken.orders),
      checks: {
        invariants: allInvariantNames.length + ledgerInvariants.length,
        ordersCompared: acknowledged.size,
        seconds: round((performance.now() - checkStarted) / 1000, 1),
      },
    },
  }
}

async function check(
  { sql, redisUrl, opening }: Target,
  settings: StreamSettings,
  acknowledged: ReadonlySet<number>,
  undecided: number,
): Promise<Violation[]> {
  const violations: Violation[] = []
  if (acknowledged.size === 0)
    violations.push({
      invariant: 'something_was_acknowledged',
      count: 1,
      examples: [{ advice: 'is it the demo network?' }],
    })
  if (undecided > 0) violations.push({ invariant: 'everything_is_decided', count: undecided, examples: [] })
  violations.push(...(await checkLedger(sql, planOf(settings, benchNetwork()), acknowledged)))
  if (opening !== null) violations.push(...(await checkShelves(sql, opening)))
  const keeper = new StockKeeper(sql, { redis: redisUrl })
  await keeper.open()
  try {
    violations.push(...(await auditAll(sql, keeper)))
  } finally {
    keeper.close()
  }
  return violations
}

function described(violations: readonly Violation[]): string {
  const lines = violations.map(
    ({ invariant, count, examples }) => `  ${invariant}: ${count}, for example ${JSON.stringify(examples)}`,
  )
  return ['No result: these do not hold.', ...lines].join('\n')
}
