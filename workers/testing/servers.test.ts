import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { testRedis } from '../../adapters/shared/testing.ts'
import { connect } from '../../adapters/store/postgres/connect.ts'
import { startPrivatePostgres, startPrivateRedis } from './servers.ts'

test('a private Postgres is migrated, and a committed row outlives its crash', async () => {
  const server = await startPrivatePostgres()
  const sql = connect(server.url, { max: 1, applicationName: 'test' })
  await sql`insert into setting values ('kept', '7')`
  const { pid, url } = server
  await server.crash()
  await server.restart()
  expect(server.pid).not.toBe(pid)
  expect(server.url).toBe(url)
  expect(await sql`select value from setting`).toEqual([{ value: 7 }])
  await sql.end()
  await server.stop()
})

test('a private Redis may be crashed and restarted', async () => {
  const server = await startPrivateRedis({ settings: { appendfsync: 'always' } })
  const redis = new Redis(server.url)
  await redis.set('kept', '7')
  await server.crash()
  await server.restart()
  expect(await redis.get('kept')).toBe('7')
  redis.disconnect()
  await server.stop()
})

test('every testRedis() is a database of its own', async () => {
  const [one, other] = await Promise.all([testRedis(), testRedis()])
  const clients = [new Redis(one.url), new Redis(other.url)] as const
  await clients[0].set('a', '1')
  expect(await clients[1].get('a')).toBeNull()
  for (const client of clients) client.disconnect()
})
