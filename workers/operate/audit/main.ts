/** `npm run audit`: every promise that the database and Redis can show, checked, and mended where something else says how. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { projectRoot } from '../../../adapters/shared/root.ts'
import { Stock } from '../../../adapters/stock/stock.ts'
import { type Checked, check, type Violation } from '../../../adapters/store/audit/audit.ts'
import type { AuditAges } from '../../../adapters/store/audit/invariant.ts'
import { countPending } from '../../../adapters/store/inbox/pending.ts'
import { connect, type Sql } from '../../../adapters/store/postgres/connect.ts'
import { plan, readMigrations } from '../../../adapters/store/postgres/migrate.ts'
import { ConfigError, parseConfig } from '../../process/config.ts'
import type { Environment } from '../../process/settings.mjs'
import { StartError } from '../../process/start-checks.mjs'
import { mustAnswer } from '../../process/start-failures.ts'
import { auditCounters, type CountersAudit } from './counters.ts'
import { mend } from './mend.ts'
import { replayDecisions } from './replay.ts'
import { type AuditReport, countersLines, lineOf, replayLines, summaryLines } from './report.ts'
import { NothingToAudit, openTarget } from './target.ts'

const usage = `npm run audit -- [--mend] [--json] [--replay [N]] [--connections N] [--pending-max MINUTES]

  Checks every promise over the database of DATABASE_URL and the counters of REDIS_URL, or over the embedded servers of
  DATA_DIR, also while a service runs on them. Changes nothing without --mend.
  Exit code 0: every promise is kept; 1: one is broken; 2: nothing was audited (command line, settings, servers).

  --mend           puts right what follows from something else, and says what it did and what it cannot
  --replay [N]     decides N orders (1,000) again, version by version, from their stored events, compares, and says which
                   it could not decide again and why
  --json           the whole report as JSON, and nothing else, on standard output
  --pending-max M  an event that has waited M minutes (60) for its decision is told, unless an open exception shows it
  --connections N  queries at the same time (4); each takes a core of the database and some 200 MB of its memory`

/** Apart from 1, which says that a promise is broken. */
const exitCodeNotAudited = 2
/** Others are in the middle of what is younger. */
const graceSeconds = 30
const replayDefault = 1_000
const keyPrefixDefault = 'pd:'

export interface AuditOptions {
  readonly mend: boolean
  readonly json: boolean
  /** null: none. */
  readonly replay: number | null
  readonly connections: number
  readonly pendingMinutesMax: number
}

/** Throws TypeError on what is no option. null: help was asked for. */
export function parseOptions(words: readonly string[]): AuditOptions | null {
  // --replay may stand alone.
  const given = words.flatMap((word, i) =>
    word === '--replay' && !/^\d+$/.test(words[i + 1] ?? '') ? [`--replay=${replayDefault}`] : [word],
  )
  const { values } = parseArgs({
    args: given,
    options: {
      mend: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      replay: { type: 'string' },
      connections: { type: 'string', default: '4' },
      'pending-max': { type: 'string', default: '60' },
    },
  })
  if (values.help) return null
  const number = (name: string, text: string): number => {
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new TypeError(`--${name} must be a whole number from 1`)
    return Number(text)
  }
  return {
    mend: values.mend,
    json: values.json,
    replay: values.replay === undefined ? null : number('replay', values.replay),
    connections: number('connections', values.connections),
    pendingMinutesMax: number('pending-max', values['pending-max']),
  }
}

export async function main(): Promise<void> {
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  const complain = (line: string) => {
    process.stderr.write(`${line}\n`)
    process.exitCode = exitCodeNotAudited
  }
  let options: AuditOptions | null
  try {
    options = parseOptions(process.argv.slice(2))
  } catch (error) {
    return complain(`${(error as Error).message}\n\n${usage}`)
  }
  if (options === null) return say(usage)
  try {
    const report = await runAudit(options, process.env, options.json ? () => undefined : say)
    if (options.json) say(JSON.stringify(report, null, 2))
    if (report.broken.length > 0) process.exitCode = 1
  } catch (error) {
    const { message, code } = error as { message?: string; code?: string }
    const isSentence = [ConfigError, NothingToAudit, StartError].some((known) => error instanceof known)
    if (isSentence) return complain(message!)
    complain(`The audit could not be made: ${message ?? String(error)}${code === undefined ? '' : ` (${code})`}`)
  }
}

