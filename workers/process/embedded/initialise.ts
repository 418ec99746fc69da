/** Makes the folder of a Postgres' data, once and whole. */
import { execFile } from 'node:child_process'
import { chownSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Account, launch, serverAccount } from './account.ts'
import { EmbeddedError } from './errors.ts'

export const user = 'paidan'
export const environment = { LC_ALL: 'C', TZ: 'UTC' }

/**
 * A new file of the write-ahead log is filled with zeros and synced while every commit waits: 40 to 80 ms for
 * Postgres' own 16 MB, every second and a half of a sale, and so the slowest of a hundred ACKs. A quarter is through in a
 * quarter of the time. Once a checkpoint has given files back they are used again, and no commit waits.
 */
const walSegmentMb = 4

// A package manager that adds users of its own may write back the list of users as it was before ours came.
const lostAccountTries = 20
const lostAccountWaitMs = 500

/** Gives the account that owns the data: another one than `found` when that user was lost meanwhile. */
export async function initialise(
  initdb: string,
  dataDir: string,
  dataFolder: string,
  found: Account | null,
  durable: boolean,
): Promise<Account | null> {
  let account = found
  for (let tries = 1; ; tries++) {
    try {
      await initialiseAs(initdb, dataDir, dataFolder, account, durable)
      return account
    } catch (error) {
      const isLost = error instanceof EmbeddedError && error.message.includes('could not look up effective user ID')
      if (!isLost || tries === lostAccountTries) throw error
      await delay(lostAccountWaitMs)
      account = await serverAccount(null)
    }
  }
}

/** Made under another name and renamed when complete, so that a crash in between leaves nothing half made. */
async function initialiseAs(
  initdb: string,
  dataDir: string,
  dataFolder: string,
  account: Account | null,
  durable: boolean,
): Promise<void> {
  const unfinished = `${dataFolder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  if (account !== null) chownSync(unfinished, account.uid, account.gid)
  // Only that server's own user (and root) can enter the socket's folder: trusting them gives nothing away.
  const words = ['--username', user, '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--pgdata', unfinished]
  words.push('--wal-segsize', String(walSegmentMb))
  if (!durable) words.push('--no-sync')
  const start = await launch(initdb, words, account, 'TERM', [dataDir])
  try {
    await promisify(execFile)(start.command, start.arguments, {
      ...start.options,
      cwd: '/',
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin', ...environment },
    })
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    const said = error instanceof Error ? error.message : String(error)
    throw new EmbeddedError('server_did_not_start', `Postgres could not make its data folder ${dataFolder}: ${said}`)
  }
  renameSync(unfinished, dataFolder)
}
