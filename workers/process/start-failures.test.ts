import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { withDatabase } from '../../adapters/store/postgres/connect.ts'
import { startPrivateRedis } from '../testing/servers.ts'
import { mustAnswer, unreachable } from './start-failures.ts'

/** What was thrown; fails when nothing was. */
async function told(settings: { databaseUrl?: string; redisUrl?: string }): Promise<string> {
  try {
    await mustAnswer({ databaseUrl: null, redisUrl: null, ...settings })
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was told')
}

test('servers that answer are no failure, and those that no setting names are not asked', async () => {
  await mustAnswer({ databaseUrl: inject('servers').templateUrl, redisUrl: (await testRedis()).url })
  await mustAnswer({ databaseUrl: null, redisUrl: null })
})

test.each([
  ['127.0.0.1:1', /at (127\.0\.0\.1:1) cannot be used: nothing listens there\. .* \(ECONNREFUSED\)\.$/],
  ['localhost:1', /cannot be used: nothing listens there\. .* \(ECONNREFUSED\)\.$/],
])('nobody at %s: the setting, the place, what to do; no password', async (host, pattern) => {
  const postgres = await told({ databaseUrl: `postgres://me:hush@${host}/orders` })
  expect(postgres).toMatch(/^DATABASE_URL: Postgres /)
  expect(postgres).toMatch(pattern)
  const redis = await told({ redisUrl: `redis://me:hush@${host}/0` })
  expect(redis).toMatch(/^REDIS_URL: Redis /)
  expect(redis).toMatch(pattern)
  expect(postgres + redis).not.toContain('hush')
})

test('a Redis that drops keys when its memory is full is refused; one that does not tell is warned of', async () => {
  const { url, stop } = await startPrivateRedis({ durable: false, settings: { 'maxmemory-policy': 'allkeys-lru' } })
  const redis = new Redis(url)
  try {
    expect(await told({ redisUrl: url })).toMatch(
      /^REDIS_URL: the maxmemory-policy of Redis is allkeys-lru, .*noeviction/,
    )
    await redis.acl('SETUSER', 'default', '-info')
    const warned: string[] = []
    await mustAnswer({ databaseUrl: null, redisUrl: url }, (text) => warned.push(text))
    expect(warned).toEqual([expect.stringContaining('does not tell its maxmemory-policy. Set it to noeviction')])
  } finally {
    redis.disconnect()
    await stop()
  }
})

test('sockets that do not exist', async () => {
  expect(await told({ databaseUrl: 'postgres:///a?host=/tmp/none' })).toMatch(
    /^DATABASE_URL: Postgres at \/tmp\/none\/\S+ cannot be used: there is no such socket/,
  )
  expect(await told({ redisUrl: '/tmp/none.sock' })).toMatch(
    /^REDIS_URL: Redis at \/tmp\/none.sock cannot be used: there is no such socket/,
  )
})

test('a database that does not exist', async () => {
  const databaseUrl = withDatabase(inject('servers').templateUrl, 'no such database')
  expect(await told({ databaseUrl })).toMatch(/^DATABASE_URL: .* the database does not exist\. .* \(3D000\)\.$/)
})

test('a program that is neither, and hangs up', async () => {
  const server = createServer((socket: Socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  expect(await told({ databaseUrl: `postgres://127.0.0.1:${port}/a` })).toMatch(
    /^DATABASE_URL: .* (the server hung up|does not speak)/,
  )
  expect(await told({ redisUrl: `redis://127.0.0.1:${port}` })).toMatch(/^REDIS_URL: .* the server hung up/)
  server.close()
})

test.each([
  [{ code: '28P01', message: 'password authentication failed for user "me"' }, 'refuses user or password'],
  [{ code: '53300', message: 'sorry, too many clients already' }, 'no connection left'],
  [{ code: '57P03', message: 'the database system is starting up' }, 'still starting'],
  [{ code: 'SELF_SIGNED_CERT_IN_CHAIN', message: 'self-signed certificate' }, 'TLS certificate'],
  [{ code: 'redis_refused', message: 'redis_refused: WRONGPASS invalid username-password pair' }, 'user or password'],
  [{ code: 'XX000', message: 'something else' }, 'see the code (XX000)'],
])('%j', (error, said) => {
  expect(unreachable('DATABASE_URL', error).message).toContain(said)
})
