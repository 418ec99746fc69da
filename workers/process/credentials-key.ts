/**
 * The key under which credentials are sealed: from the environment, or made at the first start and kept in
 * `DATA_DIR/credentials-key`, for the service's own eyes only. It is never printed.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { CredentialsKeyError, unknownKey } from '../../adapters/store/secrets/credentials.ts'
import { keyBytes, type Vault, vaultOf } from '../../adapters/store/secrets/vault.ts'
import type { Config } from './config.ts'
import { makeDataFolder } from './start-checks.mjs'

export function credentialsKeyFile(dataDir: string): string {
  return join(dataDir, 'credentials-key')
}

export interface OpenedVault {
  readonly vault: Vault
  /** The file was written by this call. */
  readonly made: boolean
}

/**
 * `known`: the id of the key that the database is sealed under, null when there is none. Throws CredentialsKeyError on a
 * file that holds no key, unless the key is given; and instead of making a key that could open nothing of the database.
 */
export function openVault(
  {
    dataDir,
    credentialsKey = null,
    credentialsKeyPrevious = null,
    credentialsKeyLost = false,
  }: Pick<Config, 'dataDir'> & Partial<Config>,
  known: string | null = null,
): OpenedVault {
  const others = credentialsKeyPrevious === null ? [] : [credentialsKeyPrevious]
  // Only what is given counts: with the file's key beside it, a wrong one would be adopted, and missed at the next start.
  if (credentialsKey !== null) return { vault: vaultOf(credentialsKey, others), made: false }
  const file = credentialsKeyFile(dataDir)
  const kept = readKey(file)
  if (kept !== null) return { vault: vaultOf(kept, others), made: false }
  const keyIds = others.map((other) => vaultOf(other).keyId)
  if (known !== null && !keyIds.includes(known) && !credentialsKeyLost) throw unknownKey([{ keyId: known }], { keyIds })
  const { key, made } = makeKey(dataDir, file)
  return { vault: vaultOf(key, others), made }
}

function makeKey(dataDir: string, file: string): { key: Buffer; made: boolean } {
  makeDataFolder(dataDir)
  const key = randomBytes(keyBytes)
  const fresh = `${file}.${process.pid}`
  writeDurably(fresh, `${key.toString('base64')}\n`)
  try {
    // A link never replaces: of several that start at once one key is kept, and all use that one.
    linkSync(fresh, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return { key: readKey(file)!, made: false }
  } finally {
    rmSync(fresh, { force: true })
  }
  syncFolder(dataDir)
  return { key, made: true }
}

/** Null when there is no file. */
function readKey(file: string): Buffer | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  // An operator may have copied it back with rights that are too wide; a read-only folder stays as it is.
  if ((statSync(file).mode & 0o077) !== 0) attempt(() => chmodSync(file, 0o600))
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length === keyBytes) return key
  throw new CredentialsKeyError(
    `${file} does not hold a key (32 bytes in base64). Put it back from your copy, or give the key in CREDENTIALS_KEY.`,
  )
}

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // Not ours to change.
  }
}

/** Rows are sealed under it from now on: it must outlive a power cut that they outlive. */
function writeDurably(file: string, text: string): void {
  rmSync(file, { force: true })
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
