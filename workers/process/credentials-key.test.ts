import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { putShop } from '../../adapters/store/catalog/put-sealed.ts'
import { vaultOf } from '../../adapters/store/secrets/vault.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { type ServiceProcess, spawnService } from '../faults/testing/process.ts'
import { credentialsKeyFile, openVault } from './credentials-key.ts'

let parent: string
let dataDir: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'paidan-key-'))
  dataDir = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

const place = ['shop', 'tmall', 's']
const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]

describe('the key', () => {
  test('is made once, for its owner only, and found again', () => {
    const { vault, made } = openVault({ dataDir })
    expect(made).toBe(true)
    expect(statSync(credentialsKeyFile(dataDir)).mode & 0o777).toBe(0o600)
    expect(readdirSync(dataDir)).toEqual(['credentials-key'])
    const again = openVault({ dataDir })
    expect([again.made, again.vault.keyId]).toEqual([false, vault.keyId])
    expect(openVault({ dataDir: join(parent, 'other') }).vault.keyId).not.toBe(vault.keyId)
  })
  test('from the environment makes no file, and the file’s opens nothing unless it is given as the one before', () => {
    const given = openVault({ dataDir, credentialsKey: first })
    expect(() => statSync(credentialsKeyFile(dataDir))).toThrow('ENOENT')
    expect(given.vault.keyId).toBe(vaultOf(first).keyId)
    const kept = openVault({ dataDir }).vault
    expect(openVault({ dataDir, credentialsKey: first }).vault.keyIds).toEqual([vaultOf(first).keyId])
    const credentialsKeyPrevious = Buffer.from(readFileSync(credentialsKeyFile(dataDir), 'utf8'), 'base64')
    const both = openVault({ dataDir, credentialsKey: first, credentialsKeyPrevious }).vault
    expect(both.open(kept.seal('x', place), place)).toMatchObject({ outcome: 'opened', outdated: true })
  })
  test('is not made over a database that another one sealed', () => {
    const known = vaultOf(first).keyId
    expect(() => openVault({ dataDir }, known)).toThrow(`under the key ${known}, and this process has none`)
    expect(existsSync(dataDir)).toBe(false)
    expect(openVault({ dataDir, credentialsKeyPrevious: first }, known).made).toBe(true)
    expect(openVault({ dataDir: join(parent, 'lost'), credentialsKeyLost: true }, known).made).toBe(true)
  })
  test('that others may read is closed to them', () => {
    const { vault } = openVault({ dataDir })
    chmodSync(credentialsKeyFile(dataDir), 0o644)
    expect(openVault({ dataDir }).vault.keyId).toBe(vault.keyId)
    expect(statSync(credentialsKeyFile(dataDir)).mode & 0o777).toBe(0o600)
  })
  test('a file without one is not replaced, and says what to do', () => {
    openVault({ dataDir })
    writeFileSync(credentialsKeyFile(dataDir), 'c3Vycml2ZWQ=\n')
    expect(() => openVault({ dataDir })).toThrow(/does not hold a key.*CREDENTIALS_KEY/)
    expect(readFileSync(credentialsKeyFile(dataDir), 'utf8')).toBe('c3Vycml2ZWQ=\n')
    expect(openVault({ dataDir, credentialsKey: first }).vault.keyId).toBe(vaultOf(first).keyId)
  })
})

