/**
 * What shops and carrier accounts sign with: kept sealed (./vault.ts), and read only by the process that verifies
 * webhooks and fetches orders. Two are in force at a time while one is being changed: the current ones, and those
 * before them until an instant. Nothing here puts a secret into an error.
 */
import type { Queryable, Sql } from '../postgres/connect.ts'
import { dropDeadRows, oweDeadRows } from './dead-rows.ts'
import type { Vault } from './vault.ts'

export type Secrets = Readonly<Record<string, string>>

export interface Kept {
  readonly current: Secrets
  readonly previous: Secrets | null
  /** Epoch milliseconds; from then on only the current ones count. 0 when there are no previous ones. */
  readonly previousUntil: number
}

/** `null` credentials: those that were in force until now. */
export interface PreviousSecrets {
  readonly credentials: Secrets | null
  readonly until: number
}

export type Read =
  | { readonly outcome: 'kept'; readonly kept: Kept }
  /** Sealed under a key that this process was not given. */
  | { readonly outcome: 'unknown_key'; readonly keyId: string }
  /** Not what was sealed at this place. */
  | { readonly outcome: 'altered' }

/** The current ones first. */
export function inForce({ current, previous, previousUntil }: Kept, nowMs: number): readonly Secrets[] {
  return previous !== null && nowMs < previousUntil ? [current, previous] : [current]
}

/** A table of settings with secrets, by the two columns of its key. */
const tables = {
  shop: { table: 'shop', group: 'channel', name: 'shop' },
  carrier: { table: 'carrier_account', group: 'carrier', name: 'account' },
} as const
export type SecretKind = keyof typeof tables

interface Row {
  readonly group: string
  readonly name: string
  /** Of a version that did not seal; the next start seals them. */
  readonly credentials: Secrets | null
  readonly sealed: Buffer | null
}

export interface ReadEntry {
  readonly group: string
  readonly name: string
  readonly read: Read
}

export async function readAllSecrets(sql: Queryable, vault: Vault, kind: SecretKind): Promise<readonly ReadEntry[]> {
  const rows = await selectRows(sql, kind)
  return rows.map((row) => ({ group: row.group, name: row.name, read: readRow(vault, kind, row).read }))
}

/** Of some of them; those that are not there are left out. */
export async function readSecretsOf(
  sql: Queryable,
  vault: Vault,
  kind: SecretKind,
  keys: readonly (readonly [group: string, name: string])[],
): Promise<readonly ReadEntry[]> {
  const { table, group, name } = tables[kind]
  const rows = await sql<Row[]>`
    select ${sql(group)} as "group", ${sql(name)} as name, credentials, sealed from ${sql(table)}
    where (${sql(group)}, ${sql(name)}) in (
      select * from unnest(${keys.map((key) => key[0])}::text[], ${keys.map((key) => key[1])}::text[]))`
  return rows.map((row) => ({ group: row.group, name: row.name, read: readRow(vault, kind, row).read }))
}

/** Null when there is no such account or shop. `lock`: for a caller that writes the row in the same transaction. */
export async function readSecrets(
  sql: Queryable,
  vault: Vault,
  kind: SecretKind,
  group: string,
  name: string,
  lock = sql``,
): Promise<Read | null> {
  const [row] = await selectRows(sql, kind, [group, name], lock)
  return row === undefined ? null : readRow(vault, kind, row).read
}

/** The box for a row that the caller is about to write in the same transaction. */
export async function sealedSecrets(
  tx: Queryable,
  vault: Vault,
  kind: SecretKind,
  key: readonly [group: string, name: string],
  current: Secrets,
  given: PreviousSecrets | null,
): Promise<Buffer> {
  const previous = given === null ? null : (given.credentials ?? (await before(tx, vault, kind, key, current)))
  const kept: Kept = { current, previous, previousUntil: previous === null ? 0 : given!.until }
  return seal(vault, kind, key, kept)
}

/** Those in force until now; told the same new ones twice, those before them. */
async function before(
  tx: Queryable,
  vault: Vault,
  kind: SecretKind,
  [group, name]: readonly [string, string],
  current: Secrets,
): Promise<Secrets | null> {
  const [row] = await selectRows(tx, kind, [group, name], tx`for update`)
  const read = row === undefined ? null : readRow(vault, kind, row).read
  if (read?.outcome !== 'kept') return null
  return isSame(read.kept.current, current) ? read.kept.previous : read.kept.current
}

export interface UnreadableEntry {
  readonly outcome: 'unknown_key' | 'altered'
  /** Under which it is sealed, when it is not one of ours. */
  readonly keyId: string | null
  readonly kind: SecretKind
  readonly group: string
  readonly name: string
}

export interface Resealed {
  readonly sealed: number
  readonly unreadable: readonly UnreadableEntry[]
}

/**
 * Seals what is plain, and anew what another key sealed; forgets previous secrets whose time is over. For starts: safe
 * while other processes run and start.
 */
