import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { projectRoot } from '../../shared/root.ts'
import { endEventExceptions, list, raise } from '../exceptions.ts'
import { connect } from '../postgres/connect.ts'
import { migrate, readMigrations } from '../postgres/migrate.ts'
import { atMs, eventOf } from '../testing/world.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { countPending, doubt, postpone, readPending } from './pending.ts'
import { isStored, nextNumber, storeEvents } from './store-events.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
beforeEach(() => database.sql`truncate inbox, pending, event_conflict, exception`)
afterAll(() => database.close())

const text = (body: string) => ({ body: Buffer.from(body) })
const outcomes = async (...given: Parameters<typeof storeEvents>) =>
  (await storeEvents(...given)).map((stored) => stored.outcome)

describe('an event', () => {
  test.each([
    ['empty', Buffer.alloc(0)],
    ['one byte', Buffer.from([0])],
    ['every byte there is', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
    ['every byte but NUL', Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1))],
    ['text', Buffer.from('订单 "\\" \u2028 😀')],
    ['text that begins with a byte order mark', Buffer.from('\ufeff{}')],
    ['text but for a NUL', Buffer.from('订单\0')],
    ['no UTF-8', Buffer.from([0xff, 0xfe, 0x00, 0xd8])],
    ['as large as a webhook may be', randomBytes(256 * 1024)],
    ['larger', randomBytes(3 * 1024 * 1024)],
  ])('is given back byte by byte: %s', async (_, body) => {
    const { sql } = database
    const between = eventOf('2')
    expect(await outcomes(sql, [eventOf('1'), eventOf('big', { body }), between])).toEqual(['new', 'new', 'new'])
    const read = await readPending(sql, { afterSeq: '0', limit: 10, olderThanMs: 0 })
    const [row] = await sql<{ at: Date }[]>`select received_at as at from inbox limit 1`
    expect(new Set(read.map((e) => e.storedAtMs))).toEqual(new Set([row!.at.getTime()]))
    expect(Buffer.compare(read.find((e) => e.orderId === 'big')!.body, body)).toBe(0)
    expect(Buffer.compare(read.find((e) => e.orderId === '2')!.body, between.body)).toBe(0)
  })

  test.each([
    ['the same again', {}, 'duplicate'],
    ['another body', text('other'), 'conflict'],
    ['another kind is no difference', { kind: 'refund' }, 'duplicate'],
    ['another order with the same body', { orderId: 'x' }, 'duplicate'],
    ['another id', { eventId: 'e2' }, 'new'],
    ['another shop', { shop: 'shop2' }, 'new'],
    ['another channel', { channel: 'jd' }, 'new'],
    ['another day', { occurredAt: atMs + 86_400_000 }, 'new'],
    ['another hour', { occurredAt: atMs + 3_600_000 }, 'duplicate'],
  ])('%s', async (_, change, outcome) => {
    const { sql } = database
    const first = eventOf('1', { eventId: 'e1', ...text('body') })
    expect(await outcomes(sql, [first])).toEqual(['new'])
    const second = eventOf('1', { eventId: 'e1', ...text('body'), ...change })
    expect(await outcomes(sql, [second])).toEqual([outcome])
    // In one batch it is no different.
    await sql`truncate inbox, pending, event_conflict`
    expect(await outcomes(sql, [first, second])).toEqual(['new', outcome])
    expect(await countPending(sql)).toBe(outcome === 'new' ? 2 : 1)
  })

  test('of a day without a clock is stored, and a duplicate for good', async () => {
    const { sql } = database
    for (const occurredAt of [0, -5, Number.MAX_SAFE_INTEGER]) {
      const event = eventOf('1', { eventId: `at ${occurredAt}`, occurredAt })
      expect(await outcomes(sql, [event])).toEqual(['new'])
      expect(await outcomes(sql, [event])).toEqual(['duplicate'])
    }
  })

  test('with odd signs in its ids does not keep its batch out', async () => {
    const { sql } = database
    const odd = [
      '\ud800',
      '😀',
      "'; drop table inbox --",
      '{"a":1}',
      '\\u0000',
      'a\nb',
      ' ',
      '%s',
      '张三',
      'NULL',
      '{}',
    ]
    const events = odd.map((id) => eventOf(id, { eventId: id, shop: id }))
    expect(await outcomes(sql, events)).toEqual(odd.map(() => 'new'))
    expect(await outcomes(sql, events)).toEqual(odd.map(() => 'duplicate'))
    const read = await readPending(sql, { afterSeq: '0', limit: 100, olderThanMs: 0 })
    expect(read.map((e) => e.orderId).sort()).toEqual(odd.map((id) => id.replace('\ud800', '\ufffd')).sort())
  })
})

