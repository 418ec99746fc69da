/** An answer begins with its first row, whatever became of the statement before it. */
import { afterAll, expect, test } from 'vitest'
import { testDatabase } from '../testing.ts'
import { connect, type Queryable } from './connect.ts'

const database = await testDatabase()
afterAll(() => database.close())

/** Its first row has gone out when the second one fails. */
const failsAfterARow = (sql: Queryable) => sql`select 1 / (2 - n) as quotient from generate_series(1, 3) as n`

test.each<[string, (sql: Queryable) => PromiseLike<unknown>, unknown]>([
  ['one row', (sql) => sql`select 'x' as x`, [{ x: 'x' }]],
  ['several rows', (sql) => sql`select n from generate_series(1, 3) as n`, [{ n: 1 }, { n: 2 }, { n: 3 }]],
  ['no row', (sql) => sql`select 1 where false`, []],
  ['unsafe text', (sql) => sql.unsafe(`select 'x' as x`), [{ x: 'x' }]],
  ['several statements', (sql) => sql.unsafe(`select 1 as a; select 2 as b`).simple(), [[{ a: 1 }], [{ b: 2 }]]],
])('after a statement that failed between two rows: %s', async (_what, ask, answer) => {
  const sql = connect(database.url, { max: 1, applicationName: 'test' })
  await expect(failsAfterARow(sql)).rejects.toMatchObject({ code: '22012' })
  expect(await ask(sql)).toEqual(answer)
  await sql.end()
})

test('in a transaction that goes on behind a savepoint, and on a reserved connection', async () => {
  const sql = connect(database.url, { max: 1, applicationName: 'test' })
  await expect(failsAfterARow(sql)).rejects.toMatchObject({ code: '22012' })
  const [row] = await sql.begin(async (tx) => await tx<{ x: string }[]>`select 'x' as x`)
  expect(row).toEqual({ x: 'x' })
  const reserved = await sql.reserve()
  await expect(failsAfterARow(reserved)).rejects.toMatchObject({ code: '22012' })
  expect(await reserved`select 'x' as x`).toEqual([{ x: 'x' }])
  reserved.release()
  await sql.end()
})

test('fragments, names and lists are what they were', async () => {
  const { sql } = database
  const where = sql`where ${sql('n')} in ${sql([1, 3])}`
  expect(await sql`select n from generate_series(1, 3) as n ${where}`).toEqual([{ n: 1 }, { n: 3 }])
  expect(await sql`select ${sql.json({ a: 1 })} as json`).toEqual([{ json: { a: 1 } }])
})