export async function resealAll(sql: Sql, vault: Vault, nowMs: number): Promise<Resealed> {
  const unreadable: UnreadableEntry[] = []
  let sealed = 0
  for (const kind of Object.keys(tables) as SecretKind[]) {
    const { table, group: groupColumn, name: nameColumn } = tables[kind]
    for (const row of await selectRows(sql, kind)) {
      const { group, name } = row
      const { read, outdated } = readRow(vault, kind, row)
      if (read.outcome !== 'kept') {
        const keyId = read.outcome === 'unknown_key' ? read.keyId : null
        unreadable.push({ outcome: read.outcome, keyId, kind, group, name })
        continue
      }
      const isOver = read.kept.previous !== null && read.kept.previousUntil <= nowMs
      if (!outdated && !isOver) continue
      const kept = isOver ? { current: read.kept.current, previous: null, previousUntil: 0 } : read.kept
      if (row.sealed === null) await oweDeadRows(sql, table)
      // Only what was read: another transaction may have put other ones meanwhile.
      const unchanged =
        row.sealed === null ? sql`credentials = ${sql.json(row.credentials!)}` : sql`sealed = ${row.sealed}`
      const done = await sql`
        update ${sql(table)} set sealed = ${seal(vault, kind, [group, name], kept)}, credentials = null
        where ${sql(groupColumn)} = ${group} and ${sql(nameColumn)} = ${name} and ${unchanged}`
      sealed += done.count
    }
  }
  await dropDeadRows(sql)
  return { sealed, unreadable }
}

export class CredentialsKeyError extends Error {
  readonly code = 'credentials_key_unknown'
}

const keySetting = 'credentials_key'

/**
 * All processes on one database seal with one key: the first start's, or one that knows it and takes its place. Throws
 * CredentialsKeyError on a key that nothing here was sealed with; `isLost`: that key is gone, go on with this one.
 */
export async function claimKey(sql: Sql, vault: Vault, isLost: boolean): Promise<void> {
  const known = await sql.begin(async (tx) => {
    await tx`insert into setting (key, value) values (${keySetting}, to_jsonb(${vault.keyId}::text)) on conflict do nothing`
    const [row] = await tx<{ id: string }[]>`
      select value #>> '{}' as id from setting where key = ${keySetting} for update`
    const { id } = row!
    if (!vault.keyIds.includes(id) && !isLost) return id
    if (id !== vault.keyId)
      await tx`update setting set value = to_jsonb(${vault.keyId}::text) where key = ${keySetting}`
    return null
  })
  if (known !== null) throw unknownKey([{ keyId: known }], vault)
}

/** The id of the key that the database is sealed under; null: no process has claimed it yet. */
export async function claimedKey(sql: Queryable): Promise<string | null> {
  const [row] = await sql<{ id: string }[]>`select value #>> '{}' as id from setting where key = ${keySetting}`
  return row?.id ?? null
}

export function unknownKey(
  unreadable: readonly Pick<UnreadableEntry, 'keyId'>[],
  { keyIds }: Pick<Vault, 'keyIds'>,
): CredentialsKeyError {
  const sealedUnder = [...new Set(unreadable.map((u) => u.keyId).filter((id) => id !== null))].join(' and ')
  return new CredentialsKeyError(
    `the credentials in this database are sealed under the key ${sealedUnder}, and this process has ${keyIds.join(' and ') || 'none'}. ` +
      'Start it with that key: in CREDENTIALS_KEY, or as DATA_DIR/credentials-key of the process that sealed them. ' +
      'To change keys, give the new one in CREDENTIALS_KEY and the old one in CREDENTIALS_KEY_PREVIOUS: ' +
      'where none was given, DATA_DIR/credentials-key holds it. ' +
      'If the old key is lost, start once with CREDENTIALS_KEY_LOST=on and put the credentials of every shop and carrier account again.',
  )
}

async function selectRows(
  sql: Queryable,
  kind: SecretKind,
  key?: readonly [group: string, name: string],
  lock = sql``,
): Promise<readonly Row[]> {
  const { table, group, name } = tables[kind]
  const which = key === undefined ? sql`` : sql`where ${sql(group)} = ${key[0]} and ${sql(name)} = ${key[1]}`
  return await sql<Row[]>`
    select ${sql(group)} as "group", ${sql(name)} as name, credentials, sealed from ${sql(table)} ${which} ${lock}`
}

export function seal(vault: Vault, kind: SecretKind, key: readonly [string, string], kept: Kept): Buffer {
  return vault.seal(JSON.stringify(kept), placeOf(kind, key))
}

function placeOf(kind: SecretKind, [group, name]: readonly [string, string]): readonly string[] {
  return [tables[kind].table, group, name]
}

function readRow(vault: Vault, kind: SecretKind, row: Row): { readonly read: Read; readonly outdated: boolean } {
  if (row.sealed === null) {
    const kept = { current: row.credentials ?? {}, previous: null, previousUntil: 0 }
    return { read: { outcome: 'kept', kept }, outdated: true }
  }
  const opened = vault.open(row.sealed, placeOf(kind, [row.group, row.name]))
  if (opened.outcome !== 'opened') return { read: opened, outdated: false }
  return { read: { outcome: 'kept', kept: JSON.parse(opened.plain) as Kept }, outdated: opened.outdated }
}

export function isSame(a: Secrets, b: Secrets): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
