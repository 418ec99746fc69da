/**
 * What is measured: a service of the bench's own on empty, durable, embedded servers, or one that runs already. For the
 * checks both need the way into Postgres and Redis; without it there is no result, and this says so.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { projectRoot } from '../../adapters/shared/root.ts'
import { connect, type Sql, socketDatabaseUrl } from '../../adapters/store/postgres/connect.ts'
import { migrate, readMigrations } from '../../adapters/store/postgres/migrate.ts'
import { openVault } from '../../workers/process/credentials-key.ts'
import { loadNetwork } from '../../workers/process/demo-network/load.ts'
import { type DemoNetwork, demoWechatUrl } from '../../workers/process/demo-network/network.ts'
import { claimDataDir } from '../../workers/process/embedded/data-dir.ts'
import { startPostgres } from '../../workers/process/embedded/postgres.ts'
import { startRedis } from '../../workers/process/embedded/redis.ts'
import { startService } from './processes.ts'
import { benchNetwork } from './stream.ts'

export interface Target {
  readonly url: string
  readonly sql: Sql
  readonly redisUrl: string
  /** Absolute. */
  readonly dataDir: string
  /** Roots of the process trees; those of a server elsewhere are unknown. */
  readonly processes: Readonly<Record<string, number>>
  /** What the shelves held before the first order; null when orders were there before. */
  readonly opening: DemoNetwork['stock'] | null
  stop(): Promise<void>
}

export class NoTarget extends Error {}

const applicationName = 'paidan bench'

export interface OwnTargetOptions {
  /** Settings of the service beside the bench's own. */
  readonly environment?: Readonly<Record<string, string>>
  /** Service processes on one port; 1 when absent. */
  readonly processes?: number
  /** Instead of the demo's own. */
  readonly network?: DemoNetwork
  /** In which the data folder is made; that of temporary files when absent. */
  readonly folder?: string
  /** Between the network and the first service process. */
  readonly beforeStart?: (sql: Sql) => Promise<void>
}

export interface OwnServers {
  /** Absolute. */
  readonly dataDir: string
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly sql: Sql
  readonly network: DemoNetwork
  /** Roots of the process trees. */
  readonly processes: Readonly<Record<'postgres' | 'redis', number>>
  stop(): Promise<void>
}

