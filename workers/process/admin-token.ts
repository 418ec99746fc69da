/**
 * The operator's token where a person on this machine finds it: `DATA_DIR/admin-token`, for their own eyes only.
 * `npm run demo` and `npm run bench` read it there, as they know no database.
 */
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDataFolder } from './start-checks.mjs'

export function adminTokenFile(dataDir: string): string {
  return join(dataDir, 'admin-token')
}

/** null: the operator chose a token of their own and keeps it themselves; an older file would only mislead. */
export function keepAdminToken(dataDir: string, token: string | null): void {
  const file = adminTokenFile(dataDir)
  if (token === null) {
    rmSync(file, { force: true })
    return
  }
  makeDataFolder(dataDir)
  // Written beside and renamed: no reader sees half of it, and an older file's rights do not stay.
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, `${token}\n`, { mode: 0o600 })
  chmodSync(fresh, 0o600)
  renameSync(fresh, file)
}

/** What was kept by the service that was started last on this folder; null when there is none, or it is not ours to read. */
export function readAdminToken(dataDir: string): string | null {
  try {
    const token = readFileSync(adminTokenFile(dataDir), 'utf8').trim()
    return token === '' ? null : token
  } catch {
    return null
  }
}
