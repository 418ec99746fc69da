import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect, type Sql } from '../postgres/connect.ts'
import { atMs, eventOf, waits } from '../testing/world.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { preparePartitions } from './partitions.ts'
import { storeEvents } from './store-events.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
beforeEach(() => database.sql`truncate inbox, pending, event_conflict, exception`)
afterAll(() => database.close())

const outcomes = async (...given: Parameters<typeof storeEvents>) =>
  (await storeEvents(...given)).map((stored) => stored.outcome)

describe('partitions', () => {
  const partitionOf = async (eventId: string) =>
    (await database.sql`select tableoid::regclass::text as name from inbox where event_id = ${eventId}`)[0]!.name

  test('are made by ten at once, while events come in, and change nothing about what is a duplicate', async () => {
    const { sql, url } = database
    const many = connect(url, { max: 20, applicationName: 'test' })
    const early = eventOf('1', { eventId: 'early' })
    expect(await outcomes(sql, [early])).toEqual(['new'])
    const days = [-1, 0, 1, 2].map((day) => atMs + day * 86_400_000)
    const writers = Array.from({ length: 10 }, (_, writer) =>
      storeEvents(
        many,
        days.map((occurredAt, i) => eventOf('1', { eventId: `${writer}-${i}`, occurredAt })),
      ),
    )
    await Promise.all([...Array.from({ length: 10 }, () => preparePartitions(many, atMs)), ...writers])
    // The day that had a row keeps its rows where they are.
    expect(await partitionOf('early')).toBe('inbox_rest')
    expect(await outcomes(sql, [early])).toEqual(['duplicate'])
    expect((await sql`select from inbox`).count).toBe(41)
    await many.end()
  })

  test('wait for an event that is just being stored', async () => {
    const { sql, url } = database
    const day = Date.UTC(2032, 4, 5, 4)
    const other = connect(url, { max: 2, applicationName: 'maker' })
    // Only its own day is left to be made.
    for (const days of [-8, 3]) await preparePartitions(sql, day + days * 86_400_000)
    let made: Promise<unknown> = Promise.resolve()
    await sql.begin(async (tx) => {
      await storeEvents(tx as unknown as Sql, [eventOf('1', { eventId: 'just now', occurredAt: day })])
      made = preparePartitions(other, day)
      await waits(sql, 'maker')
    })
    await made
    await preparePartitions(sql, day)
    expect(await partitionOf('just now')).toBe('inbox_rest')
    await storeEvents(sql, [eventOf('1', { eventId: 'next day', occurredAt: day + 86_400_000 })])
    expect(await partitionOf('next day')).toBe('inbox_20320506')
    await other.end()
  })

  test('keep nobody waiting who stores an event while somebody reads the inbox for long', async () => {
    const { sql, url } = database
    const reader = connect(url, { max: 1, applicationName: 'reader' })
    const maker = connect(url, { max: 1, applicationName: 'maker', statementTimeoutMs: 60_000 })
    const day = Date.UTC(2033, 4, 5, 4)
    let readerGoes: () => void = () => undefined
    let reading: Promise<unknown> = Promise.resolve()
    await new Promise<void>((reads) => {
      reading = reader.begin(async (tx) => {
        await tx`select from inbox limit 1`
        reads()
        await new Promise<void>((resolve) => {
          readerGoes = resolve
        })
      })
    })
    const made = preparePartitions(maker, day)
    await storeEvents(sql, [eventOf('1', { eventId: 'meanwhile', occurredAt: day })])
    expect(await made).toBe(false)
    expect(await partitionOf('meanwhile')).toBe('inbox_rest')
    readerGoes()
    await reading
    expect(await preparePartitions(maker, day + 86_400_000)).toBe(true)
    await storeEvents(sql, [eventOf('1', { eventId: 'afterwards', occurredAt: day + 8 * 86_400_000 })])
    expect(await partitionOf('afterwards')).toBe('inbox_20330513')
    await Promise.all([reader.end(), maker.end()])
  })

  test('take the events of their own day in China', async () => {
    const { sql } = database
    const day = Date.UTC(2031, 4, 5, 4)
    await preparePartitions(sql, day)
    await preparePartitions(sql, day)
    const midnight = Date.UTC(2031, 4, 4, 16)
    await storeEvents(sql, [
      eventOf('1', { eventId: 'last', occurredAt: midnight - 1 }),
      eventOf('1', { eventId: 'first', occurredAt: midnight }),
      eventOf('1', { eventId: 'far', occurredAt: midnight + 9 * 86_400_000 }),
    ])
    expect(await partitionOf('last')).toBe('inbox_20310504')
    expect(await partitionOf('first')).toBe('inbox_20310505')
    expect(await partitionOf('far')).toBe('inbox_rest')
  })
})
