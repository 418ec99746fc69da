import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { holdTransaction, type TestDatabase, testDatabase, testVault } from '../testing.ts'
import { adminTokenOrKeep } from './admin-token.ts'
import { type Vault, vaultOf } from './vault.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  // Not delete: what an earlier test left in a page would be found by all that follow.
  await database.sql`truncate setting`
})

const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const start = (fresh: string, vault: Vault = testVault, isLost = false) =>
  adminTokenOrKeep(database.sql, vault, fresh, { isLost })
const inDatabase = async () => JSON.stringify(await database.sql`select * from setting`)
const leavePlain = (token: string) =>
  database.sql`insert into setting (key, value) values ('admin_token', to_jsonb(${token}::text))`

test('the first start decides, and the database does not say what', async () => {
  expect(await start('token-1')).toEqual({ token: 'token-1', outcome: 'made' })
  expect(await start('token-2')).toEqual({ token: 'token-1', outcome: 'kept' })
  expect(await inDatabase()).not.toMatch(/token-\d/)
  expect(await inDatabase()).not.toContain(Buffer.from('token-1').toString('base64').slice(0, 8))
})

test('many that start at once agree, on an empty database and on one of an earlier version', async () => {
  const startMany = () => Promise.all(Array.from({ length: 8 }, (_, i) => start(`token-${i}`)))
  const many = await startMany()
  expect(new Set(many.map(({ token }) => token)).size).toBe(1)
  expect(many.filter(({ outcome }) => outcome === 'made')).toHaveLength(1)
  await database.sql`delete from setting`
  await leavePlain('token-plain')
  expect(new Set((await startMany()).map(({ token, outcome }) => `${token} ${outcome}`))).toEqual(
    new Set(['token-plain kept']),
  )
})

test('one of an earlier version stays the token, sealed, and is gone from the table’s pages, whoever looks on', async () => {
  const onlooker = await holdTransaction(database.url)
  await leavePlain('token-plain')
  const pagesOf = async () => {
    await database.sql`checkpoint`
    const [row] = await database.sql<{ pages: Buffer }[]>`
      select pg_read_binary_file(pg_relation_filepath('setting')) as pages`
    return row!.pages
  }
  expect((await pagesOf()).includes('token-plain')).toBe(true)
  expect(await start('token-2')).toEqual({ token: 'token-plain', outcome: 'kept' })
  expect((await pagesOf()).includes('token-plain')).toBe(false)
  await onlooker.end()
  expect(await start('token-3')).toEqual({ token: 'token-plain', outcome: 'kept' })
})

test('a process of an earlier version beside us makes one of its own: it goes, the sealed one stays', async () => {
  await start('token-1')
  await leavePlain('token-plain')
  expect(await start('token-2')).toEqual({ token: 'token-1', outcome: 'kept' })
  expect(await inDatabase()).not.toContain('token-plain')
})

test('follows when keys change: with both, then with the new one alone', async () => {
  await start('token-1', vaultOf(first))
  expect(await start('token-2', vaultOf(second, [first]))).toEqual({ token: 'token-1', outcome: 'kept' })
  expect(await start('token-3', vaultOf(second))).toEqual({ token: 'token-1', outcome: 'kept' })
  await expect(start('token-4', vaultOf(first))).rejects.toMatchObject({ code: 'credentials_key_unknown' })
})

test('its key is lost: another one is made, and kept from then on', async () => {
  await start('token-1', vaultOf(first))
  expect(await start('token-2', vaultOf(second), true)).toEqual({ token: 'token-2', outcome: 'made_anew' })
  expect(await start('token-3', vaultOf(second))).toEqual({ token: 'token-2', outcome: 'kept' })
})

test('a box that somebody changed or put there from elsewhere is nobody’s token: another one is made', async () => {
  await start('token-1')
  const box = testVault.seal('token-of-a-thief', ['shop', 'tmall', 's']).toString('base64')
  await database.sql`update setting set value = to_jsonb(${box}::text)`
  expect(await start('token-2')).toEqual({ token: 'token-2', outcome: 'made_anew' })
})
