/** On a Postgres of its own, which is restarted with other settings while a service runs on it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { projectRoot } from '../../adapters/shared/root.ts'
import { testRedis } from '../../adapters/shared/testing.ts'
import { connect, type Sql } from '../../adapters/store/postgres/connect.ts'
import { durabilityOf } from '../../adapters/store/postgres/durability.ts'
import { migrate, readMigrations } from '../../adapters/store/postgres/migrate.ts'
import { newLedger, orderOf, sendAll } from '../faults/testing/ledger.ts'
import { allDecided, loadTestNetwork, startServiceHere } from '../faults/testing/network.ts'
import type { RunningService } from '../service.ts'
import { sweepOf } from '../service.ts'
import { type EmbeddedPostgres, startPostgres } from './embedded/postgres.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'paidan-test-'))
const start = (durable: boolean) => startPostgres({ dataDir, durable, settings: { shared_buffers: '32MB' } })

let postgres: EmbeddedPostgres
let sql: Sql
let redisUrl: string
beforeAll(async () => {
  postgres = await start(true)
  sql = connect(postgres.url, { max: 2, applicationName: 'test' })
  await migrate(sql, readMigrations(join(projectRoot(), 'sql')))
  await loadTestNetwork(sql, { n1: [{ sku: 'a', quantity: 100 }] })
  redisUrl = (await testRedis()).url
})
afterAll(async () => {
  await sql.end()
  await postgres.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const serviceWith = (environment: Readonly<Record<string, string>>) =>
  startServiceHere({ databaseUrl: postgres.url, redisUrl }, environment)
const required = () => serviceWith({ DURABILITY: 'required' })

async function readyz(service: RunningService): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`http://127.0.0.1:${service.port}/readyz`)
  return { status: answer.status, body: await answer.json() }
}

const openExceptions = () =>
  sql`select kind, ref, detail, resolved_at is null as open from exception where kind = 'not_durable' order by id`

describe('settings of who connects', () => {
  test.each([
    ['the role', 'role paidan'],
    ['the database', 'database paidan'],
    ['the role in the database', 'role paidan in database paidan'],
  ])('synchronous_commit off for %s is seen, and the start refused', async (_, whose) => {
    await sql.unsafe(`alter ${whose} set synchronous_commit = off`)
    try {
      expect(await durabilityOf(postgres.url)).toEqual([{ setting: 'synchronous_commit', value: 'off' }])
      await expect(required()).rejects.toMatchObject({
        code: 'postgres_not_durable',
        message: expect.stringMatching(/synchronous_commit is off: .*RESET synchronous_commit.*DURABILITY=off/),
      })
    } finally {
      await sql.unsafe(`alter ${whose} reset synchronous_commit`)
    }
    expect(await durabilityOf(postgres.url)).toEqual([])
  })

  test('that wait for the local disk only, or for others too, are enough', async () => {
    for (const value of ['local', 'remote_write', 'remote_apply']) {
      await sql.unsafe(`alter role paidan set synchronous_commit = ${value}`)
      expect(await durabilityOf(postgres.url)).toEqual([])
    }
    await sql`alter role paidan reset synchronous_commit`
  })
})

test('a role that loses durability while the service runs is noticed by the sweep', async () => {
  const service = await required()
  try {
    expect(await readyz(service)).toMatchObject({ status: 200, body: { durability: 'durable' } })
    await sql`alter role paidan set synchronous_commit = off`
    await sweepOf(service).round()
    expect(await readyz(service)).toEqual({
      status: 503,
      body: {
        ...{ status: 'not_ready', postgres: 'ok', redis: 'ok', durability: 'not_durable' },
        off: ['synchronous_commit'],
      },
    })
  } finally {
    await sql`alter role paidan reset synchronous_commit`
    await service.stop()
  }
})

test('a server that is restarted without fsync is not believed, until it is restarted with it', async () => {
  const service = await required()
  const ledger = newLedger()
  const send = (order: ReturnType<typeof orderOf>) => {
    const pushing = sendAll([order], { target: () => `http://127.0.0.1:${service.port}`, ledger })
    return { order, pushing }
  }
  try {
    const sweep = sweepOf(service)
    await send(orderOf([{ sku: 'a', quantity: 1 }])).pushing
    await postgres.stop()
    postgres = await start(false)
    await sweep.round()
    expect(await readyz(service)).toMatchObject({ status: 503, body: { off: expect.arrayContaining(['fsync']) } })
    expect(await openExceptions()).toMatchObject([{ kind: 'not_durable', ref: 'postgres', open: true }])
    // Refused in the platform's own words, again and again, until it may be acknowledged.
    const { pushing } = send(orderOf([{ sku: 'a', quantity: 1 }]))
    while (ledger.refused < 3) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(ledger.acknowledged.size).toBe(1)
    await postgres.stop()
    postgres = await start(true)
    await sweep.round()
    await pushing
    expect(ledger.acknowledged.size).toBe(2)
    expect(ledger.odd).toEqual([])
    await allDecided(sql)
    expect(await readyz(service)).toMatchObject({ status: 200, body: { durability: 'durable' } })
    expect(await openExceptions()).toMatchObject([{ kind: 'not_durable', open: false }])
  } finally {
    await service.stop()
  }
})

test('a server without fsync is refused by name of each setting, and taken when that was said to be enough', async () => {
  await postgres.stop()
  postgres = await start(false)
  await expect(required()).rejects.toMatchObject({
    message: expect.stringMatching(
      /fsync is off: .*full_page_writes is off: .*synchronous_commit is off: .*DURABILITY=off/,
    ),
  })
  const service = await serviceWith({ DURABILITY: 'off' })
  try {
    await sweepOf(service).round()
    expect(await readyz(service)).toMatchObject({ status: 200, body: { status: 'ready', durability: 'not_durable' } })
    await sendAll([orderOf([{ sku: 'a', quantity: 1 }])], {
      target: () => `http://127.0.0.1:${service.port}`,
      ledger: newLedger(),
    })
    await allDecided(sql)
  } finally {
    await service.stop()
  }
})
