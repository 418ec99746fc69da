import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadDivisions } from '../adapters/divisions/load.ts'
import { testRedis } from '../adapters/shared/testing.ts'
import { connect } from '../adapters/store/postgres/connect.ts'
import { testDatabase, testVault } from '../adapters/store/testing.ts'
import { adminTokenFile } from '../workers/process/admin-token.ts'
import { parseConfig } from '../workers/process/config.ts'
import { demoSeed, loadNetwork } from '../workers/process/demo-network/load.ts'
import { demoNetwork } from '../workers/process/demo-network/network.ts'
import { createLog } from '../workers/process/log.ts'
import { type RunningService, startService } from '../workers/service.ts'
import { columnsMax, widthOf } from './demo/paper.ts'
import { type DemoOutcome, playDemo, shownToken } from './demo.ts'

const adminToken = 'operator-of-the-demo-test'
let database: Awaited<ReturnType<typeof testDatabase>>
let redisUrl: string
let service: RunningService

async function start(): Promise<RunningService> {
  const config = parseConfig({ PORT: '0', THREADS: '1', LOG_LEVEL: 'error', SWEEP_SECONDS: '1', DURABILITY: 'off' })
  return await startService({
    config,
    databaseUrl: database.url,
    redisUrl,
    vault: testVault,
    adminToken,
    log: createLog('error'),
  })
}

beforeAll(async () => {
  database = await testDatabase()
  redisUrl = (await testRedis()).url
  const sql = connect(database.url, { max: 1, applicationName: 'test set-up', statementTimeoutMs: 0 })
  await loadNetwork(sql, testVault, demoNetwork(loadDivisions(), demoSeed))
  await sql.end()
  service = await start()
})
afterAll(async () => {
  await service?.stop()
})

async function run(token?: string): Promise<{ outcome: DemoOutcome; text: string }> {
  let text = ''
  const outcome = await playDemo({
    url: `http://127.0.0.1:${service.port}`,
    ...{ adminToken, wechatPort: 0, colour: false, ...(token === undefined ? {} : { shownToken: token }) },
    write: (part) => {
      text += part
    },
  })
  return { outcome, text }
}

function expectTold({ outcome, text }: { outcome: DemoOutcome; text: string }): void {
  expect(outcome.broken).toEqual([])
  expect(outcome).toMatchObject({ orders: 57, states: { closed: 51, cancelled: 2, held: 1, shipped: 3 } })
  expect(outcome.exceptions.map(({ kind }) => kind).sort()).toEqual(['parcel_problem', 'units_held'])
  expect(outcome.stock.filter((line) => !line.addsUp)).toEqual([])
  expect(outcome.tracks).toBe(2 * outcome.parcels)
  const lines = text.split('\n')
  expect(lines.filter((line) => widthOf(line) > columnsMax)).toEqual([])
  expect(lines.filter((line) => line.startsWith('  ✓'))).toHaveLength(outcome.claims)
  expect(text).not.toContain('\u001b')
}

describe('the demo', () => {
  test('ends with a command that works as it is pasted', async () => {
    const folder = mkdtempSync(join(tmpdir(), "paidan's demo "))
    try {
      writeFileSync(adminTokenFile(folder), `${adminToken}\n`)
      const fromFile = shownToken({ adminToken: null, dataDir: folder })
      const { text } = await run(fromFile)
      const command = text.slice(text.indexOf('curl -H'))
      // As a shell hands it on.
      const script = `curl() { printf '%s\\n' "$@"; }; ${command}`
      const [, header = '', url = ''] = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).trim().split('\n')
      const answer = await fetch(url, { headers: { authorization: header.replace('Authorization: ', '') } })
      expect([answer.status, header]).toEqual([200, `Authorization: Bearer ${adminToken}`])
    } finally {
      rmSync(folder, { recursive: true })
    }
    expect(shownToken({ adminToken: 'a', dataDir: folder })).toBe('$ADMIN_TOKEN')
    expect(shownToken({ adminToken: 'a,b', dataDir: folder })).toBe('$(echo "$ADMIN_TOKEN" | cut -d, -f1)')
  })

  test('keeps every claim, on a fresh network, again, and after a restart of the service', async () => {
    const first = await run()
    expectTold(first)
    await service.stop()
    service = await start()
    const second = await run()
    expectTold(second)
    expect(second.outcome.run).not.toBe(first.outcome.run)
  }, 120_000)

  test('does not begin with a wrong token, and names the remedy', async () => {
    const url = `http://127.0.0.1:${service.port}`
    const silent = { url, wechatPort: 0, colour: false, write: () => undefined }
    await expect(playDemo({ ...silent, adminToken: 'not-the-token-of-the-operator' })).rejects.toThrow('ADMIN_TOKEN')
  })

  test('does not begin on a network that is not the demo’s', async () => {
    const empty = await testDatabase()
    const config = parseConfig({ PORT: '0', THREADS: '1', LOG_LEVEL: 'error', DURABILITY: 'off' })
    const log = createLog('error')
    const other = await startService({
      ...{ config, log, vault: testVault, adminToken, databaseUrl: empty.url },
      redisUrl: (await testRedis()).url,
    })
    const url = `http://127.0.0.1:${other.port}`
    try {
      const silent = { url, adminToken, wechatPort: 0, colour: false, write: () => undefined }
      await expect(playDemo(silent)).rejects.toThrow('does not serve the demo network')
    } finally {
      await other.stop()
    }
  })

  test('ends with exit code 1 and a sentence when no service runs', async () => {
    const file = pathToFileURL(fileURLToPath(new URL('./demo.js', import.meta.url))).href
    // No process listens on the port of tcpmux.
    const env = { PATH: process.env.PATH, PORT: '1', ADMIN_TOKEN: adminToken }
    const script = 'await (await import(process.argv[1])).main()'
    const ended = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile(process.execPath, ['--input-type=module', '-e', script, file], { env }, (error, _, stderr) =>
        resolve({ code: error?.code, stderr }),
      )
    })
    expect(ended).toEqual({ code: 1, stderr: expect.stringContaining('npm start') })
    expect(ended.stderr.trim().split('\n')).toHaveLength(1)
  })
})
