import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { nodeOfApiKey, putNodes } from '../catalog/catalog.ts'
import { putCarrierAccount, putShop } from '../catalog/put-sealed.ts'
import { connect, type Sql } from '../postgres/connect.ts'
import { nodeOf, waits } from '../testing/world.ts'
import { holdTransaction, type TestDatabase, testDatabase, testVault } from '../testing.ts'
import {
  claimKey,
  inForce,
  type PreviousSecrets,
  type Read,
  readAllSecrets,
  readSecrets,
  resealAll,
} from './credentials.ts'
import { type Vault, vaultOf } from './vault.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  // Not delete: what an earlier try left in a page would be found by all that follow.
  await database.sql`truncate shop, carrier_account, node, setting`
})

const nowMs = Date.now()
const secretOf = (version: number) => ({ appKey: 'k', appSecret: `secret-${version}` })
const other = vaultOf(Buffer.alloc(32, 1))

async function put(version: number, previous: PreviousSecrets | null = null, shop = 's', vault = testVault) {
  const settings = { channel: 'tmall', shop, apiBaseUrl: null, skuMap: {} } as const
  await putShop(database.sql, vault, { ...settings, credentials: secretOf(version), previous })
}
const read = (vault: Vault = testVault, shop = 's') => readSecrets(database.sql, vault, 'shop', 'tmall', shop)
function versions(found: Read | null, atMs = nowMs): string[] {
  if (found?.outcome !== 'kept') throw new Error(`${found?.outcome}`)
  return inForce(found.kept, atMs).map(({ appSecret }) => appSecret ?? '')
}
const inDatabase = async () =>
  JSON.stringify([await database.sql`select * from shop`, await database.sql`select * from carrier_account`])

describe('two at a time', () => {
  const until = nowMs + 3_600_000
  test('without a word on the one before, it is out at once', async () => {
    await put(1)
    await put(2)
    expect(versions(await read())).toEqual(['secret-2'])
  })
  test('the one before is taken until the instant, the newest first', async () => {
    await put(1)
    await put(2, { credentials: null, until })
    expect(versions(await read(), until - 1)).toEqual(['secret-2', 'secret-1'])
    expect(versions(await read(), until)).toEqual(['secret-2'])
  })
  test('put twice, the one before stays the one before', async () => {
    await put(1)
    await put(2, { credentials: null, until })
    await put(2, { credentials: null, until: until + 1 })
    expect(versions(await read(), until)).toEqual(['secret-2', 'secret-1'])
  })
  test('three in a row: two at a time', async () => {
    await put(1)
    await put(2, { credentials: null, until })
    await put(3, { credentials: null, until })
    expect(versions(await read())).toEqual(['secret-3', 'secret-2'])
  })
  test('the one before as it is given; of a new shop there is none', async () => {
    await put(2, { credentials: secretOf(7), until })
    expect(versions(await read())).toEqual(['secret-2', 'secret-7'])
    await put(2, { credentials: null, until }, 'new')
    expect(versions(await read(testVault, 'new'))).toEqual(['secret-2'])
  })
  test('carrier accounts as well', async () => {
    const account = { carrier: 'kuaidi100', account: 'a' }
    await putCarrierAccount(database.sql, testVault, { ...account, credentials: { salt: 'salt-1' } })
    const next = { ...account, credentials: { salt: 'salt-2' }, previous: { credentials: null, until } }
    await putCarrierAccount(database.sql, testVault, next)
    const found = await readSecrets(database.sql, testVault, 'carrier', 'kuaidi100', 'a')
    expect(found?.outcome === 'kept' && inForce(found.kept, nowMs)).toEqual([{ salt: 'salt-2' }, { salt: 'salt-1' }])
    expect(await readSecrets(database.sql, testVault, 'carrier', 'kuaidi100', 'b')).toBeNull()
    expect(await inDatabase()).not.toContain('salt-')
  })
})

