/** What intake promises to a platform: durable before the answer, each event once, and a clear no when it cannot. */
import { Pool } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dayOf } from '../../adapters/store/inbox/event.ts'
import { preparePartitions } from '../../adapters/store/inbox/partitions.ts'
import { PostgresStore } from '../../adapters/store/postgres-store.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { channelNames } from '../../router/types.ts'
import { wechatOrderAnswer } from '../e2e/testing/platforms.ts'
import { credentials } from '../e2e/testing/webhooks.ts'
import { startWechatShop } from '../e2e/testing/wechat-shop.ts'
import { type EventToStore, Intake, IntakeRefused, type StoredEvent } from '../intake/intake.ts'
import { machineClock } from '../process/clock.ts'
import { createMetrics } from '../process/metrics.ts'
import { startPrivateRedis } from '../testing/servers.ts'
import {
  isAcknowledged,
  isTryAgain,
  ledgerKey,
  lostOrders,
  newLedger,
  orderOf,
  push,
  sendAll,
} from './testing/ledger.ts'
import {
  allDecided,
  connectForTest,
  expectAudited,
  loadTestNetwork,
  startServiceHere,
  until,
} from './testing/network.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await preparePartitions(database.sql, now)
})
afterAll(() => database.close())

const day = 86_400_000
const now = Date.now()

function event(eventId: string, body = 'a body', occurredAt = now): EventToStore {
  const key = { channel: 'tmall', shop: 'shop', orderId: eventId }
  return { ...key, eventId, kind: 'order', occurredAt, body: Buffer.from(body) }
}

interface Opened {
  readonly backlog?: () => number
  readonly sql?: TestDatabase['sql']
  readonly pauseMs?: () => number
  readonly backlogMax?: number
}

function openIntake(options: Opened = {}) {
  const stored: StoredEvent[] = []
  const commits: number[] = []
  const intake = new Intake({
    pauseMs: options.pauseMs ?? (() => 0),
    store: new PostgresStore(options.sql ?? database.sql),
    clock: machineClock,
    backlogMax: options.backlogMax ?? 10,
    backlog: options.backlog ?? (() => 0),
    metrics: { ...createMetrics(), intakeRows: { observe: (rows: number) => commits.push(rows) } as never },
  })
  intake.start((events) => stored.push(...events))
  return { intake, stored, commits }
}

const outcomes = async (asked: readonly Promise<{ outcome: string }>[]) =>
  (await Promise.all(asked)).map((stored) => stored.outcome)

describe('each event once', () => {
  test('within one commit and across, and another body under a known id is a conflict', async () => {
    const { intake, stored, commits } = openIntake()
    const first = await outcomes(['a', 'b', 'a'].map((id) => intake.store(event(id))))
    expect(first).toEqual(['new', 'new', 'duplicate'])
    expect(commits).toEqual([3])
    expect(await outcomes([intake.store(event('b')), intake.store(event('a', 'another body'))])).toEqual([
      'duplicate',
      'conflict',
    ])
    expect(stored.map((e) => e.eventId)).toEqual(['a', 'b'])
    expect(await database.sql`select ref from exception where kind = 'event_conflict'`).toEqual([
      { ref: 'tmall/shop/a' },
    ])
  })

  test('a redelivery days later is known, whatever partitions were made since', async () => {
    const { intake } = openIntake()
    const old = now - 5 * day
    expect(await outcomes([intake.store(event('days ago', 'x', old))])).toEqual(['new'])
    await preparePartitions(database.sql, old)
    await preparePartitions(database.sql, now + 3 * day)
    expect(await outcomes([intake.store(event('days ago', 'x', old))])).toEqual(['duplicate'])
  })

  test('lies in the partition of its own day in China, whenever it comes', async () => {
    const { intake } = openIntake()
    const lastNight = Date.parse(`${dayOf(now)}T00:00:00+08:00`) - 1
    await Promise.all([intake.store(event('before', 'x', lastNight)), intake.store(event('after', 'x', lastNight + 1))])
    const rows = await database.sql`
      select event_id, tableoid::regclass::text as partition from inbox where event_id in ('before', 'after') order by seq desc`
    const partitionOf = (at: number) => `inbox_${dayOf(at).replaceAll('-', '')}`
    expect(new Map(rows.map((r) => [r.event_id, r.partition]))).toEqual(
      new Map([
        ['before', partitionOf(lastNight)],
        ['after', partitionOf(now)],
      ]),
    )
  })
})

