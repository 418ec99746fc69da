/**
 * The folder that holds everything that Paidan keeps on this machine, and the claim that one process at a time has on it.
 *
 * The claim is a listening socket in the kernel's own name space, not a file: it goes with its process however that ends,
 * so there is no stale lock to judge, and two that start at once cannot both have it.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { makeDataFolder } from '../start-checks.mjs'
import { EmbeddedError } from './errors.ts'

export interface DataDir {
  /** Absolute, without symbolic links. */
  readonly path: string
  release(): Promise<void>
}

const pidFile = 'paidan.pid'

/** Makes the folder when it is missing, or throws StartError. Throws `data_dir_in_use` when another live Paidan has it. */
export async function claimDataDir(wanted: string): Promise<DataDir> {
  makeDataFolder(wanted)
  const path = realpathSync(wanted)
  const claim = await listen(claimOf(path))
  if (claim === null) {
    throw new EmbeddedError(
      'data_dir_in_use',
      `${path} belongs to a Paidan that is running${ownerOf(path)}. Stop it, or give this one a DATA_DIR of its own.`,
    )
  }
  writeFileSync(join(path, pidFile), `${process.pid}\n`)
  return {
    path,
    release: async () => {
      rmSync(join(path, pidFile), { force: true })
      await new Promise<void>((resolve) => claim.close(() => resolve()))
    },
  }
}

/** Whether a live Paidan has it. Asking takes nothing, so it keeps no other from its claim. */
export async function isClaimed(wanted: string): Promise<boolean> {
  if (process.platform !== 'linux' || !existsSync(wanted)) return false
  const socket = connect({ path: `\0${claimOf(realpathSync(wanted))}` })
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      // Whoever has too much to do to answer is there all the same.
      socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED'))
    })
  } finally {
    socket.destroy()
  }
}

/** Of a real path. */
function claimOf(path: string): string {
  return `paidan:${createHash('sha256').update(path).digest('hex')}`
}

function ownerOf(path: string): string {
  try {
    return ` (process ${readFileSync(join(path, pidFile), 'utf8').trim()})`
  } catch {
    return ''
  }
}

function listen(name: string): Promise<Server | null> {
  // The kernel's own name space exists on Linux only; elsewhere Postgres' own lock file keeps the second one out.
  const path = process.platform === 'linux' ? `\0${name}` : 0
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.unref()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    server.listen(typeof path === 'string' ? { path } : { port: path, host: '127.0.0.1' }, () => resolve(server))
  })
}