describe('a conflict', () => {
  test('is kept and raised once, however often it comes', async () => {
    const { sql } = database
    const first = eventOf('1', { eventId: 'e1', ...text('one') })
    const other = eventOf('1', { eventId: 'e1', ...text('two') })
    expect(await outcomes(sql, [first])).toEqual(['new'])
    for (let i = 0; i < 3; i++) expect(await outcomes(sql, [other, first])).toEqual(['conflict', 'duplicate'])
    expect(await sql`select body from event_conflict`).toEqual([{ body: other.body }])
    expect((await sql`select body from inbox`)[0]).toEqual({ body: first.body })
    const { exceptions } = await list(sql, { limit: 10 })
    expect(exceptions.map((e) => [e.kind, e.ref])).toEqual([['event_conflict', 'tmall/shop/e1']])
    expect(exceptions[0]!.detail).toEqual({ channel: 'tmall', shop: 'shop', orderId: '1', eventId: 'e1' })
  })

  test('of three bodies in one batch: the first is the event', async () => {
    const { sql } = database
    const bodies = ['one', 'two', 'three', 'one'].map((body) => eventOf('1', { eventId: 'e1', ...text(body) }))
    expect(await outcomes(sql, bodies)).toEqual(['new', 'conflict', 'conflict', 'duplicate'])
    expect((await sql`select body from inbox`).map((row) => row.body.toString())).toEqual(['one'])
    expect((await sql`select from event_conflict`).count).toBe(2)
    expect(await countPending(sql)).toBe(1)
  })
})

test('twenty writers with the same events in other orders: each event is stored once, by one', async () => {
  const { sql, url } = database
  const many = connect(url, { max: 20, applicationName: 'test' })
  const body = text('body')
  for (let round = 0; round < 4; round++) {
    const keys = Array.from({ length: 60 }, (_, i) => ({
      ...{ eventId: `${round}-${i}`, shop: `s${i % 3}`, occurredAt: atMs + (i % 4) * 86_400_000, ...body },
    }))
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, writer) => {
        const shift = writer * 7
        const turned = keys.map((_, i) => keys[(i + shift) % keys.length]!)
        const own = writer % 2 === 0 ? turned : turned.toReversed()
        return await storeEvents(
          many,
          own.map((key) => eventOf('1', key)),
        )
      }),
    )
    const flat = results.flat()
    expect(flat.filter((stored) => stored.outcome === 'new')).toHaveLength(keys.length)
    expect(flat.filter((stored) => stored.outcome === 'duplicate')).toHaveLength(19 * keys.length)
  }
  expect(await sql`select count(*)::int as n, count(distinct seq)::int as seqs from inbox`).toEqual([
    { n: 240, seqs: 240 },
  ])
  expect(await countPending(sql)).toBe(240)
  await many.end()
})

describe('a notification that is answered', () => {
  test('goes with the order that answers it', async () => {
    const { sql } = database
    const [notification, other] = await storeEvents(sql, [
      eventOf('1', { kind: 'notification' }),
      eventOf('2', { kind: 'notification' }),
    ])
    if (notification?.outcome !== 'new' || other?.outcome !== 'new') throw new Error('not stored')
    const order = eventOf('1', { answers: [notification.seq] })
    const [stored] = await storeEvents(sql, [order])
    const left = () => sql<{ seq: string }[]>`select seq from pending order by seq`
    expect(await left()).toEqual([{ seq: other.seq }, { seq: (stored as { seq: string }).seq }])
    // A redelivered order answers as well as the first one, and answering what is answered is no error.
    expect(await outcomes(sql, [{ ...order, answers: [notification.seq, other.seq] }])).toEqual(['duplicate'])
    expect(await left()).toEqual([{ seq: (stored as { seq: string }).seq }])
  })

  test('stays when the order could not be stored', async () => {
    const { sql } = database
    const [notification] = await storeEvents(sql, [eventOf('1', { kind: 'notification' })])
    const refused = eventOf('1', { answers: [(notification as { seq: string }).seq], eventId: 'a\0b' })
    await expect(storeEvents(sql, [eventOf('2'), refused])).rejects.toThrow()
    expect(await countPending(sql)).toBe(1)
    expect((await sql`select from inbox`).count).toBe(1)
  })
})