describe('at rest', () => {
  test('nothing is plain; a box in another shop’s row is no credentials of that shop', async () => {
    await put(1)
    await put(2, null, 'other')
    expect(await inDatabase()).not.toContain('secret-')
    await database.sql`update shop set sealed = (select sealed from shop where shop = 's') where shop = 'other'`
    expect(await read(testVault, 'other')).toEqual({ outcome: 'altered' })
    expect(versions(await read())).toEqual(['secret-1'])
  })
  test('another key: named, not guessed', async () => {
    await put(1)
    expect(await read(other)).toEqual({ outcome: 'unknown_key', keyId: testVault.keyId })
  })
  test('rows that are plain are read, sealed at the start, and gone from the table’s pages, whoever looks on', async () => {
    const onlooker = await holdTransaction(database.url)
    const credentials = database.sql.json(secretOf(1))
    await database.sql`insert into shop (channel, shop, credentials) values ('tmall', 's', ${credentials})`
    await database.sql`insert into carrier_account (carrier, account, credentials) values ('c', 'a', '{"salt":"salt-1"}')`
    expect(versions(await read())).toEqual(['secret-1'])
    const pagesOf = async () =>
      (await database.sql<{ pages: Buffer }[]>`select pg_read_binary_file(pg_relation_filepath('shop')) as pages`)[0]!
        .pages
    await database.sql`checkpoint`
    expect((await pagesOf()).includes('secret-1')).toBe(true)
    expect(await resealAll(database.sql, testVault, nowMs)).toEqual({ sealed: 2, unreadable: [] })
    await database.sql`checkpoint`
    expect((await pagesOf()).includes('secret-1')).toBe(false)
    await onlooker.end()
    expect(await inDatabase()).not.toMatch(/secret-|salt-/)
    expect(versions(await read())).toEqual(['secret-1'])
    expect(await resealAll(database.sql, testVault, nowMs)).toEqual({ sealed: 0, unreadable: [] })
  })
  test('a backup that began before reads all of it, and the next start does what had to wait', async () => {
    const credentials = database.sql.json(secretOf(1))
    await database.sql`insert into shop (channel, shop, credentials) values ('tmall', 's', ${credentials})`
    const backup = connect(database.url, { max: 1, applicationName: 'backup' })
    await backup.unsafe('begin isolation level repeatable read read only; select from orders')
    expect((await resealAll(database.sql, testVault, nowMs)).sealed).toBe(1)
    expect(await backup.unsafe('select from shop')).toHaveLength(1)
    await backup.end()
    const owed = () => database.sql`select from setting where key = 'dead_rows_of_shop'`
    expect((await owed()).count).toBe(1)
    // A view of the user's does not stand in the way; and another backup begins when the table is empty already.
    await database.sql`create view theirs as select credentials from shop`
    const [holder, starter, late] = ['holder', 'starter', 'late'].map((applicationName) =>
      connect(database.url, { max: 1, applicationName }),
    ) as [Sql, Sql, Sql]
    try {
      await holder.unsafe(`begin; select from setting where key = 'dead_rows_of_shop' for update`)
      const starting = resealAll(starter, testVault, nowMs)
      await waits(database.sql, 'starter')
      await late.unsafe('begin isolation level repeatable read read only; select from orders')
      const reading = late.unsafe('select from shop').execute()
      await waits(database.sql, 'late')
      await holder.end()
      expect(await reading).toHaveLength(1)
      await late.unsafe('commit')
      expect(await starting).toEqual({ sealed: 0, unreadable: [] })
    } finally {
      await Promise.all([holder, starter, late].map((one) => one.end({ timeout: 0 })))
    }
    await database.sql`drop view theirs`
    expect((await owed()).count).toBe(0)
    expect(versions(await read())).toEqual(['secret-1'])
  })
  test('a secret whose time is over is forgotten at the start', async () => {
    await put(2, { credentials: secretOf(1), until: nowMs })
    expect((await resealAll(database.sql, testVault, nowMs)).sealed).toBe(1)
    expect(versions(await read(), 0)).toEqual(['secret-2'])
  })
  test('an altered row does not stand in the way of the others', async () => {
    await put(1, null, 'a', other)
    await put(2, null, 'b', other)
    await database.sql`update shop set sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1) where shop = 'a'`
    const both = vaultOf(Buffer.alloc(32, 2), [Buffer.alloc(32, 1)])
    const { sealed, unreadable } = await resealAll(database.sql, both, nowMs)
    expect([sealed, unreadable]).toEqual([
      1,
      [{ outcome: 'altered', keyId: null, kind: 'shop', group: 'tmall', name: 'a' }],
    ])
    const all = await readAllSecrets(database.sql, both, 'shop')
    expect(all.map(({ name, read: { outcome } }) => [name, outcome]).sort()).toEqual([
      ['a', 'altered'],
      ['b', 'kept'],
    ])
  })
})