describe('many events a commit', () => {
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

  test('what comes a moment later goes along', async () => {
    const { intake, commits } = openIntake()
    const first = intake.store(event('first of two'))
    await nextTurn()
    expect(await outcomes([first, intake.store(event('second of two'))])).toEqual(['new', 'new'])
    expect(commits).toEqual([2])
  })

  test('when decisions lag behind, all that comes meanwhile waits for one commit', async () => {
    let lagging = true
    const { intake, commits } = openIntake({ pauseMs: () => (lagging ? 300 : 0) })
    await intake.store(event('before the pause'))
    const waiting: ReturnType<typeof intake.store>[] = []
    // Each of them would be a commit of its own.
    for (let n = 0; n < 5; n++) {
      waiting.push(intake.store(event(`in the pause ${n}`)))
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    lagging = false
    await Promise.all(waiting)
    expect(commits).toEqual([1, 5])
  })
})

test.each([
  ['as many as one commit takes', 1_000, 10],
  ['as many bytes as one commit takes', 8, 1024 * 1024],
])(
  'a pause between commits ends when %s wait: their senders do not slow down, they are only refused',
  async (_, many, bytes) => {
    const { intake, commits } = openIntake({ pauseMs: () => 3_600_000, backlogMax: 10_000 })
    await intake.store(event(`before ${many}`))
    const body = 'x'.repeat(bytes)
    const stored = await outcomes(
      Array.from({ length: many }, (_, i) => intake.storeOwn(event(`${many} at once ${i}`, body))),
    )
    expect(new Set(stored)).toEqual(new Set(['new']))
    expect(commits.length).toBeGreaterThan(1)
    await intake.stop()
  },
)

test('and does not end so when the backlog is half full: all are slowed down before anybody is refused', async () => {
  let pauses = 0
  const pauseMs = () => {
    pauses += 1
    return 20
  }
  const { intake, commits } = openIntake({ pauseMs, backlogMax: 4_000, backlog: () => 2_000 })
  const stored = await outcomes(Array.from({ length: 3_000 }, (_, i) => intake.storeOwn(event(`half full ${i}`))))
  expect(new Set(stored)).toEqual(new Set(['new']))
  expect(commits).toEqual([1_000, 1_000, 1_000])
  expect(pauses).toBeGreaterThanOrEqual(2)
  await intake.stop()
})

describe('a clear no', () => {
  test('when the backlog is at its limit; what the backlog itself leads to is taken', async () => {
    let backlog = 9
    const { intake } = openIntake({ backlog: () => backlog })
    expect(await outcomes([intake.store(event('the tenth'))])).toEqual(['new'])
    backlog = 10
    await expect(intake.store(event('the eleventh'))).rejects.toThrow(IntakeRefused)
    expect(await outcomes([intake.storeOwn(event('own'))])).toEqual(['new'])
    backlog = 0
    // What waits for its commit counts.
    const many = Array.from({ length: 12 }, (_, i) => intake.store(event(`one of many ${i}`)))
    const told = await Promise.allSettled(many)
    expect(told.filter((t) => t.status === 'fulfilled')).toHaveLength(10)
  })

  test('when Postgres is away, and after stop()', async () => {
    const away = connectForTest('postgres:///none?host=/nowhere&user=nobody')
    const { intake } = openIntake({ sql: away })
    await expect(intake.store(event('lost?'))).rejects.toThrow(IntakeRefused)
    await away.end()
    const { intake: stopped } = openIntake()
    const last = stopped.store(event('the last'))
    await stopped.stop()
    expect(await last).toMatchObject({ outcome: 'new' })
    await expect(stopped.store(event('too late'))).rejects.toThrow('stopping')
  })
})

test('nobody can decide: acknowledged up to the limit, refused in every platform’s words, all decided afterwards', async () => {
  const backlogMax = 60
  const own = await testDatabase()
  const [redis, shop] = await Promise.all([startPrivateRedis(), startWechatShop(credentials.wechat)])
  await loadTestNetwork(own.sql, { north: [{ sku: 'goods', quantity: 50 }] }, shop.url)
  const environment = { BACKLOG_MAX: String(backlogMax), SWEEP_SECONDS: '1' }
  const service = await startServiceHere({ databaseUrl: own.url, redisUrl: redis.url }, environment)
  const url = `http://127.0.0.1:${service.port}`
  const pool = new Pool(url)
  const ledger = newLedger()
  const fresh = (channel: (typeof channelNames)[number] = 'tmall') => {
    const order = orderOf([{ sku: 'goods', quantity: 1 }], channel)
    if (channel === 'wechat') shop.answers.set(order.orderId, wechatOrderAnswer(order))
    return order
  }
  // Until the thread knows its Redis.
  await sendAll([fresh()], { target: () => url, ledger })
  await allDecided(own.sql)
  await redis.crash()
  await sendAll(
    Array.from({ length: backlogMax }, () => fresh()),
    { target: () => url, ledger },
  )
  for (const channel of channelNames) {
    const offer = async () => {
      const order = fresh(channel)
      const answer = await push(pool, order)
      if (isAcknowledged(channel, answer)) ledger.acknowledged.add(ledgerKey(order))
      return answer
    }
    await until(offer, (answer) => isTryAgain(channel, answer), `${channel} is refused`)
  }
  await redis.restart()
  await allDecided(own.sql)
  expect(await lostOrders(own.sql, ledger)).toEqual([])
  expect(ledger.acknowledged.size).toBeGreaterThan(backlogMax)
  await expectAudited(own.sql, redis.url)
  await pool.destroy()
  await service.stop()
  await Promise.all([own.close(), redis.stop(), shop.close()])
})
