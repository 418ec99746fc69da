/** For tests: a database of one's own, with the schema and nothing else in it. */
import { randomUUID } from 'node:crypto'
import { sharedServers } from '../shared/testing.ts'
import { connect, parseDatabaseUrl, type Sql, withDatabase } from './postgres/connect.ts'
import { vaultOf } from './secrets/vault.ts'

/** What tests seal with; a service in a process of its own takes it as CREDENTIALS_KEY. */
export const testCredentialsKey = Buffer.alloc(32, 0x5a).toString('base64')
export const testVault = vaultOf(Buffer.from(testCredentialsKey, 'base64'))

export interface TestDatabase {
  readonly url: string
  readonly sql: Sql
  /** Ends `sql` and drops the database, even while others are connected to it. */
  close(): Promise<void>
}

/**
 * A copy of the migrated template, about 30 ms. The shared server runs without fsync: a test that crashes Postgres
 * starts a private one. Use: `const database = await testDatabase()` and `afterAll(() => database.close())`.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const { templateUrl } = sharedServers()
  const template = parseDatabaseUrl(templateUrl).database ?? ''
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await maintain(templateUrl, (sql) => sql`create database ${sql(name)} template ${sql(template)}`)
  const url = withDatabase(templateUrl, name)
  const sql = connect(url, { max: 4, applicationName: 'test' })
  return {
    url,
    sql,
    close: async () => {
      await sql.end({ timeout: 5 })
      await maintain(templateUrl, (maintenance) => maintenance`drop database ${maintenance(name)} with (force)`)
    },
  }
}

/** A transaction in another database of the server that has written and stays open until `end` is called. */
export async function holdTransaction(url: string): Promise<{ readonly end: () => Promise<void> }> {
  const sql = connect(withDatabase(url, 'postgres'), { max: 1, applicationName: 'onlooker' })
  await sql.unsafe('begin; select pg_current_xact_id()')
  return { end: () => sql.end() }
}

async function maintain(url: string, work: (sql: Sql) => Promise<unknown>): Promise<void> {
  const sql = connect(withDatabase(url, 'postgres'), { max: 1, applicationName: 'test set-up' })
  try {
    await work(sql)
  } finally {
    await sql.end()
  }
}
