/** The service with its embedded servers, as `npm start` runs it: Ctrl-C, a second start, kill -9, a third start. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { until } from './testing/network.ts'
import { adminToken, spawnService } from './testing/process.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'paidan-start-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

const start = () => spawnService({ DATA_DIR: dataDir })

// Many starts, each as long as the machine needs for it.
const minutesMax = 4 * 60_000

test(
  'stops with its servers, goes on where it stopped, and gets over a kill -9',
  async () => {
    const first = await start()
    await put(first.url, 'kept')
    const pids = serverPids()
    expect(pids.every(isAlive)).toBe(true)
    expect(await first.signal('SIGINT')).toEqual({ code: 0, signal: null })
    expect(pids.filter(isAlive)).toEqual([])

    const second = await start()
    expect(await names(second.url)).toContain('kept')
    const orphans = serverPids()
    await second.kill()
    await until(
      () => orphans.filter(isAlive),
      (alive) => alive.length === 0,
      'the embedded servers stop by themselves',
    )

    const third = await start()
    expect(await names(third.url)).toContain('kept')
    expect(await third.signal('SIGTERM')).toEqual({ code: 0, signal: null })
  },
  minutesMax,
)

function serverPids(): readonly number[] {
  return ['postgres/postmaster.pid', 'redis.pid'].map((file) =>
    Number.parseInt(readFileSync(join(dataDir, file), 'utf8'), 10),
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const authorization = `Bearer ${adminToken}`
const node = { name: 'kept', kind: 'warehouse', adcode: '330106', apiKey: 'a-key-for-the-node-that-is-kept' }

async function put(url: string, name: string): Promise<void> {
  const headers = { authorization, 'content-type': 'application/json' }
  const skus = await fetch(`${url}/v1/skus/${name}`, {
    method: 'PUT',
    headers,
    body: JSON.stringify({ name, weightGrams: 1 }),
  })
  expect(skus.status).toBe(200)
  const nodes = await fetch(`${url}/v1/nodes/${name}`, { method: 'PUT', headers, body: JSON.stringify(node) })
  expect(nodes.status).toBe(200)
  const body = JSON.stringify({ ref: 'first', kind: 'set', lines: [{ sku: name, quantity: 7 }] })
  const stock = await fetch(`${url}/v1/nodes/${name}/stock`, { method: 'POST', headers, body })
  expect(stock.status).toBe(200)
}

async function names(url: string): Promise<readonly string[]> {
  const answer = await fetch(`${url}/v1/stock?node=kept`, { headers: { authorization } })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { stock: { node: string }[] }).stock.map((row) => row.node)
}
