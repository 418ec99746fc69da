/** Events and exceptions: the same on Postgres and on plain maps, answer by answer and state by state. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dayMs } from './inbox/event.ts'
import { type Scene, sameOnBoth } from './testing/both-stores.ts'
import { atMs, eventOf, lines, snapshotOf } from './testing/world.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())
const onBoth = async (script: (scene: Scene) => Promise<void>): Promise<void> => {
  await sameOnBoth(() => database, script)
}

const hourMs = 3_600_000
const all = { afterSeq: '0', limit: 100, olderThanMs: 0 }
const body = (text: string): Buffer => Buffer.from(text)

describe('an event', () => {
  test('is kept once, another body beside it', () =>
    onBoth(async ({ store }) => {
      const [event, other] = [eventOf('1', { eventId: 'e' }), eventOf('1', { eventId: 'e', body: body('{}') })]
      expect((await store.storeEvents([event])).map((s) => s.outcome)).toEqual(['new'])
      expect((await store.storeEvents([other, event])).map((s) => s.outcome)).toEqual(['conflict', 'duplicate'])
      expect((await store.storeEvents([other])).map((s) => s.outcome)).toEqual(['conflict'])
      expect((await store.readPending(all)).map((p) => p.eventId)).toEqual(['e'])
    }))

  test('given twice in one batch is stored once; the batch is numbered in the sequence of its keys', () =>
    onBoth(async ({ store }) => {
      const [b, a] = [eventOf('1', { eventId: 'b' }), eventOf('1', { eventId: 'a' })]
      const early = eventOf('1', { eventId: 'z', occurredAt: atMs - dayMs })
      const outcomes = await store.storeEvents([b, a, b, early, eventOf('1', { eventId: 'a', body: body('{}') })])
      expect(outcomes.map((s) => s.outcome)).toEqual(['new', 'new', 'duplicate', 'new', 'conflict'])
      expect((await store.readPending(all)).map((p) => p.eventId)).toEqual(['z', 'a', 'b'])
      expect(await store.nextNumber()).toBe('6')
    }))

  test('is stored under its own day', () =>
    onBoth(async ({ store }) => {
      const event = eventOf('1', { eventId: 'e' })
      await store.storeEvents([event])
      expect(await store.isStored(event)).toBe(true)
      expect(await store.isStored({ ...event, occurredAt: atMs + dayMs })).toBe(false)
      expect(await store.isStored({ ...event, shop: 'other' })).toBe(false)
    }))

  test('that answers others ends them, whether it is new or not', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const first = await scene.told('1', 'notification')
      const answer = eventOf('1', { eventId: 'fetched' })
      await store.storeEvents([{ ...answer, answers: [first] }])
      expect(await store.stillPending([first])).toEqual(new Set())
      const second = await scene.told('1', 'notification')
      await store.storeEvents([{ ...answer, answers: [second, '999'] }])
      expect(await store.stillPending([first, second])).toEqual(new Set())
      expect(await store.countPending()).toBe(1)
    }))
})

describe('pending events', () => {
  test('are read from a number on, so many, and until their bodies are too many bytes', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const seqs = [await scene.told('1'), await scene.told('2'), await scene.told('3')]
      const [first] = await store.readPending(all)
      expect(await store.readPending({ ...all, limit: 2 })).toHaveLength(2)
      expect((await store.readPending({ ...all, afterSeq: seqs[1]! })).map((p) => p.seq)).toEqual([seqs[2]])
      const bytes = first!.body.length
      for (const [bytesMax, rows] of [
        [0, 0],
        [1, 1],
        [bytes, 1],
        [bytes + 1, 2],
        [bytes * 2, 2],
        [1e9, 3],
      ] as const) {
        expect(await store.readPending({ ...all, bytesMax }), `${bytesMax} bytes`).toHaveLength(rows)
      }
      expect(await store.readPending({ ...all, limit: 1, bytesMax: bytes * 2 })).toHaveLength(1)
      expect(await store.readPending({ ...all, olderThanMs: hourMs })).toEqual([])
    }))

  test('that are put aside come again when their time is over, with the count of their attempts', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const [one, two, three] = [await scene.told('1'), await scene.told('2'), await scene.told('3')]
      await store.postpone([one, two, '999'], hourMs, 'no_stock')
      expect((await store.readPending(all)).map((p) => p.seq)).toEqual([three])
      expect(await store.countPending()).toBe(3)
      await store.postpone([one, one], 0, 'away')
      expect((await store.readPending(all)).map((p) => [p.seq, p.attempts])).toEqual([
        [one, 2],
        [three, 0],
      ])
    }))

  test('that are doubted wait as well, count no attempt, and keep nobody busy', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const [one, two] = [await scene.told('1', 'notification'), await scene.told('2')]
      await store.postpone([one], 0, 'away')
      await store.doubt([one], hourMs)
      expect((await store.readPending(all)).map((p) => p.seq)).toEqual([two])
      expect(await store.countPending()).toBe(1)
      await store.doubt([one], 0)
      expect((await store.readPending(all)).map((p) => [p.seq, p.attempts])).toEqual([
        [one, 1],
        [two, 0],
      ])
      await store.postpone([one], 0, 'away')
      expect(await store.countPending()).toBe(2)
    }))

  test('that version 0.1.0 called hints are read as notifications', () =>
    onBoth(async (scene) => {
      await scene.told('1', 'hint')
      expect(await scene.store.readPending(all)).toMatchObject([{ kind: 'notification' }])
    }))
})

describe('an exception', () => {
  const shortage = { kind: 'shortage', ref: 'east/a', detail: { node: 'east', sku: 'a', missing: 1 } }

  test('is opened once, keeps its age and order, and takes the newer detail', () =>
    onBoth(async ({ store }) => {
      expect(await store.raise([])).toBe(0)
      expect(await store.raise([{ ...shortage, orderId: '7', since: 5_000 }, shortage])).toBe(1)
      expect(await store.raise([{ ...shortage, orderId: '7', since: 9_000, detail: { missing: 2 } }])).toBe(0)
      expect(await store.raise([shortage, { kind: 'other', ref: 'east/a' }])).toBe(1)
      expect(
        await store.raise([{ ...shortage, detail: { missing: 3, none: undefined, list: [1, { a: null }] } }]),
      ).toBe(0)
    }))

  test('that is closed is opened anew', () =>
    onBoth(async ({ store }) => {
      await store.raise([shortage, { ...shortage, ref: 'west/a' }, { kind: 'other', ref: 'east/a' }])
      expect(await store.resolve('shortage', [])).toBe(0)
      expect(await store.resolve('shortage', ['east/a', 'north/a'])).toBe(1)
      expect(await store.resolve('shortage', ['east/a'])).toBe(0)
      expect(await store.raise([shortage])).toBe(1)
      expect(await store.resolve('shortage', ['west/a', 'east/a'])).toBe(2)
    }))

  test('of a decision is opened unless it is open, without an order when there is none', () =>
    onBoth(async (scene) => {
      const problem = (missing: number) => ({ kind: 'unknown_sku', ref: '1/x', detail: { missing } })
      const told = { told: snapshotOf('1', lines('a', 2)) }
      await scene.commit('1', told, { problems: [problem(1), { ...problem(1), ref: '1/y' }] })
      await scene.commit('1', {}, { problems: [problem(2)] })
      const none = await scene.decided('2', {})
      const nothing = { ...none, order: none.before, problems: [{ ...problem(3), ref: '2' }] }
      expect(await scene.store.commitDecisions(0, [nothing])).toMatchObject({ outcome: 'committed' })
      expect(await scene.loaded('2')).toBeUndefined()
    }))

  test('of an event ends when the event is decided, and that of an order when no notification waits', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const about = { channel: 'tmall', shop: 'shop' }
      const [first, second] = [await scene.told('1', 'order', 'first'), await scene.told('1', 'notification', 'second')]
      const another = await scene.told('2', 'order', 'third')
      await store.raise([
        { kind: 'undecidable_event', ref: 'first', detail: { ...about, eventId: 'first' } },
        { kind: 'undecidable_event', ref: 'gone', detail: { ...about, eventId: 'gone' } },
        { kind: 'order_not_fetched', ref: '1', detail: { ...about, orderId: '1' } },
        { kind: 'order_not_fetched', ref: '2', detail: { ...about, orderId: '2' } },
        { kind: 'something_else', ref: '1', detail: { ...about, eventId: 'gone', orderId: '3' } },
      ])
      expect(await store.endEventExceptions()).toBe(2)
      await store.doubt([second], 0)
      expect(await store.endEventExceptions()).toBe(1)
      await store.storeEvents([{ ...eventOf('1', { eventId: 'last' }), answers: [first, another] }])
      expect(await store.endEventExceptions()).toBe(1)
      expect(await store.endEventExceptions()).toBe(0)
    }))
})