describe('one key for a database', () => {
  const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  const sql = () => database.sql
  test('the first start decides, also among many at once', async () => {
    const vaults = Array.from({ length: 8 }, (_, i) => vaultOf(Buffer.alloc(32, i + 1)))
    const done = await Promise.allSettled(vaults.map((vault) => claimKey(sql(), vault, false)))
    expect(done.filter((d) => d.status === 'fulfilled')).toHaveLength(1)
  })
  test('another key is refused with what to do, and without a key in it', async () => {
    await claimKey(sql(), vaultOf(first), false)
    const refused = claimKey(sql(), vaultOf(second), false)
    await expect(refused).rejects.toMatchObject({ code: 'credentials_key_unknown' })
    await expect(refused).rejects.toThrow(/CREDENTIALS_KEY_PREVIOUS.*CREDENTIALS_KEY_LOST/s)
    await expect(refused).rejects.not.toThrow(second.toString('base64').slice(0, 20))
  })
  test('changed: the new one with the old one, then without; the old one alone is refused', async () => {
    await claimKey(sql(), vaultOf(first), false)
    await put(1, null, 's', vaultOf(first))
    const both = vaultOf(second, [first])
    await claimKey(sql(), both, false)
    expect((await resealAll(sql(), both, nowMs)).sealed).toBe(1)
    await claimKey(sql(), vaultOf(second), false)
    expect(versions(await read(vaultOf(second)))).toEqual(['secret-1'])
    await expect(claimKey(sql(), vaultOf(first), false)).rejects.toMatchObject({ code: 'credentials_key_unknown' })
  })
  test('lost: goes on with the new one; what the old one sealed stays closed until it is put again', async () => {
    await claimKey(sql(), vaultOf(first), false)
    await put(1, null, 's', vaultOf(first))
    await claimKey(sql(), vaultOf(second), true)
    expect((await resealAll(sql(), vaultOf(second), nowMs)).unreadable).toMatchObject([{ outcome: 'unknown_key' }])
    await put(2, { credentials: null, until: nowMs + 1000 }, 's', vaultOf(second))
    expect(versions(await read(vaultOf(second)))).toEqual(['secret-2'])
  })
})

describe('a warehouse’s key', () => {
  const hash = (byte: number) => Buffer.alloc(32, byte)
  const until = nowMs + 3_600_000
  const putNode = (node: string, key: number, previousKeyUntil: number | null = null) =>
    putNodes(database.sql, [{ node: nodeOf(node, 0), apiKeyHash: hash(key), previousKeyUntil }])
  const ownerOf = (key: number) => nodeOfApiKey(database.sql, hash(key))

  test('changed at once, or with the one before until an instant', async () => {
    await putNode('a', 1)
    await putNode('a', 2)
    expect([await ownerOf(1), await ownerOf(2)]).toEqual([null, 'a'])
    await putNode('a', 3, until)
    await putNode('a', 3, until)
    expect([await ownerOf(1), await ownerOf(2), await ownerOf(3)]).toEqual([null, 'a', 'a'])
    await database.sql`update node set previous_key_until = now()`
    expect([await ownerOf(2), await ownerOf(3)]).toEqual([null, 'a'])
  })
  test('until then it is nobody else’s', async () => {
    await putNode('a', 1)
    await putNode('a', 2, until)
    await expect(putNode('b', 1)).rejects.toMatchObject({ code: 'node_key_taken' })
    await expect(putNode('b', 2)).rejects.toMatchObject({ code: 'node_key_taken' })
    await database.sql`update node set previous_key_until = now()`
    await putNode('b', 1)
    expect(await ownerOf(1)).toBe('b')
    await expect(putNode('b', 2)).rejects.toMatchObject({ code: '23505' })
  })
})
