import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { adminTokenFile, keepAdminToken, readAdminToken } from './admin-token.ts'

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
