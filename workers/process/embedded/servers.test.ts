import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { connect, parseDatabaseUrl } from '../../../adapters/store/postgres/connect.ts'
import { serverAccount } from './account.ts'
import { worksIn } from './earlier.ts'
import { initialise } from './initialise.ts'
import { findBinaries, startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'

const top = mkdtempSync(join(tmpdir(), 'paidan-test-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
let folders = 0
const newFolder = (name = `d${folders++}`): string => {
  const path = join(top, name)
  mkdirSync(path, { recursive: true })
  return path
}
const settings = { shared_buffers: '32MB' }

async function query(url: string, text: string): Promise<unknown[]> {
  const sql = connect(url, { max: 1, applicationName: 'test' })
  try {
    return [...(await sql.unsafe(text))]
  } finally {
    await sql.end()
  }
}

async function redisCall(url: string, work: (redis: Redis) => Promise<unknown>): Promise<unknown> {
  const redis = new Redis(url)
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}

/** Another process that starts both servers over `dataDir`, tells their pids, and stays. */
async function startElsewhere(dataDir: string): Promise<{ child: ChildProcess; postgres: number; redis: number }> {
  const script = `
    const { startPostgres } = await import(${JSON.stringify(new URL('./postgres.js', import.meta.url).href)})
    const { startRedis } = await import(${JSON.stringify(new URL('./redis.js', import.meta.url).href)})
    const dataDir = ${JSON.stringify(dataDir)}
    const postgres = await startPostgres({ dataDir, durable: true, settings: ${JSON.stringify(settings)} })
    const redis = await startRedis({ dataDir, durable: true })
    console.log(postgres.pid, redis.pid)
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const [postgres = 0, redis = 0] = line.split(' ').map(Number)
  return { child, postgres, redis }
}

describe('Postgres', () => {
  test('starts, listens on its socket only, keeps its data, stops, leaves no socket behind', async () => {
    const dataDir = newFolder()
    const first = await startPostgres({ dataDir, durable: true, settings })
    expect(
      await query(
        first.url,
        "select current_database() as db, current_setting('listen_addresses') as tcp, current_setting('fsync') as fsync, current_setting('server_encoding') as encoding",
      ),
    ).toEqual([{ db: 'paidan', tcp: '', fsync: 'on', encoding: 'UTF8' }])
    await query(first.url, 'create table kept as select 7 as n')
    await first.stop()
    expect(await first.exited).toBe('exit code 0')
    expect(existsSync(dirname(parseDatabaseUrl(first.url).path ?? ''))).toBe(false)

    const second = await startPostgres({ dataDir, durable: true, settings })
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 7 }])
    await second.stop()
  })

  test('a folder too deep for a socket path gets its sockets elsewhere, and they are cleared', async () => {
    const dataDir = newFolder(`deep/${'x'.repeat(100)}`)
    const server = await startPostgres({ dataDir, durable: false, settings })
    const socketFolder = dirname(parseDatabaseUrl(server.url).path ?? '')
    expect(socketFolder.startsWith(dataDir)).toBe(false)
    expect(await query(server.url, 'select 1 as n')).toEqual([{ n: 1 }])
    await server.stop()
    expect(existsSync(socketFolder)).toBe(false)
  })

  test('what keeps it from starting is told in its own words', async () => {
    const dataDir = newFolder()
    await expect(
      startPostgres({ dataDir, durable: false, settings: { shared_buffers: 'plenty' } }),
    ).rejects.toMatchObject({
      code: 'server_did_not_start',
      message: expect.stringContaining('shared_buffers'),
    })
    expect(readdirSync(dataDir)).not.toContain('run-postgres')
  })

  test('an initialisation that was cut short is begun anew', async () => {
    const dataDir = newFolder()
    mkdirSync(join(dataDir, 'postgres.unfinished'))
    writeFileSync(join(dataDir, 'postgres.unfinished', 'PG_VERSION'), '18')
    const server = await startPostgres({ dataDir, durable: false, settings })
    expect(await query(server.url, 'select 1 as n')).toEqual([{ n: 1 }])
    await server.stop()
  })
})

test('a user that the system loses while the data are made is looked up again', async () => {
  const dataDir = newFolder()
  const lost = process.getuid?.() === 0 ? { uid: 4_000_000, gid: 4_000_000 } : null
  const binaries = await findBinaries()
  const account = await initialise(binaries.initdb, dataDir, join(dataDir, 'postgres'), lost, false)
  expect(account).toEqual(await serverAccount(null))
  expect(statSync(join(dataDir, 'postgres')).uid).toBe(account?.uid ?? process.getuid?.())
  const server = await startPostgres({ dataDir, durable: false, settings })
  expect(await query(server.url, 'select 1 as n')).toEqual([{ n: 1 }])
  await server.stop()
})

describe('Postgres after a crash', () => {
  test('starts although the pid that it left is somebody else’s now', async () => {
    const dataDir = newFolder()
    const first = await startPostgres({ dataDir, durable: true, settings })
    process.kill(first.pid, 'SIGKILL')
    await first.exited
    // Of the same user, which is what Postgres itself takes for a postmaster.
    const redis = await startRedis({ dataDir, durable: false })
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid')
    writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(redis.pid)))
    const second = await startPostgres({ dataDir, durable: true, settings })
    expect(await query(second.url, 'select 1 as n')).toEqual([{ n: 1 }])
    expect(await redisCall(redis.url, (client) => client.ping())).toBe('PONG')
    await Promise.all([second.stop(), redis.stop()])
  })
})

describe('Redis', () => {
  test('keeps its data, has no TCP port, stops', async () => {
    const dataDir = newFolder()
    const first = await startRedis({ dataDir, durable: true })
    await redisCall(first.url, (redis) => redis.set('kept', '7'))
    expect(await redisCall(first.url, (redis) => redis.config('GET', 'port'))).toEqual(['port', '0'])
    await first.stop()
    expect(await first.exited).toBe('exit code 0')
    const second = await startRedis({ dataDir, durable: true })
    expect(await redisCall(second.url, (redis) => redis.get('kept'))).toBe('7')
    await second.stop()
  })

  test('what keeps it from starting is told in its own words', async () => {
    const wrong = startRedis({ dataDir: newFolder(), durable: false, settings: { databases: 'plenty' } })
    await expect(wrong).rejects.toMatchObject({
      code: 'server_did_not_start',
      message: expect.stringContaining('databases'),
    })
  })
})

describe('both', () => {
  test('go when their parent is killed, and the next start finds everything', async () => {
    const dataDir = newFolder()
    const { child, postgres, redis } = await startElsewhere(dataDir)
    child.kill('SIGKILL')
    const runs = (): boolean => worksIn(postgres, join(dataDir, 'postgres')) || worksIn(redis, join(dataDir, 'redis'))
    while (runs()) await delay(10)
    const again = await startPostgres({ dataDir, durable: true, settings })
    expect(await query(again.url, 'select 1 as n')).toEqual([{ n: 1 }])
    await again.stop()
  })

  test('ones that still run over the data are stopped first', async () => {
    const dataDir = newFolder()
    const { child, postgres, redis } = await startElsewhere(dataDir)
    expect(worksIn(postgres, join(dataDir, 'postgres'))).toBe(true)
    expect(worksIn(redis, join(dataDir, 'redis'))).toBe(true)
    const [newPostgres, newRedis] = await Promise.all([
      startPostgres({ dataDir, durable: true, settings }),
      startRedis({ dataDir, durable: true }),
    ])
    expect(worksIn(postgres, join(dataDir, 'postgres'))).toBe(false)
    expect(worksIn(redis, join(dataDir, 'redis'))).toBe(false)
    expect(await query(newPostgres.url, 'select 1 as n')).toEqual([{ n: 1 }])
    expect(await redisCall(newRedis.url, (client) => client.ping())).toBe('PONG')
    await Promise.all([newPostgres.stop(), newRedis.stop()])
    child.kill('SIGKILL')
  })

  test('are in a session of their own, out of reach of a Ctrl-C at our terminal', async () => {
    const server = await startRedis({ dataDir: newFolder(), durable: false })
    // A negative number names a process group: it exists exactly when the server leads one.
    expect(() => process.kill(-server.pid, 0)).not.toThrow()
    await server.stop()
  })
})

test('a pid file that names somebody else proves nothing', () => {
  expect(worksIn(process.pid, newFolder())).toBe(false)
  expect(worksIn(process.pid, process.cwd())).toBe(true)
  expect(worksIn(Number.NaN, top)).toBe(false)
})
