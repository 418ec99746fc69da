/**
 * Brings a database up to sql/: every file that it has not had, in the order of the numbers, each in a transaction of
 * its own. Twenty processes may start at once: an advisory lock lets one work and the others find nothing left to do.
 *
 * A file that has been applied is frozen: changed since, or gone, or unknown to this code (the database is newer), and
 * nothing is touched.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sql } from './connect.ts'

export type MigrationErrorCode =
  | 'migration_changed'
  | 'database_newer_than_code'
  | 'migration_misnamed'
  | 'migration_failed'
  | 'database_not_utf8'

export class MigrationError extends Error {
  readonly code: MigrationErrorCode

  constructor(code: MigrationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface MigrationFile {
  readonly name: string
  readonly sha256: string
  readonly text: string
}

const fileName = /^(\d{6})_[a-z0-9_]+\.sql$/
// The number is ours by decree: no other advisory lock of this project's may use it.
const lockKey = '7305228870231'

/** The migrations of a folder, in order. Throws `migration_misnamed` on a wrong or repeated number. */
export function readMigrations(folder: string): readonly MigrationFile[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  names.forEach((name, index) => {
    const number = fileName.exec(name)?.[1]
    if (number === undefined || Number(number) !== index + 1) {
      const expected = String(index + 1).padStart(6, '0')
      throw new MigrationError(
        'migration_misnamed',
        `${name}: expected ${expected}_<words>.sql; numbers begin at 1, without gaps`,
      )
    }
  })
  return names.map((name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    return { name, text, sha256: createHash('sha256').update(text).digest('hex') }
  })
}

/** Returns the names applied by this call. */
export async function migrate(sql: Sql, files: readonly MigrationFile[]): Promise<readonly string[]> {
  const connection = await sql.reserve()
  try {
    // Waiting for the lock and building an index over millions of rows may both take longer than a request may.
    await connection`select set_config('statement_timeout', '0', false)`
    await refuseOtherEncodings(connection)
    await connection`select pg_advisory_lock(${lockKey}::bigint)`
    try {
      await connection`
        create table if not exists migration (
          name       text primary key,
          sha256     text not null,
          applied_at timestamptz not null default now()
        )`
      const applied = await connection<
        { name: string; sha256: string }[]
      >`select name, sha256 from migration order by name`
      const missing = plan(applied, files)
      for (const file of missing) await apply(connection, file)
      return missing.map((file) => file.name)
    } finally {
      await connection`select pg_advisory_unlock(${lockKey}::bigint)`
    }
  } finally {
    // The connection goes back to others, who rely on the time-out that they were opened with.
    await connection`reset statement_timeout`
    connection.release()
  }
}

/** Names are Chinese, and bytes travel as text that the server takes apart again: another encoding would change them. */
async function refuseOtherEncodings(connection: Sql): Promise<void> {
  const [row] = await connection<{ server_encoding: string }[]>`show server_encoding`
  if (row!.server_encoding === 'UTF8') return
  throw new MigrationError(
    'database_not_utf8',
    `the database is encoded as ${row!.server_encoding}. Make one with: create database … encoding 'UTF8' template template0`,
  )
}

/** What is left to apply. */
export function plan(
  applied: readonly { name: string; sha256: string }[],
  files: readonly MigrationFile[],
): readonly MigrationFile[] {
  applied.forEach((row, index) => {
    const file = files[index]
    if (file === undefined || file.name > row.name) {
      throw new MigrationError(
        'database_newer_than_code',
        `the database has had ${row.name}, which this code does not know. Start a newer Paidan, or use another database.`,
      )
    }
    if (file.name !== row.name || file.sha256 !== row.sha256) {
      throw new MigrationError(
        'migration_changed',
        `${file.name} is not what this database has had (${row.name}). Files in sql/ are frozen: restore it and add a new one.`,
      )
    }
  })
  return files.slice(applied.length)
}

async function apply(connection: Sql, file: MigrationFile): Promise<void> {
  try {
    // One message with several statements is one transaction unless they say otherwise; `begin` makes that certain.
    await connection.unsafe(`begin;\n${file.text}`).simple()
    await connection`insert into migration (name, sha256) values (${file.name}, ${file.sha256})`
    await connection`commit`
  } catch (error) {
    await connection`rollback`
    const said = error instanceof Error ? error.message : String(error)
    throw new MigrationError('migration_failed', `${file.name}: ${said}`, { cause: error })
  }
}
