/**
 * A private redis-server: its own data folder with an append-only file, no TCP port, one unix socket in a folder that
 * only its user may enter.
 */
import { execFile } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { launch, serverAccount } from './account.ts'
import { stopEarlier } from './earlier.ts'
import { EmbeddedError } from './errors.ts'
import { type RunningServer, startServer } from './server.ts'
import { findSocketDir, makeSocketDir } from './socket-dir.ts'

export interface RedisOptions {
  /** Exists already. `redis/` and `redis.log` are made in it. */
  readonly dataDir: string
  /** false: nothing is kept on disk. For tests that do not restart it. */
  readonly durable: boolean
  /** Beside or instead of `settings` below. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface EmbeddedRedis extends RunningServer {
  /** What the client takes: the path of the socket. `?db=3` may be appended. */
  readonly url: string
}

const socketDirName = 'run-redis'
const socketName = 'redis.sock'

const settings: Readonly<Record<string, string>> = {
  port: '0',
  unixsocketperm: '700',
  daemonize: 'no',
  save: '',
  // Without a limit of its own Redis must refuse writes rather than forget keys: a forgotten counter would be a wrong one.
  'maxmemory-policy': 'noeviction',
}
// Counters can be made again from Postgres, so losing the last second at a crash costs a reload and nothing else.
const durableSettings = { appendonly: 'yes', appendfsync: 'everysec' }
const fleetingSettings = { appendonly: 'no' }

/** Throws EmbeddedError. An earlier server over the same data is asked to stop first. */
export async function startRedis(options: RedisOptions): Promise<EmbeddedRedis> {
  await mustBeInstalled()
  const dataDir = realpathSync(options.dataDir)
  const dataFolder = join(dataDir, 'redis')
  const pidFile = join(dataDir, 'redis.pid')
  const account = await serverAccount(existsSync(dataFolder) ? dataFolder : null)
  await stopEarlier('Redis', readPid(pidFile), dataFolder, 'SIGTERM')
  if (!existsSync(dataFolder)) {
    mkdirSync(dataFolder, { mode: 0o700 })
    if (account !== null) chownSync(dataFolder, account.uid, account.gid)
  } else if (account === null && statSync(dataFolder).uid !== process.getuid?.()) {
    const advice = `${dataFolder} belongs to another user. Start as that user or as root, or set DATA_DIR to another folder.`
    throw new EmbeddedError('data_dir_not_ours', advice)
  }

  const sockets = makeSocketDir(dataDir, socketDirName, account)
  const socket = join(sockets.path, socketName)
  const all = {
    ...settings,
    ...(options.durable ? durableSettings : fleetingSettings),
    unixsocket: socket,
    dir: dataFolder,
    ...options.settings,
  }
  const words = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
  try {
    const server = await startServer({
      name: 'Redis',
      launch: await launch('redis-server', words, account, 'TERM', [dataDir]),
      cwd: '/',
      logFile: join(dataDir, 'redis.log'),
      environment: { LC_ALL: 'C', TZ: 'UTC' },
      stopSignal: 'SIGTERM',
      endSignal: 'SIGKILL',
      ready: (pid) => {
        // Written at the first question, before the server can be of use to any caller.
        writeFileSync(pidFile, `${pid}\n`)
        return answersPing(socket)
      },
    })
    return {
      ...server,
      url: socket,
      stop: async () => {
        await server.stop()
        sockets.remove()
      },
    }
  } catch (error) {
    sockets.remove()
    throw error
  }
}

/** The url of the server that another process runs over the data folder. */
export function runningRedisUrl(dataDir: string): string {
  return join(findSocketDir(realpathSync(dataDir), socketDirName), socketName)
}

async function mustBeInstalled(): Promise<void> {
  try {
    await promisify(execFile)('redis-server', ['--version'])
  } catch {
    const advice =
      'redis-server is not installed. Install it (Debian, Ubuntu: apt-get install redis-server), or set REDIS_URL.'
    throw new EmbeddedError('server_missing', advice)
  }
}

function readPid(file: string): number {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10)
  } catch {
    return Number.NaN
  }
}

/** False while no server listens, and while Redis still reads its file (it answers -LOADING then). */
function answersPing(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket)
    connection.setTimeout(1_000, () => connection.destroy())
    connection.once('connect', () => connection.write('PING\r\n'))
    connection.once('data', (bytes) => {
      resolve(bytes.toString('latin1').startsWith('+PONG'))
      connection.destroy()
    })
    connection.once('error', () => resolve(false))
    connection.once('close', () => resolve(false))
  })
}
