/** A database as an earlier version left it, to be brought up to this one. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { projectRoot } from '../../shared/root.ts'
import { sharedServers } from '../../shared/testing.ts'
import { connect, type Sql, withDatabase } from '../postgres/connect.ts'
import { migrate, readMigrations } from '../postgres/migrate.ts'

/** `files`: how many migrations that version had. `work` fills the tables, upgrades, and looks; then the database goes. */
export async function inOldDatabase(
  files: number,
  work: (sql: Sql, upgrade: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const { templateUrl } = sharedServers()
  const server = connect(withDatabase(templateUrl, 'postgres'), { max: 1, applicationName: 'test' })
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await server`create database ${server(name)} encoding 'UTF8' template template0`
  const sql = connect(withDatabase(templateUrl, name), { max: 1, applicationName: 'test' })
  try {
    const all = readMigrations(join(projectRoot(), 'sql'))
    await migrate(sql, all.slice(0, files))
    await work(sql, () => migrate(sql, all))
  } finally {
    await sql.end()
    await server`drop database ${server(name)} with (force)`
    await server.end()
  }
}
