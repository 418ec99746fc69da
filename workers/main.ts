/** `npm start`: servers, schema, demo network, service; says in a few lines what is running; drains on a signal. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { loadDivisions } from '../adapters/divisions/load.ts'
import { errorFields } from '../adapters/shared/error-fields.ts'
import { projectRoot } from '../adapters/shared/root.ts'
import { connect, type Sql } from '../adapters/store/postgres/connect.ts'
import { migrate, readMigrations } from '../adapters/store/postgres/migrate.ts'
import { adminTokenOrKeep, type KeptAdminToken } from '../adapters/store/secrets/admin-token.ts'
import { claimedKey, claimKey, resealAll, unknownKey } from '../adapters/store/secrets/credentials.ts'
import type { Vault } from '../adapters/store/secrets/vault.ts'
import { adminTokenFile, keepAdminToken } from './process/admin-token.ts'
import { type Config, ConfigError, parseConfig } from './process/config.ts'
import { credentialsKeyFile, openVault } from './process/credentials-key.ts'
import { demoSeed, isEmpty, loadNetwork } from './process/demo-network/load.ts'
import { demoNetwork } from './process/demo-network/network.ts'
import { claimDataDir, isClaimed } from './process/embedded/data-dir.ts'
import { startPostgres } from './process/embedded/postgres.ts'
import { startRedis } from './process/embedded/redis.ts'
import type { RunningServer } from './process/embedded/server.ts'
import { createLog, logRead, writeLastLine } from './process/log.ts'
import { StartError, startProblems } from './process/start-checks.mjs'
import { mustAnswer } from './process/start-failures.ts'
import { type RunningService, startService } from './service.ts'

export async function main(): Promise<void> {
  let config: Config
  try {
    config = parseConfig(process.env)
    const problems = await startProblems(process.env, projectRoot())
    if (problems.length > 0) throw new ConfigError(problems)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
    return
  }
  try {
    await run(config)
  } catch (error) {
    const { code } = error as { code?: string }
    // Asked before and free, so another process took it since, or holds it without sharing it.
    const remedy = code === 'cannot_listen' && !(error instanceof StartError) ? '. Set PORT or HOST to another one' : ''
    const message = `${(error as { message?: string }).message ?? String(error)}${remedy}`
    // A StartError is a whole sentence for a person; of anything else the code helps to find it.
    const suffix = code === undefined || error instanceof StartError ? '' : ` (${code})`
    process.stderr.write(`Paidan did not start: ${message}${suffix}\n`)
    await logRead()
    process.exit(1)
  }
}

async function run(config: Config): Promise<void> {
  const started = Date.now()
  const log = createLog(config.logLevel)
  process.on('uncaughtException', endByBug)
  const stopSteps: (() => Promise<unknown>)[] = []
  const undo = async () => {
    for (const step of stopSteps.reverse()) await step()
  }
  // A signal during the start is kept until there is something to stop.
  let signalled: (signal: string) => void = () => undefined
  const signal = new Promise<string>((resolve) => {
    signalled = resolve
  })
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => signalled(name))
  try {
    await mustAnswer(config, (text) => log.warn(text))
    const { databaseUrl, redisUrl, servers } = await startServers(config, stopSteps)
    const { vault, keyMade, kept, demoLoaded } = await prepare(config, databaseUrl)
    // The file of a folder that another process claimed is that one's: it may be over another database.
    const ownsFolder = servers.length > 0 || !(await isClaimed(config.dataDir))
    if (ownsFolder) keepAdminToken(config.dataDir, config.adminToken === null ? kept.token : null)
    const adminToken = config.adminToken ?? kept.token
    const service = await startService({ config, databaseUrl, redisUrl, vault, adminToken, log })
    stopSteps.push(() => service.stop())
    greet(config, service, { kept, ownsFolder, keyMade, demoLoaded, seconds: (Date.now() - started) / 1000 })
    const died = Promise.race(
      servers.map(async ({ name, server }) => {
        await server.exited
        return `the embedded ${name} ended by itself; see ${join(config.dataDir, `${name.toLowerCase()}.log`)}`
      }),
    )
    const why = await (servers.length === 0 ? signal : Promise.race([signal, died]))
    process.stdout.write(`\n${why}: draining.\n`)
    process.on('SIGINT', () => process.exit(130))
    await undo()
    process.stdout.write('Stopped. What was acknowledged and not decided goes on at the next start.\n')
    await logRead()
    process.exit(why.startsWith('SIG') ? 0 : 1)
  } catch (error) {
    await undo().catch(() => undefined)
    throw error
  }
}

/** As Node would end it, but without printing what the error quotes: that may be a buyer's. */
function endByBug(error: unknown): void {
  writeLastLine(`${JSON.stringify({ level: 60, error: errorFields(error), msg: 'a bug ends the process' })}\n`)
  process.exit(1)
}