/** Throws ConfigError, NothingToAudit, StartError, and as the drivers do. */
export async function runAudit(
  options: AuditOptions,
  environment: Environment,
  say: (line: string) => void,
  keyPrefix: string = keyPrefixDefault,
): Promise<AuditReport> {
  const started = performance.now()
  const config = parseConfig(environment)
  await mustAnswer(config)
  const target = await openTarget(config)
  const { connections, pendingMinutesMax } = options
  const ages = { graceSeconds, pendingSecondsMax: pendingMinutesMax * 60 }
  const sql = connect(target.databaseUrl, {
    ...{ max: connections + 2, applicationName: 'paidan audit', statementTimeoutMs: 0 },
  })
  try {
    await refuseOtherSchema(sql)
    say(`Audit of ${target.where}.`)
    const onChecked = (one: Checked) => say(lineOf(one))
    const all = await check(sql, { connections, ...ages, onChecked })
    const counters = await countersOf(sql, target.redisUrl, keyPrefix)
    for (const line of countersLines(counters)) say(line)
    const replayed = options.replay === null ? null : await replayDecisions(sql, options.replay)
    for (const line of replayLines(replayed)) say(line)
    let broken = brokenOf(all, counters)
    let mended = null
    if (options.mend) {
      const redis = target.redisUrl === null || counters === null ? null : { url: target.redisUrl, keyPrefix }
      mended = await mend(sql, redis === null ? null : { ...redis, found: counters!.found }, broken, ages)
      broken = await brokenStill(sql, target.redisUrl, keyPrefix, broken, ages)
    }
    if (replayed !== null && replayed.different.length > 0) {
      const { different } = replayed
      broken.push({ invariant: 'decisions_replay', count: different.length, examples: different.slice(0, 5) })
    }
    const [size] = await sql<{ orders: number }[]>`select count(*)::int as orders from orders`
    const report: AuditReport = {
      ...{ where: target.where, orders: size!.orders, undecided: await countPending(sql), checked: all, counters },
      ...{ replayed, mended, broken, seconds: (performance.now() - started) / 1000 },
    }
    for (const line of summaryLines(report)) say(line)
    return report
  } finally {
    await sql.end({ timeout: 5 })
    await target.close()
  }
}

function brokenOf(checked: readonly Checked[], counters: CountersAudit | null): Violation[] {
  return [...checked.flatMap(({ violation }) => violation ?? []), ...(counters?.violations ?? [])]
}

/** Looks again at what was broken, and at what a mend of it may touch. */
async function brokenStill(
  sql: Sql,
  redisUrl: string | null,
  keyPrefix: string,
  broken: readonly Violation[],
  ages: Partial<AuditAges>,
): Promise<Violation[]> {
  if (broken.length === 0) return []
  const touched = ['nothing_is_oversold', 'stock_is_what_its_movements_add_up_to', 'no_event_is_decided_and_pending']
  const only = [...broken.map((v) => v.invariant), ...touched]
  return brokenOf(await check(sql, { only, ...ages }), await countersOf(sql, redisUrl, keyPrefix))
}

async function countersOf(sql: Sql, redisUrl: string | null, keyPrefix: string): Promise<CountersAudit | null> {
  if (redisUrl === null) return null
  const stock = new Stock({ redis: redisUrl, keyPrefix })
  try {
    await stock.connect()
    return await auditCounters(sql, stock)
  } finally {
    stock.close()
  }
}

/** The queries are of this code's tables. Throws MigrationError when the database is newer. */
async function refuseOtherSchema(sql: Sql): Promise<void> {
  const [known] = await sql<{ there: boolean }[]>`select to_regclass('migration') is not null as there`
  const applied = known!.there
    ? await sql<{ name: string; sha256: string }[]>`select name, sha256 from migration order by name`
    : []
  if (plan(applied, readMigrations(join(projectRoot(), 'sql'))).length > 0)
    throw new NothingToAudit('The database has not this version’s tables yet: start this version once on it.')
}
