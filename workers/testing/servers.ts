/** For tests that kill, flush, pause or restart a server: one of their own, in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from '../../adapters/shared/root.ts'
import { connect } from '../../adapters/store/postgres/connect.ts'
import { migrate, readMigrations } from '../../adapters/store/postgres/migrate.ts'
import { type EmbeddedPostgres, startPostgres } from '../process/embedded/postgres.ts'
import { type EmbeddedRedis, startRedis } from '../process/embedded/redis.ts'

/** `stop` also removes the folder. */
export interface PrivateServer {
  readonly url: string
  readonly pid: number
  /** Kills it without a word (SIGKILL) and waits until it is gone. */
  crash(): Promise<void>
  /** Over the same data, after a crash or a running one: the same url, a new pid. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface PrivateOptions {
  readonly settings?: Readonly<Record<string, string>>
  /** true unless said otherwise: what such a test kills has to be there again afterwards. */
  readonly durable?: boolean
  /** Where its folder is made, for one that shall lie on a disk of its own; the system's folder for such things otherwise. */
  readonly parent?: string
}

/** Migrated and empty. */
export async function startPrivatePostgres(options: PrivateOptions = {}): Promise<PrivateServer> {
  // The defaults are for a machine's one Postgres; tests run several side by side.
  const settings = { shared_buffers: '32MB', ...options.settings }
  const server = await keep<EmbeddedPostgres>(
    (dataDir) => startPostgres({ dataDir, durable: options.durable ?? true, settings }),
    options.parent,
  )
  const sql = connect(server.url, { max: 1, applicationName: 'test set-up' })
  await migrate(sql, readMigrations(join(projectRoot(), 'sql')))
  await sql.end()
  return server
}

export function startPrivateRedis(options: PrivateOptions = {}): Promise<PrivateServer> {
  const { settings = {} } = options
  return keep<EmbeddedRedis>(
    (dataDir) => startRedis({ dataDir, durable: options.durable ?? true, settings }),
    options.parent,
  )
}

async function keep<Server extends EmbeddedPostgres | EmbeddedRedis>(
  start: (dataDir: string) => Promise<Server>,
  parent: string = tmpdir(),
): Promise<PrivateServer> {
  const dataDir = mkdtempSync(join(parent, 'paidan-test-'))
  const remove = (): void => rmSync(dataDir, { recursive: true, force: true })
  let server = await start(dataDir).catch((error: unknown) => {
    remove()
    throw error
  })
  const crash = async (): Promise<void> => {
    process.kill(server.pid, 'SIGKILL')
    await server.exited
  }
  return {
    get url() {
      return server.url
    },
    get pid() {
      return server.pid
    },
    crash,
    restart: async () => {
      server = await start(dataDir)
    },
    stop: async () => {
      await server.stop()
      remove()
    },
  }
}
