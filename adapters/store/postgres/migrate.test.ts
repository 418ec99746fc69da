import { afterAll, describe, expect, test } from 'vitest'
import { testDatabase } from '../testing.ts'
import { connect, withDatabase } from './connect.ts'
import { type MigrationFile, migrate, plan } from './migrate.ts'

const file = (name: string, text: string, sha256 = name): MigrationFile => ({ name, text, sha256 })
const one = file('000001_one.sql', 'create table one (n integer); insert into one values (1);')
const two = file('000002_two.sql', 'create table two (n integer); insert into one values (2);')
const three = file('000003_three.sql', 'insert into one values (3);')

const database = await testDatabase()
afterAll(() => database.close())

async function fresh(): Promise<void> {
  await database.sql`drop table if exists one, two, migration`
}

describe('plan', () => {
  const had = (files: readonly MigrationFile[]) => files.map(({ name, sha256 }) => ({ name, sha256 }))
  test.each([
    { name: 'an empty database gets all', applied: [], files: [one, two], left: [one, two] },
    { name: 'a database behind gets the rest', applied: [one], files: [one, two, three], left: [two, three] },
    { name: 'an up-to-date one gets nothing', applied: [one, two], files: [one, two], left: [] },
  ])('$name', ({ applied, files, left }) => {
    expect(plan(had(applied), files)).toEqual(left)
  })
  test.each([
    {
      name: 'a changed file',
      applied: [one, two],
      files: [file(one.name, one.text, 'other'), two],
      code: 'migration_changed',
    },
    { name: 'a renamed file', applied: [two], files: [one, two], code: 'migration_changed' },
    { name: 'a newer database', applied: [one, two], files: [one], code: 'database_newer_than_code' },
  ])('$name is refused', ({ applied, files, code }) => {
    expect(() => plan(had(applied), files)).toThrow(expect.objectContaining({ code }))
  })
})

describe('migrate', () => {
  test('twenty that start at once apply each file once', async () => {
    await fresh()
    const processes = Array.from({ length: 20 }, () => connect(database.url, { max: 1, applicationName: 'test' }))
    try {
      const applied = await Promise.all(processes.map((sql) => migrate(sql, [one, two, three])))
      expect(applied.flat()).toEqual([one.name, two.name, three.name])
      expect(await database.sql`select n from one order by n`).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    } finally {
      await Promise.all(processes.map((sql) => sql.end()))
    }
  })

  test('a file that fails leaves nothing of itself, and what came before it stays', async () => {
    await fresh()
    const broken = file('000002_broken.sql', 'create table two (n integer); insert into nowhere values (1);')
    await expect(migrate(database.sql, [one, broken])).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('000002_broken.sql: relation "nowhere" does not exist'),
    })
    expect(
      await database.sql`select to_regclass('two') as two, (select count(*)::int from migration) as applied`,
    ).toEqual([{ two: null, applied: 1 }])
    expect(await migrate(database.sql, [one, two])).toEqual([two.name])
  })

  test('a refused database is not touched', async () => {
    await fresh()
    await migrate(database.sql, [one])
    const changed = file(one.name, one.text, 'other')
    await expect(migrate(database.sql, [changed, two])).rejects.toMatchObject({ code: 'migration_changed' })
    expect(await database.sql`select name, sha256 from migration`).toEqual([{ name: one.name, sha256: one.sha256 }])
  })

  test('the connection goes back as it came', async () => {
    await fresh()
    const sql = connect(database.url, { max: 1, applicationName: 'test', statementTimeoutMs: 1234 })
    await migrate(sql, [one])
    expect(await sql`show statement_timeout`).toEqual([{ statement_timeout: '1234ms' }])
    expect(
      await sql`select count(*)::int as n from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`,
    ).toEqual([{ n: 0 }])
    await sql.end()
  })
})

test('a database of another encoding is refused, untouched', async () => {
  const name = `${new URL(database.url).pathname.slice(1)}_ascii`
  const { sql } = database
  await sql`create database ${sql(name)} encoding 'SQL_ASCII' locale 'C' template template0`
  const other = connect(withDatabase(database.url, name), { max: 2, applicationName: 'test' })
  try {
    await expect(migrate(other, [one])).rejects.toMatchObject({ code: 'database_not_utf8' })
    expect((await other`select from pg_tables where schemaname = 'public'`).count).toBe(0)
  } finally {
    await other.end()
    await sql`drop database ${sql(name)}`
  }
})