describe('a service', () => {
  let database: TestDatabase
  let redisUrl: string
  beforeAll(async () => {
    database = await testDatabase()
    redisUrl = (await testRedis()).url
  })
  afterAll(() => database.close())

  const start = (environment: Readonly<Record<string, string>>): Promise<ServiceProcess> =>
    spawnService({ DATABASE_URL: database.url, REDIS_URL: redisUrl, DATA_DIR: dataDir, THREADS: '1', ...environment })
  const key = (given: Buffer) => given.toString('base64')

  test('starts with the key only, changes it, and goes on when it is lost', async () => {
    const { sql } = database
    await sql`insert into shop (channel, shop, credentials) values ('tmall', 'plain', '{"appKey":"k","appSecret":"hush"}')`
    await (await start({ CREDENTIALS_KEY: key(first) })).signal()
    expect(JSON.stringify(await sql`select credentials from shop`)).toBe('[{"credentials":null}]')

    const refused = await start({ CREDENTIALS_KEY: key(second) }).catch((error: Error) => error.message)
    expect(refused).toMatch(/Paidan did not start: the credentials in this database are sealed under the key \w{16}/)
    expect(refused).toMatch(/CREDENTIALS_KEY_PREVIOUS.*CREDENTIALS_KEY_LOST=on.*\(credentials_key_unknown\)/s)
    for (const secret of ['hush', key(first), key(second)]) expect(refused).not.toContain(secret)

    await (await start({ CREDENTIALS_KEY: key(second), CREDENTIALS_KEY_PREVIOUS: key(first) })).signal()
    await (await start({ CREDENTIALS_KEY: key(second) })).signal()

    // One row that another key sealed, after all others were sealed anew.
    const shop = { channel: 'jd', shop: 'late', apiBaseUrl: null, skuMap: {}, credentials: { a: 'b' } } as const
    await putShop(sql, vaultOf(first), shop)
    await expect(start({ CREDENTIALS_KEY: key(second) })).rejects.toThrow('credentials_key_unknown')
    const lost = await start({ CREDENTIALS_KEY: key(second), CREDENTIALS_KEY_LOST: 'on' })
    const raised = await sql`select ref, detail from exception where kind = 'credentials_unreadable'`
    expect(raised).toMatchObject([{ ref: 'jd/late', detail: { why: 'unknown_key' } }])
    await lost.signal()
  })

  test('of the file is changed as any other: the new key alone is refused, and a start without one makes none', async () => {
    const { sql } = database
    await sql`delete from setting`
    await sql`delete from shop`
    await (await start({ CREDENTIALS_KEY: '' })).signal()
    const ofFile = readFileSync(credentialsKeyFile(dataDir), 'utf8').trim()
    const refused = await start({ CREDENTIALS_KEY: key(first) }).catch((error: Error) => error.message)
    expect(refused).toMatch(/CREDENTIALS_KEY_PREVIOUS.*DATA_DIR\/credentials-key.*\(credentials_key_unknown\)/s)
    await (await start({ CREDENTIALS_KEY: '' })).signal()
    await (await start({ CREDENTIALS_KEY: key(first), CREDENTIALS_KEY_PREVIOUS: ofFile })).signal()

    const elsewhere = join(parent, 'elsewhere')
    await expect(start({ CREDENTIALS_KEY: '', DATA_DIR: elsewhere })).rejects.toThrow('credentials_key_unknown')
    expect(existsSync(credentialsKeyFile(elsewhere))).toBe(false)
  })

  test('the operator’s token is printed at each start, the same one, and is nowhere in the database', async () => {
    const { sql } = database
    await sql`delete from setting`
    await sql`delete from shop`
    const tokenOf = async (environment: Readonly<Record<string, string>>): Promise<string> => {
      const service = await start({ ADMIN_TOKEN: '', ...environment })
      // The line is written with the one that says where it listens.
      const [, token = ''] = /Bearer (\S+)/.exec(service.said()) ?? []
      const answer = await fetch(`${service.url}/v1/stock?sku=s`, { headers: { authorization: `Bearer ${token}` } })
      expect([answer.status, token.length]).toEqual([200, 32])
      await service.signal()
      const isSaid = service.said().includes('could not be opened any more')
      expect(JSON.stringify(await sql`select * from setting`)).not.toContain(token)
      return isSaid ? `${token} in place of another` : token
    }
    const token = await tokenOf({ CREDENTIALS_KEY: key(first) })
    expect(await tokenOf({ CREDENTIALS_KEY: key(second), CREDENTIALS_KEY_PREVIOUS: key(first) })).toBe(token)
    expect(await tokenOf({ CREDENTIALS_KEY: key(first), CREDENTIALS_KEY_LOST: 'on' })).toMatch(/ in place of another$/)
  })
})
