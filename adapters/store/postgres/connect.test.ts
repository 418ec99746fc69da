import { afterAll, describe, expect, test } from 'vitest'
import { testDatabase } from '../testing.ts'
import { connect, parseDatabaseUrl, socketDatabaseUrl, withDatabase } from './connect.ts'

describe('parseDatabaseUrl', () => {
  test.each([
    {
      url: 'postgres://me:pw@db:6432/orders?sslmode=require',
      target: { url: 'postgres://me:pw@db:6432/orders?sslmode=require', database: 'orders' },
    },
    { url: 'postgres://db', target: { url: 'postgres://db' } },
    {
      url: 'postgres:///a?host=/run/pg&user=me',
      target: { url: 'postgres://localhost/', database: 'a', path: '/run/pg/.s.PGSQL.5432', user: 'me' },
    },
    {
      url: 'postgresql:///a%20b?host=/run/p%20g&port=6000',
      target: { url: 'postgres://localhost/', database: 'a b', path: '/run/p g/.s.PGSQL.6000' },
    },
    {
      url: 'postgres://m%40e:p%2Fw@%2Frun%2Fpg/a?sslmode=disable',
      target: {
        url: 'postgres://localhost/?sslmode=disable',
        database: 'a',
        path: '/run/pg/.s.PGSQL.5432',
        user: 'm@e',
        password: 'p/w',
      },
    },
  ])('$url', ({ url, target }) => {
    expect(parseDatabaseUrl(url)).toEqual(target)
  })
  test.each(['', 'orders', 'mysql://db/orders', 'http://db/orders'])('refuses "%s"', (url) => {
    expect(() => parseDatabaseUrl(url)).toThrow(TypeError)
  })
  test('takes apart what socketDatabaseUrl put together', () => {
    const url = socketDatabaseUrl('/a b/c?d&e=%2F', 'u&v', 'd/e f')
    expect(parseDatabaseUrl(url)).toMatchObject({
      path: '/a b/c?d&e=%2F/.s.PGSQL.5432',
      user: 'u&v',
      database: 'd/e f',
    })
    expect(parseDatabaseUrl(withDatabase(url, 'x y'))).toMatchObject({
      path: '/a b/c?d&e=%2F/.s.PGSQL.5432',
      database: 'x y',
    })
  })
})

describe('connect', async () => {
  const database = await testDatabase()
  afterAll(() => database.close())

  test('keeps the last digits of a bigint, names itself and limits statements', async () => {
    const sql = connect(database.url, { max: 1, applicationName: 'a name', statementTimeoutMs: 4321 })
    expect(
      await sql`select 9007199254740993::bigint as big, current_setting('application_name') as name, current_setting('statement_timeout') as limit`,
    ).toEqual([{ big: '9007199254740993', name: 'a name', limit: '4321ms' }])
    await sql.end()
  })

  test('opens nothing by itself, and says who is missing', async () => {
    const sql = connect(socketDatabaseUrl('/nowhere', 'me', 'db'), { max: 1, applicationName: 'test' })
    await expect(sql`select 1`).rejects.toMatchObject({ code: 'ENOENT' })
    await sql.end()
  })

  test('every test database is its own', async () => {
    const other = await testDatabase()
    await other.sql`insert into setting values ('a', '1')`
    expect(await database.sql`select * from setting`).toEqual([])
    await other.close()
  })
})

// The driver rolls a failed transaction back on the connection that it had, and throws where no code can catch it when
// that connection is gone: https://github.com/porsager/postgres/issues/1208
test('a connection that dies in a transaction fails the transaction, not the process', async () => {
  const database = await testDatabase()
  const { sql } = database
  const dying = sql.begin(async (tx) => await tx`select pg_terminate_backend(pg_backend_pid())`)
  await expect(dying).rejects.toThrow()
  await new Promise((resolve) => setImmediate(resolve))
  expect(await sql.begin('isolation level serializable', async (tx) => await tx`select 1 as one`)).toEqual([{ one: 1 }])
  await expect(
    sql.begin(async (tx) => {
      await tx`insert into setting values ('undone', '1')`
      throw new RangeError('ours')
    }),
  ).rejects.toThrow(RangeError)
  expect(await sql`select from setting where key = 'undone'`).toEqual([])
  await database.close()
})