test('a notification whose answer is doubted is no backlog, no failed attempt, and keeps no exception open', async () => {
  const { sql } = database
  const notification = eventOf('1', { kind: 'notification' })
  const [stored] = await storeEvents(sql, [notification])
  const { seq } = stored as { seq: string }
  await raise(sql, [{ kind: 'order_not_fetched', ref: 'x', detail: { ...notification, body: '' } }])
  expect([await countPending(sql), await endEventExceptions(sql)]).toEqual([1, 0])
  await doubt(sql, [seq], 60_000)
  expect([await countPending(sql), await endEventExceptions(sql)]).toEqual([0, 1])
  const due = () => readPending(sql, { afterSeq: '0', limit: 10, olderThanMs: 0 })
  expect(await due()).toEqual([])
  await doubt(sql, [seq], 0)
  expect(await due()).toMatchObject([{ seq, attempts: 0 }])
})

test('a number is above that of every event, and an event is found by its whole key', async () => {
  const { sql } = database
  const event = eventOf('1')
  expect(await isStored(sql, event)).toBe(false)
  const [stored] = await storeEvents(sql, [event])
  expect(Number(await nextNumber(sql))).toBeGreaterThan(Number((stored as { seq: string }).seq))
  expect(await isStored(sql, event)).toBe(true)
  for (const other of [{ shop: 'other' }, { eventId: 'other' }, { occurredAt: event.occurredAt + 86_400_000 }])
    expect(await isStored(sql, { ...event, ...other })).toBe(false)
})

test('what is put aside is read again when it is due, in order, a page at a time', async () => {
  const { sql } = database
  const stored = await storeEvents(
    sql,
    ['1', '2', '3'].map((id) => eventOf(id, { eventId: id })),
  )
  const seqs = stored.map((s) => (s as { seq: string }).seq)
  await postpone(sql, [seqs[1]!], 60_000, 'why')
  const read = (afterSeq: string, limit: number) => readPending(sql, { afterSeq, limit, olderThanMs: 0 })
  expect((await read('0', 10)).map((e) => e.seq)).toEqual([seqs[0], seqs[2]])
  expect((await read('0', 1)).map((e) => e.seq)).toEqual([seqs[0]])
  expect((await read(seqs[0]!, 1)).map((e) => e.seq)).toEqual([seqs[2]])
  // A process that reads back does not fill its memory, even with the largest bodies that there are.
  const small = await readPending(sql, { afterSeq: '0', limit: 10, bytesMax: 1, olderThanMs: 0 })
  expect(small.map((e) => e.seq)).toEqual([seqs[0]])
  expect(await readPending(sql, { afterSeq: '0', limit: 10, olderThanMs: 60_000 })).toEqual([])
  await sql`update pending set not_before = now() where seq = ${seqs[1]!}`
  expect((await read('0', 10)).map((e) => [e.seq, e.attempts])).toEqual([
    [seqs[0], 0],
    [seqs[1], 1],
    [seqs[2], 0],
  ])
})

test('what version 0.1.0 stored as a hint is read as a notification, and its exceptions keep their meaning', async () => {
  const other = await testDatabase()
  try {
    const { sql } = other
    await sql.unsafe('drop schema public cascade; create schema public')
    const files = readMigrations(join(projectRoot(), 'sql'))
    await migrate(sql, files.slice(0, 6))
    // A batch is numbered in the order of its keys.
    const events = ['1', '2'].map((id) => eventOf(id, { kind: 'hint', eventId: id }))
    const [failed, doubtedOne] = (await storeEvents(sql, events)) as { seq: string }[]
    await sql`update pending set last_error = 'older_than_hint' where seq = ${doubtedOne!.seq}`
    for (const { channel, shop, orderId } of events)
      await sql`
        insert into exception (kind, ref, detail)
        values ('order_not_pulled', ${orderId}, ${sql.json({ channel, shop, orderId })})`
    await migrate(sql, files)
    const due = await readPending(sql, { afterSeq: '0', limit: 10, olderThanMs: 0 })
    expect(new Map(due.map((e) => [e.seq, e.kind]))).toEqual(
      new Map([failed, doubtedOne].map((stored) => [stored!.seq, 'notification'])),
    )
    expect(await countPending(sql)).toBe(1)
    // The doubted one keeps no exception open; the other one does.
    expect(await endEventExceptions(sql)).toBe(1)
    const { exceptions } = await list(sql, { kind: 'order_not_fetched', state: 'open', cursor: '0', limit: 10 })
    expect(exceptions.map((e) => e.ref)).toEqual([events[0]!.orderId])
    expect(await outcomes(sql, [eventOf('3', { kind: 'notification' })])).toEqual(['new'])
  } finally {
    await other.close()
  }
})
