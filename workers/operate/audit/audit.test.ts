/** The audit as operations call it: over a service at work, over broken figures, over a data folder at rest. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { projectRoot } from '../../../adapters/shared/root.ts'
import { keysOf } from '../../../adapters/stock/keys.ts'
import { invariantNames } from '../../../adapters/store/audit/audit.ts'
import { connect } from '../../../adapters/store/postgres/connect.ts'
import { migrate, readMigrations } from '../../../adapters/store/postgres/migrate.ts'
import { postStock } from '../../../adapters/store/stock/stock.ts'
import { startTestService, type TestService } from '../../e2e/testing/service.ts'
import { orderOf } from '../../faults/testing/ledger.ts'
import { claimDataDir } from '../../process/embedded/data-dir.ts'
import { startPostgres } from '../../process/embedded/postgres.ts'
import { startRedis } from '../../process/embedded/redis.ts'
import { parseOptions, runAudit } from './main.ts'
import type { AuditReport } from './report.ts'

const keyPrefix = 'e2e:'
const node = 'east'

describe('options', () => {
  test.each([
    [[], { mend: false, json: false, replay: null, connections: 4, pendingMinutesMax: 60 }],
    [['--mend', '--json'], { mend: true, json: true }],
    [['--replay'], { replay: 1_000 }],
    [['--replay', '50', '--mend'], { replay: 50, mend: true }],
    [['--replay', '--mend'], { replay: 1_000, mend: true }],
    [['--replay=7'], { replay: 7 }],
    [['--connections', '2'], { connections: 2 }],
    [['--pending-max', '5'], { pendingMinutesMax: 5 }],
  ])('%j', (words, gives) => {
    expect(parseOptions(words)).toMatchObject(gives)
  })

  test('help is asked for', () => expect(parseOptions(['--help'])).toBeNull())

  test.each([[['--repair']], [['7']], [['--replay=0']], [['--connections', 'many']], [['--pending-max', '0']]])(
    '%j is refused',
    (words) => {
      expect(() => parseOptions(words)).toThrow(TypeError)
    },
  )
})

describe('over a service', () => {
  let service: TestService
  let redis: Redis
  let url: string
  beforeAll(async () => {
    service = await startTestService()
    const [path, db] = service.redisUrl.split('?db=')
    redis = new Redis(path!, { db: Number(db) })
    url = service.databaseUrl
    await service.goods('a', { east: 50, north: 50 })
    await service.goods('b', { east: 5 })
    for (let i = 0; i < 6; i++)
      await service.tell(orderOf([{ sku: 'a', quantity: 1 + (i % 3) }], i % 2 ? 'jd' : 'tmall'))
    const shipped = orderOf([{ sku: 'a', quantity: 2 }])
    await service.tell(shipped)
    await service.tell(orderOf([{ sku: 'b', quantity: 9 }]))
  })
  afterAll(async () => {
    redis.disconnect()
    await service.close()
  })

  const said: string[] = []
  beforeEach(() => void said.splice(0))
  const run = (mend = false, replay: number | null = null): Promise<AuditReport> =>
    runAudit(
      { mend, json: false, replay, connections: 2, pendingMinutesMax: 60 },
      { DATABASE_URL: url, REDIS_URL: service.redisUrl },
      (line) => void said.push(line),
      keyPrefix,
    )
  const broken = (report: AuditReport) => report.broken.map((v) => v.invariant)

  test('that is sound, every promise is told to hold, and what was decided is decided again', async () => {
    const report = await run(false, 100)
    expect(report).toMatchObject({ broken: [], mended: null, orders: 8, undecided: 0 })
    expect(report.checked.map((c) => c.invariant)).toEqual(invariantNames)
    expect(report.counters).toMatchObject({ state: 'compared', inFlight: 0, moving: 0 })
    expect(report.replayed).toEqual({ different: [], notReplayed: {}, orders: 8, versions: 8, traces: 8 })
    expect(said.filter((line) => line.startsWith('  ok'))).toHaveLength(invariantNames.length + 4)
    expect(said.at(-1)).toMatch(/^All promises hold/)
  })

  test('a Redis that counts for no epoch of this database is said to be not compared', async () => {
    const [{ epoch }] = (await service.sql`select epoch from stock_epoch`) as unknown as [{ epoch: string }]
    try {
      await service.sql`update stock_epoch set epoch = epoch + 7`
      const report = await run(true)
      expect(report).toMatchObject({ broken: [], counters: { state: 'not_loaded', violations: [] } })
      expect(report.counters!.notLoaded).toBe(report.counters!.nodes)
      expect(said.some((line) => line.includes('redis_counts'))).toBe(false)
      expect(said.at(-1)).toMatch(/^All promises hold that Postgres shows; what Redis counts was not compared \(/)
    } finally {
      await service.sql`update stock_epoch set epoch = ${epoch}`
    }
  })

  test('what is under way is counted and breaks nothing', async () => {
    const { keeper } = service.running
    const reservation = { node, reservationId: 'under-way@0' }
    await keeper.reserve(Date.now, [{ ...reservation, lines: [{ sku: 'a', quantity: 3 }] }])
    await service.sql`
      with stored as (
        insert into inbox (day, channel, shop, event_id, order_id, kind, body_hash, body)
        values ('2026-11-11', 'tmall', 'nobody', 'e', 'o', 'order', '', '') returning *
      )
      insert into pending (seq, day, channel, shop, event_id, order_id, kind, not_before)
      select seq, day, channel, shop, event_id, order_id, kind, 'infinity' from stored`
    const report = await run()
    expect(report).toMatchObject({ broken: [], undecided: 1, counters: { inFlight: 1 } })
    expect(said.at(-2)).toContain('1 events undecided, 1 reservations in flight younger than 30 s')
    await keeper.release([reservation])
    await service.sql`delete from pending where shop = 'nobody'`
    await service.sql`delete from inbox where shop = 'nobody'`
  })

  test('a decision that its events do not lead to is told', async () => {
    const [{ id }] = (await service.sql`select min(id) as id from orders`) as unknown as [{ id: string }]
    const [{ trace }] = (await service.sql`
      select trace from decision where order_id = ${id}`) as unknown as [{ trace: string }]
    const other = JSON.parse(trace) as { sourcing: [{ sourcing: { demand: unknown[]; offers: number[] } }] }
    const { demand, offers } = other.sourcing[0].sourcing
    // Its nodes would have cost something else.
    for (let at = 2; at < offers.length; at += 4 + demand.length) offers[at]! += 5_000
    await service.sql`update decision set trace = ${JSON.stringify(other)} where order_id = ${id}`
    const report = await run(false, 100)
    expect(broken(report)).toEqual(['decisions_replay'])
    expect(report.replayed!.different).toMatchObject([{ order: id, version: 1 }])
    await service.sql`update decision set trace = ${trace} where order_id = ${id}`
  })

  test('what follows from something else is mended, and told', async () => {
    const { sql, running } = service
    const now = Date.now()
    // A crash's leftovers in Redis, and a hand in it.
    const lines = [{ sku: 'a', quantity: 2 }]
    await running.keeper.reserve(() => now - 60_000, [{ node, reservationId: 'nobodys@0', lines }])
    await redis.hincrby(keysOf(keyPrefix, 'north').atp, 'a', 7)
    await postStock(sql, { node, ref: 'untold', kind: 'add', lines, bodyHash: Buffer.from('untold') })
    // And in Postgres: an event, a list, a unit that nobody holds, a conflict, a shortage that is over.
    const lost = orderOf([{ sku: 'a', quantity: 1 }])
    await service.tell(lost)
    await sql`
      insert into inbox (day, channel, shop, event_id, order_id, kind, body_hash, body)
      select day, channel, shop, event_id || ' again', order_id, kind, body_hash, body from inbox
      where order_id = ${lost.orderId}`
    await sql`delete from backorder`
    await sql`update stock set reserved = reserved + 1 where node = 'north' and sku = 'a'`
    await sql`
      insert into stock_movement (node, kind, ref, skus, on_hand, reserved)
      values ('north', 'reserve', 'leaked@0', '{a}', '{0}', '{1}')`
    await sql`
      insert into event_conflict (day, channel, shop, event_id, body_hash, body, received_at)
      values ('2026-11-11', 'jd', 's', 'e', '', '', now() - interval '1 minute')`
    await sql`
      insert into exception (kind, ref, detail) values ('shortage', 'east/a', '{"node": "east", "sku": "a", "missing": 1}')`
    const names = [
      'every_order_event_is_decided',
      'conflicts_are_shown',
      'backorders_are_what_orders_say',
      'reserved_is_what_live_tasks_hold',
      'redis_counts_what_postgres_counts',
      'redis_has_heard_every_change',
      'nothing_is_reserved_for_nobody',
    ]
    const seen = await run()
    expect(broken(seen).toSorted()).toEqual(names.toSorted())
    expect(said.filter((line) => line.includes('BROKEN'))).toHaveLength(names.length)

    const report = await run(true)
    expect(broken(report)).toEqual([])
    expect(report.mended!.map((m) => m.count)).not.toContain(0)
    expect(report.mended!.length).toBeGreaterThanOrEqual(7)
    await service.settled()
    // The event that was put back waits for the service's next look.
    while ((await sql`select from pending`).count > 0) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await service.audit()).toEqual([])
    expect(await run()).toMatchObject({ broken: [] })
    expect(await service.exceptions('shortage')).toEqual([])
    expect((await service.stock('a')).north).toMatchObject({ onHand: 50 })
  })

  test('goods are never made up: a shelf whose movements say otherwise stays broken', async () => {
    await service.sql`update stock set on_hand = on_hand + 1 where node = ${node} and sku = 'b'`
    await service.running.keeper.recover(service.running.keeper.epoch)
    const report = await run(true)
    expect(broken(report)).toEqual(['stock_is_what_its_movements_add_up_to'])
    expect(said.at(-1)).toMatch(/^Still broken: stock_is_what_its_movements_add_up_to/)
    await service.sql`update stock set on_hand = on_hand - 1 where node = ${node} and sku = 'b'`
    await service.running.keeper.recover(service.running.keeper.epoch)
  })
})

describe('the command', () => {
  const main = fileURLToPath(new URL('./main.js', import.meta.url))
  const call = (words: readonly string[], environment: Readonly<Record<string, string>>) => {
    const script = `const { main } = await import(${JSON.stringify(main)}); await main()`
    const env = { PATH: process.env.PATH ?? '', ...environment }
    return spawnSync(process.execPath, ['--input-type=module', '-e', script, 'audit', ...words], {
      env,
      encoding: 'utf8',
    })
  }

  test.each([
    { words: ['--help'], environment: {}, status: 0, stdout: /^npm run audit/, stderr: /^$/ },
    { words: ['--heal'], environment: {}, status: 2, stdout: /^$/, stderr: /--heal.*npm run audit/s },
    { words: [], environment: { PORT: 'x' }, status: 2, stdout: /^$/, stderr: /^PORT must/ },
    {
      words: [],
      environment: { DATABASE_URL: 'postgres://u:hush@127.0.0.1:1/a' },
      ...{
        status: 2,
        stdout: /^$/,
        stderr: /^DATABASE_URL: Postgres at 127\.0\.0\.1:1 cannot be used: [^:]*\(ECONNREFUSED\)\.\n$/,
      },
    },
    { words: [], environment: { DATA_DIR: '/nowhere' }, status: 2, stdout: /^$/, stderr: /no database in \/nowhere/ },
  ])('$words with $environment ends with $status', ({ words, environment, status, stdout, stderr }) => {
    const done = call(words, environment)
    expect(done).toMatchObject({ status, stdout: expect.stringMatching(stdout), stderr: expect.stringMatching(stderr) })
  })
})

test('a data folder is audited at rest, and through its servers while a Paidan runs over it', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'paidan-test-'))
  const settings = { shared_buffers: '16MB' }
  const run = (environment = {}) =>
    runAudit(
      { mend: false, json: false, replay: null, connections: 2, pendingMinutesMax: 60 },
      { DATA_DIR: dataDir, ...environment },
      () => undefined,
    )
  try {
    await expect(run()).rejects.toMatchObject({ code: 'nothing_to_audit' })
    let postgres = await startPostgres({ dataDir, durable: false, settings })
    const sql = connect(postgres.url, { max: 1, applicationName: 'test' })
    await postgres.stop()
    await expect(run()).rejects.toMatchObject({ code: 'nothing_to_audit' })
    // As a service does: it claims the folder and starts its servers.
    const claim = await claimDataDir(dataDir)
    postgres = await startPostgres({ dataDir, durable: false, settings })
    const redis = await startRedis({ dataDir, durable: false })
    await migrate(sql, readMigrations(join(projectRoot(), 'sql')))
    expect(await run()).toMatchObject({
      broken: [],
      counters: { state: 'not_loaded' },
      where: expect.stringMatching(/runs/),
    })
    // Its Redis is none of another database's.
    const where = expect.stringMatching(/^DATABASE_URL, without .*set REDIS_URL$/)
    expect(await run({ DATABASE_URL: postgres.url })).toMatchObject({ broken: [], counters: null, where })
    await sql.end()
    await Promise.all([postgres.stop(), redis.stop()])
    await claim.release()
    expect(await run()).toMatchObject({ broken: [], counters: null, where: expect.stringMatching(/no Paidan runs/) })
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
