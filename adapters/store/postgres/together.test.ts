import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { connect, type Transaction } from './connect.ts'
import { together } from './together.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await database.sql`create table note (text text)`
})
afterAll(() => database.close())

async function writeSome(tx: Transaction, count: number): Promise<number> {
  for (let i = 0; i < count; i++) await tx`insert into note values (${String(i)})`
  return count
}

const failures: Readonly<Record<string, (tx: Transaction) => Promise<never>>> = {
  'at once': async () => {
    throw new Error('on purpose')
  },
  'after an answer': async (tx) => {
    await tx`select 1`
    throw new Error('on purpose')
  },
  'in Postgres': async (tx) => {
    await tx`select 1/0`
    throw new Error('on purpose')
  },
}

test.each(Object.keys(failures))('nothing of a transaction that fails %s is written afterwards', async (how) => {
  // A connection without other users: whatever the transaction left behind would be sent by it now.
  const sql = connect(database.url, { max: 1, applicationName: 'test' })
  for (let round = 0; round < 5; round++) {
    const work = sql.begin(async (tx) => await together([writeSome(tx, 10), failures[how]!(tx), writeSome(tx, 5)]))
    await expect(work).rejects.toThrow(/on purpose|division by zero/)
    for (let i = 0; i < 20; i++) expect(await database.sql`select from note`).toHaveLength(0)
  }
  await sql.end()
})

test('the answers come in the order of the statements', async () => {
  const sql = connect(database.url, { max: 1, applicationName: 'test' })
  const answers = await sql.begin(async (tx) => {
    const [count, rows, nothing] = await together([writeSome(tx, 3), tx<{ two: number }[]>`select 2 as two`, null])
    return [count, rows[0]!.two, nothing]
  })
  expect(answers).toEqual([3, 2, null])
  expect(await sql`delete from note returning text`).toHaveLength(3)
  await sql.end()
})
