/**
 * A private folder for unix sockets. A socket's path may be 107 bytes long, and a data folder may lie deeper than that:
 * then the sockets lie in the system's temporary folder, and a note in the data folder says where, so that what a crash
 * left there is cleared at the next start.
 */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Account } from './account.ts'

export interface SocketDir {
  readonly path: string
  remove(): void
}

const socketPathBytesMax = 107
const longestName = '/.s.PGSQL.5432.lock'
const prefix = 'paidan-run-'

/** `name` keeps the folders of several servers over one data folder apart. */
export function makeSocketDir(dataDir: string, name: string, account: Account | null): SocketDir {
  const note = join(dataDir, `${name}.elsewhere`)
  removeNoted(note)
  let path = join(dataDir, name)
  rmSync(path, { recursive: true, force: true })
  if (Buffer.byteLength(path + longestName) > socketPathBytesMax) {
    path = mkdtempSync(join(tmpdir(), prefix))
    writeFileSync(note, path)
  } else {
    mkdirSync(path, { mode: 0o700 })
  }
  chmodSync(path, 0o700)
  if (account !== null) chownSync(path, account.uid, account.gid)
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true })
      rmSync(note, { force: true })
    },
  }
}

/** Where the sockets of a server that runs over the data folder are. */
export function findSocketDir(dataDir: string, name: string): string {
  try {
    return readFileSync(join(dataDir, `${name}.elsewhere`), 'utf8')
  } catch {
    return join(dataDir, name)
  }
}

function removeNoted(note: string): void {
  try {
    const path = readFileSync(note, 'utf8')
    // Only what we made ourselves is ever removed outside the data folder.
    if (basename(path).startsWith(prefix)) rmSync(path, { recursive: true, force: true })
  } catch {
    // No note: nothing lies elsewhere.
  }
}