async function startServers(config: Config, stopSteps: (() => Promise<unknown>)[]) {
  let { databaseUrl, redisUrl } = config
  const servers: { readonly name: 'Postgres' | 'Redis'; readonly server: RunningServer }[] = []
  if (databaseUrl === null || redisUrl === null) {
    const dataDir = await claimDataDir(config.dataDir)
    stopSteps.push(() => dataDir.release())
    if (databaseUrl === null) {
      const server = await startPostgres({ dataDir: dataDir.path, durable: true })
      stopSteps.push(() => server.stop())
      servers.push({ name: 'Postgres', server })
      databaseUrl = server.url
    }
    if (redisUrl === null) {
      const server = await startRedis({ dataDir: dataDir.path, durable: true })
      stopSteps.push(() => server.stop())
      servers.push({ name: 'Redis', server })
      redisUrl = server.url
    }
  }
  return { databaseUrl, redisUrl, servers }
}

/** Schema, the operator's token, and a demo network where there is nothing at all. */
async function prepare(config: Config, databaseUrl: string) {
  const sql = connect(databaseUrl, { max: 2, applicationName: 'paidan start', statementTimeoutMs: 0 })
  try {
    await migrate(sql, readMigrations(join(projectRoot(), 'sql')))
    const { vault, made: keyMade } = openVault(config, await claimedKey(sql))
    await prepareCredentials(sql, vault, config.credentialsKeyLost)
    // Also where the operator chose another: what is kept has to follow when keys change.
    const fresh = randomBytes(24).toString('base64url')
    const kept = await adminTokenOrKeep(sql, vault, fresh, { isLost: config.credentialsKeyLost })
    let demoLoaded = false
    if (config.demo === 'auto' && (await isEmpty(sql))) {
      await loadNetwork(sql, vault, demoNetwork(loadDivisions(), demoSeed))
      demoLoaded = true
    }
    return { vault, keyMade, kept, demoLoaded }
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** One key for all processes of a database, and nothing in it that is plain or sealed under another one. */
async function prepareCredentials(sql: Sql, vault: Vault, isLost: boolean): Promise<void> {
  await claimKey(sql, vault, isLost)
  const { unreadable } = await resealAll(sql, vault, Date.now())
  // What was altered concerns one shop, which then refuses; a missing key concerns all.
  if (!isLost && unreadable.some((u) => u.outcome === 'unknown_key')) throw unknownKey(unreadable, vault)
}

interface Greeting {
  readonly kept: KeptAdminToken
  /** false: another process has the data folder, so the token is in no file. */
  readonly ownsFolder: boolean
  readonly keyMade: boolean
  readonly demoLoaded: boolean
  readonly seconds: number
}

function greet(config: Config, service: RunningService, greeting: Greeting): void {
  const { kept, ownsFolder, keyMade, demoLoaded, seconds } = greeting
  const base = `http://${config.host}:${service.port}`
  const own = config.databaseUrl === null || config.redisUrl === null
  const lines = [
    `Paidan (派单) listens on ${base}, ready after ${seconds.toFixed(1)} s.`,
    `  Postgres  ${config.databaseUrl === null ? `embedded, ${join(config.dataDir, 'postgres')}` : 'DATABASE_URL'}`,
    `  Redis     ${config.redisUrl === null ? `embedded, ${join(config.dataDir, 'redis')}` : 'REDIS_URL'}`,
    `  Threads   ${config.threads} that decide, ${service.catalog.current.nodes.length} nodes in the network`,
    ...(demoLoaded ? ['  The database was empty: a demo network was loaded (DEMO=off starts without).'] : []),
    ...(config.adminToken === null
      ? [
          `  Admin     Authorization: Bearer ${kept.token}`,
          ownsFolder
            ? `            kept in ${adminTokenFile(config.dataDir)}; set ADMIN_TOKEN to choose your own`
            : `            not kept in a file: ${config.dataDir} belongs to another Paidan that is running`,
          ...(kept.outcome === 'made_anew'
            ? ['            The one before could not be opened any more, so this one was made in its place.']
            : []),
        ]
      : ['  Admin     the token of ADMIN_TOKEN']),
    ...(keyMade
      ? [
          `  Key       made: ${credentialsKeyFile(config.dataDir)} opens the credentials in the database.`,
          '            Keep a copy of it, and not beside the copies of the database.',
        ]
      : []),
    'Try next, in a second terminal:',
    '  npm run demo                     a day of three platforms, from webhook to closed order',
    '  npm run bench                    load, then every invariant checked',
    `  curl ${base}/openapi.json        the HTTP API`,
    `Ctrl-C drains and stops${own ? ', the embedded servers too' : ''}.`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