/** Fresh, durable, with the schema and the network and nothing else in them. */
export async function ownServers(
  wechatUrl: string,
  network = benchNetwork(wechatUrl),
  folder = tmpdir(),
): Promise<OwnServers> {
  const undo: (() => unknown)[] = []
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const dataDir = mkdtempSync(join(folder, 'paidan-bench-'))
    undo.push(() => rmSync(dataDir, { recursive: true, force: true }))
    // As at `npm start`: the servers' own user has to pass through.
    const claim = await claimDataDir(join(dataDir, 'data'))
    undo.push(() => claim.release())
    const postgres = await startPostgres({ dataDir: claim.path, durable: true })
    undo.push(() => postgres.stop())
    const redis = await startRedis({ dataDir: claim.path, durable: true })
    undo.push(() => redis.stop())
    const sql = connect(postgres.url, { max: 2, applicationName, statementTimeoutMs: 0 })
    undo.push(() => sql.end({ timeout: 5 }))
    await migrate(sql, readMigrations(join(projectRoot(), 'sql')))
    // The service finds the key where this makes it.
    const { vault } = openVault({ dataDir: claim.path })
    await loadNetwork(sql, vault, network)
    await sql`analyze`
    const processes = { postgres: postgres.pid, redis: redis.pid }
    return { dataDir: claim.path, databaseUrl: postgres.url, redisUrl: redis.url, sql, network, processes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export async function ownTarget(
  wechatUrl: string,
  profile: string | null,
  options: OwnTargetOptions = {},
): Promise<Target> {
  const { environment = {}, processes: count = 1, beforeStart } = options
  const {
    dataDir,
    databaseUrl,
    redisUrl,
    sql,
    network,
    processes: servers,
    stop: stopServers,
  } = await ownServers(wechatUrl, options.network, options.folder)
  const undo = [stopServers]
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    await beforeStart?.(sql)
    const settings = {
      PORT: count > 1 ? String(await freePort()) : '0',
      SHARE_PORT: count > 1 ? 'on' : 'off',
      DATA_DIR: dataDir,
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      ADMIN_TOKEN: randomBytes(24).toString('base64url'),
      DEMO: 'off',
      LOG_LEVEL: 'warn',
      ...environment,
    }
    const service = await startService(settings, profile)
    undo.push(() => service.stop())
    const processes: Record<string, number> = { service: service.pid, ...servers }
    for (let n = 2; n <= count; n++) {
      const another = await startService(settings, profile)
      undo.push(() => another.stop())
      processes[`service ${n}`] = another.pid
    }
    return { url: service.url, sql, redisUrl, dataDir, processes, opening: network.stock, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** uWebSockets.js shares only a port that it was told: one that it found free by itself is its own. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Throws NoTarget with what to do. */
export async function runningTarget(url: string, wechatUrl: string): Promise<Target> {
  const answer = await fetch(`${url}/readyz`).catch(() => null)
  if (answer?.status !== 200) throw new NoTarget(`${url} is not a Paidan that is ready: start one with npm start`)
  const { databaseUrl, redisUrl, dataDir, processes } = findServers()
  const sql = connect(databaseUrl, { max: 2, applicationName, statementTimeoutMs: 0 })
  try {
    const token = adminToken(dataDir)
    const shop = benchNetwork().shops.find(({ channel }) => channel === 'wechat')!
    const pointAt = async (apiBaseUrl: string) => {
      const { credentials, skuMap } = shop
      const put = await fetch(`${url}/v1/shops/wechat/${shop.shop}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ credentials, skuMap, apiBaseUrl }),
      })
      if (!put.ok) throw new NoTarget(`the WeChat shop could not be pointed at the stand-in: ${await put.text()}`)
    }
    await pointAt(wechatUrl)
    const stop = async (): Promise<void> => {
      await pointAt(demoWechatUrl).catch(() => undefined)
      await sql.end({ timeout: 5 })
    }
    return { url, sql, redisUrl, dataDir, processes, opening: null, stop }
  } catch (error) {
    await sql.end({ timeout: 5 })
    throw error
  }
}

function findServers() {
  const { DATABASE_URL, REDIS_URL, DATA_DIR } = process.env
  const dataDir = resolve(projectRoot(), DATA_DIR || '.data')
  const databaseUrl = DATABASE_URL || socketDatabaseUrl(socketDir(dataDir, 'run-postgres'), 'paidan', 'paidan')
  const redisUrl = REDIS_URL || join(socketDir(dataDir, 'run-redis'), 'redis.sock')
  const processes: Record<string, number> = {}
  const note = (name: string, file: string) => {
    const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0
    if (pid > 0) processes[name] = pid
  }
  note('service', join(dataDir, 'paidan.pid'))
  if (!DATABASE_URL) note('postgres', join(dataDir, 'postgres', 'postmaster.pid'))
  if (!REDIS_URL) note('redis', join(dataDir, 'redis.pid'))
  return { databaseUrl, redisUrl, dataDir, processes }
}

/** As workers/process/embedded/socket-dir.ts lays it: in the data folder, or where its note says. */
function socketDir(dataDir: string, name: string): string {
  const note = join(dataDir, `${name}.elsewhere`)
  const path = existsSync(note) ? readFileSync(note, 'utf8') : join(dataDir, name)
  if (existsSync(path)) return path
  throw new NoTarget(
    `The invariants are checked in Postgres and Redis themselves, and ${path} is not there. ` +
      'Set DATA_DIR to the data folder of the running service, or DATABASE_URL and REDIS_URL as it has them.',
  )
}

function adminToken(dataDir: string): string {
  // Two may be given while one is being changed.
  if (process.env.ADMIN_TOKEN) return process.env.ADMIN_TOKEN.split(',')[0]!
  const file = join(dataDir, 'admin-token')
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  throw new NoTarget('Set ADMIN_TOKEN to that of the running service, or DATA_DIR to its data folder.')
}
