import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { testDatabase } from '../../adapters/store/testing.ts'
import { spawnService } from '../faults/testing/process.ts'
import { adminTokenFile, keepAdminToken, readAdminToken } from './admin-token.ts'
import { claimDataDir } from './embedded/data-dir.ts'

let parent: string
let dataDir: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'paidan-token-'))
  dataDir = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

test('what is kept is read, by its owner only, and a later one replaces it', () => {
  expect(readAdminToken(dataDir)).toBeNull()
  keepAdminToken(dataDir, 'first-token-of-the-operator')
  writeFileSync(adminTokenFile(dataDir), 'left open\n')
  chmodSync(adminTokenFile(dataDir), 0o666)
  keepAdminToken(dataDir, 'second-token-of-the-operator')
  expect(readAdminToken(dataDir)).toBe('second-token-of-the-operator')
  expect(statSync(adminTokenFile(dataDir)).mode & 0o777).toBe(0o600)
})

test('a token of the operator’s own choice leaves no file behind', () => {
  keepAdminToken(dataDir, 'made-by-an-earlier-start')
  keepAdminToken(dataDir, null)
  expect(readAdminToken(dataDir)).toBeNull()
  keepAdminToken(join(parent, 'absent'), null)
})

test('a service over other servers leaves the file of a running one alone, and does not keep it from starting', async () => {
  const database = await testDatabase()
  const servers = { DATABASE_URL: database.url, REDIS_URL: (await testRedis()).url, DATA_DIR: dataDir, THREADS: '1' }
  const running = await claimDataDir(dataDir)
  keepAdminToken(dataDir, 'token-of-the-running-service')
  const made = await spawnService({ ...servers, ADMIN_TOKEN: '' })
  const [, token = ''] = /Bearer (\S+)/.exec(made.said()) ?? []
  expect(made.said()).toContain(`not kept in a file: ${dataDir} belongs to another Paidan that is running`)
  await made.signal()
  await (await spawnService(servers)).signal()
  expect(readAdminToken(dataDir)).toBe('token-of-the-running-service')

  await running.release()
  const alone = await spawnService({ ...servers, ADMIN_TOKEN: '' })
  expect([readAdminToken(dataDir), token.length]).toEqual([token, 32])
  await (await claimDataDir(dataDir)).release()
  await alone.signal()
  await (await spawnService(servers)).signal()
  expect(readAdminToken(dataDir)).toBeNull()
  await database.close()
})
