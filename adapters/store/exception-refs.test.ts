/** One name a thing, the same from code and from SQL; and the refs that an earlier version left open. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fc, runs } from '../../router/testing/seed.ts'
import { billRowRef, refInSql, refOf } from './exception-refs.ts'
import { inOldDatabase } from './testing/old-database.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

const code = fc
  .array(fc.constantFrom('a', '1', '/', '%', '%2F', ':', '%25', '货'), { minLength: 1, maxLength: 4 })
  .map((c) => c.join(''))

test('two things have two names, the same in SQL', async () => {
  await fc.assert(
    fc.asyncProperty(code, code, code, code, async (a, b, c, d) => {
      if (a !== c || b !== d) expect(refOf(a, b)).not.toBe(refOf(c, d))
      const [row] = await database.sql.unsafe<{ ref: string }[]>(`select ${refInSql('$1::text', '$2::text')} as ref`, [
        a,
        b,
      ])
      expect(row!.ref).toBe(refOf(a, b))
      if (a !== c || b !== d) expect(billRowRef('generic', a, b)).not.toBe(billRowRef('generic', c, d))
    }),
    { numRuns: runs(200) },
  )
  expect(refOf('east', 'SKU-1')).toBe('east/SKU-1')
})

/** The version before had as many files. */
const filesBefore = 9

test('what the version before left open has its name of now', () =>
  inOldDatabase(filesBefore, async (sql, upgrade) => {
    await sql`insert into exception (kind, ref, detail) values
      ('shortage', 'hz/1/a', '{"node": "hz", "sku": "1/a"}'), ('shortage', 'n/s', '{"node": "n", "sku": "s"}'),
      ('event_conflict', 'jd/my/shop/e', '{"channel": "jd", "shop": "my/shop", "eventId": "e"}'),
      ('order_not_fetched', 'wechat/a%b/7', '{"channel": "wechat", "shop": "a%b", "orderId": "7"}'),
      ('bill_conflict', 'generic:main:a:b:c', '{"source": "generic", "account": "main:a"}'),
      ('not_durable', 'postgres', '{}')`
    await upgrade()
    const refs = (await sql<{ ref: string }[]>`select ref from exception order by id`).map((r) => r.ref)
    expect(refs).toEqual([
      ...[refOf('hz', '1/a'), 'n/s', refOf('jd', 'my/shop', 'e'), refOf('wechat', 'a%b', '7')],
      ...[billRowRef('generic', 'main:a', 'b:c'), 'postgres'],
    ])
  }))
