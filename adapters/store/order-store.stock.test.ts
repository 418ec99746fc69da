/** Stock, its watch and its shortages: the same on Postgres and on plain maps, answer by answer and state by state. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { onHandMax } from '../../router/posting.ts'
import { type Scene, safety, sameOnBoth } from './testing/both-stores.ts'
import { eventOf, lines, sha256, snapshotOf } from './testing/world.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())
const onBoth = async (script: (scene: Scene) => Promise<void>): Promise<void> => {
  await sameOnBoth(() => database, script)
}

describe('a posting', () => {
  test('is done once under its name; what is new at a node keeps its safety stock back', () =>
    onBoth(async ({ store }) => {
      const posting = {
        node: 'east',
        ref: 'r',
        kind: 'set',
        lines: lines('b', 3, 'a', 5),
        bodyHash: sha256('1'),
      } as const
      expect(await store.postStock(posting)).toMatchObject({ outcome: 'posted', shortages: [] })
      expect(await store.postStock(posting)).toEqual({ outcome: 'already_posted' })
      expect(await store.postStock({ ...posting, bodyHash: sha256('2') })).toEqual({
        outcome: 'ref_used_for_other_lines',
      })
      expect(await store.postStock({ ...posting, node: 'west' })).toMatchObject({ delta: { node: 'west', seq: 1 } })
      const added = await store.postStock({ ...posting, ref: 's', kind: 'add', lines: lines('a', 1, 'a', 2) })
      expect(added).toMatchObject({ delta: { seq: 2, lines: [{ sku: 'a', delta: 3 }] } })
    }))

  test('that writes off more than there is changes nothing', () =>
    onBoth(async (scene) => {
      await scene.post('east', 'set', 2)
      expect(await scene.post('east', 'add', -3)).toEqual({ outcome: 'below_zero', skus: ['a'] })
      expect(await scene.post('east', 'add', -3, 'b')).toEqual({ outcome: 'below_zero', skus: ['b'] })
      expect(await scene.post('east', 'add', -2)).toMatchObject({ delta: { seq: 2 } })
    }))

  test('that brings more than a row holds changes nothing', () =>
    onBoth(async (scene) => {
      await scene.post('east', 'set', onHandMax)
      expect(await scene.post('east', 'add', 1)).toEqual({ outcome: 'above_max', skus: ['a'] })
      expect(await scene.post('east', 'set', onHandMax + 1, 'b')).toEqual({ outcome: 'above_max', skus: ['b'] })
      expect(await scene.post('east', 'add', -1)).toMatchObject({ delta: { seq: 2 } })
      expect(await scene.post('east', 'add', 1)).toMatchObject({ delta: { seq: 3 } })
    }))
})

describe('a count with its time', () => {
  const minute = 60_000
  const counted = (scene: Scene, ref: string, countedAt: number | null, ...flat: (string | number)[]) =>
    scene.store.postStock({ node: 'east', ref, kind: 'set', lines: lines(...flat), bodyHash: sha256(''), countedAt })

  test('keeps what came, left and was found missing since then', () =>
    onBoth(async (scene) => {
      const earlier = Date.now() - minute
      await scene.post('east', 'add', 9)
      await scene.post('west', 'add', 5)
      const [left, stays, missing] = [
        await scene.pulled('1', 2),
        await scene.pulled('2', 1),
        await scene.pulled('3', 3),
      ]
      const box = { carrier: 'SF', waybill: 'W1', lines: lines('a', 2), shippedAt: 7 }
      await scene.store.shipTask('east', left.taskId, left.fence, [box])
      await scene.store.giveBack(
        ...(['east', missing.taskId, missing.fence, { state: 'rejected', reason: 'damaged', lines: [] }] as const),
        (order) => eventOf(order.orderId, { kind: 'command', eventId: 'back' }),
      )
      const correction = { sku: 'a', missing: 3, believeNothingLeft: false }
      const takenBack = [{ taskId: missing.taskId, why: 'damaged', corrections: [correction] } as const]
      await scene.commit('3', { takenBack })
      expect(await scene.available('east')).toBe(9 - 2 - 3 - 1 - safety)
      // Yesterday evening there were 20, and none of what came this morning.
      expect(await counted(scene, 'r-late', earlier, 'a', 20)).toMatchObject({ outcome: 'posted' })
      expect(await scene.available('east')).toBe(20 + 9 - 2 - 3 - 1 - safety)
      expect(stays.state).toBe('pulled')
    }))

  test('knows that a parcel left which the books no longer had', () =>
    onBoth(async (scene) => {
      const earlier = Date.now() - minute
      await scene.post('east', 'add', 4)
      const { taskId, fence } = await scene.pulled('1', 2)
      await scene.post('east', 'add', -4)
      const box = { carrier: 'SF', waybill: 'W1', lines: lines('a', 2), shippedAt: 7 }
      expect(await scene.store.shipTask('east', taskId, fence, [box])).toMatchObject({ outcome: 'shipped' })
      // 5 lay there; 4 came, 4 were written off, 2 left.
      await counted(scene, 'r-late', earlier, 'a', 5)
      expect(await scene.available('east')).toBe(3 - safety)
    }))

  test('is refused as a whole when one of its rows was counted later, and when it is of the future', () =>
    onBoth(async (scene) => {
      const nowMs = Date.now()
      expect(await counted(scene, 'r1', nowMs - 2 * minute, 'a', 5)).toMatchObject({ outcome: 'posted' })
      expect(await counted(scene, 'r2', nowMs - 3 * minute, 'a', 9, 'b', 9)).toEqual({
        outcome: 'stale_count',
        skus: ['a'],
      })
      expect(await counted(scene, 'r2', nowMs - 2 * minute, 'a', 6)).toMatchObject({ outcome: 'posted' })
      expect(await counted(scene, 'r3', nowMs + minute, 'a', 9)).toEqual({ outcome: 'count_in_the_future' })
      expect(await counted(scene, 'r3', nowMs - 8 * 24 * 60 * minute, 'b', 9)).toMatchObject({ outcome: 'stale_count' })
      expect(await counted(scene, 'r4', null, 'a', 7)).toMatchObject({ outcome: 'posted' })
      // A count without a time was made now.
      expect(await counted(scene, 'r5', nowMs - minute, 'a', 9)).toEqual({ outcome: 'stale_count', skus: ['a'] })
      expect(await scene.available('east')).toBe(7 - safety)
    }))
})

describe('the watch', () => {
  test('sees what changed at a node after a number of its own; reservations alone do not count', () =>
    onBoth(async (scene) => {
      const { store } = scene
      expect(await store.nodeSeqs()).toEqual([
        { node: 'east', seq: 0 },
        { node: 'west', seq: 0 },
      ])
      await scene.post('west', 'set', 4, 'b')
      await scene.post('east', 'set', 9)
      await scene.post('east', 'set', 9, 'b')
      await scene.routed('1')
      const changed = (east: number, west: number) =>
        store.changedSince([
          { node: 'east', seq: east },
          { node: 'west', seq: west },
          { node: 'nowhere', seq: 0 },
        ])
      expect(await changed(2, 1)).toEqual([])
      expect(await changed(1, 1)).toEqual([{ node: 'east', sku: 'b', available: 9 - safety, isShort: false }])
      expect(await changed(0, 0)).toHaveLength(3)
      await scene.post('east', 'set', 1)
      expect(await changed(2, 1)).toEqual([{ node: 'east', sku: 'a', available: 1 - safety - 2, isShort: true }])
      expect(await store.changedSince([])).toEqual([])
      expect((await store.nodeSeqs()).map((n) => n.seq)).toEqual([3, 1])
    }))

  test('sees a node’s figures together with the reservations in them', () =>
    onBoth(async (scene) => {
      const { store } = scene
      await scene.post('east', 'set', 9)
      const { newTasks } = await scene.commit('1', { told: snapshotOf('1', lines('a', 2)), node: 'east' })
      const { reservationId } = newTasks[0]!
      const books = await store.figuresWithCommitted('east', ['unknown', reservationId, reservationId])
      expect(books).toEqual({ seq: 1, available: new Map([['a', 9 - safety - 2]]), committed: [reservationId] })
      expect(await store.figuresWithCommitted('west', [reservationId])).toEqual({
        ...{ seq: 0, available: new Map(), committed: [] },
      })
      expect(await store.figuresWithCommitted('nowhere', [])).toBeNull()
      expect(await store.figuresOf(['nowhere'])).toEqual([])
    }))
})

describe('a shortage', () => {
  const recallIdOf = ({ taskId }: { readonly taskId: string }): string => `${taskId}.recall`
  const shortAt = (node: string, sku: string, missing: number) => ({ node, sku, missing })

  test('is found among the rows of one posting, of a node, of some places, and of what is known', () =>
    onBoth(async (scene) => {
      const { store } = scene
      for (const node of ['east', 'west']) await scene.post(node, 'set', 9)
      await scene.routed('1', 4, 'west')
      await scene.routed('2', 4, 'east')
      expect(await store.shortRows(null)).toEqual([])
      expect(await scene.post('west', 'set', 1)).toMatchObject({ shortages: [{ sku: 'a', missing: 3 }] })
      await scene.post('east', 'set', 3)
      const [east, west] = [shortAt('east', 'a', 1), shortAt('west', 'a', 3)]
      expect(await store.shortRows(null)).toEqual([east, west])
      expect(await store.shortRows({ node: 'west', skus: ['b', 'a'] })).toEqual([west])
      expect(await store.shortRows({ node: 'west', skus: ['b'] })).toEqual([])
      expect(await store.shortAmong([], [])).toEqual([])
      expect(await store.shortAmong([{ node: 'west', sku: 'a' }], ['east', 'nowhere'])).toEqual([east, west])
      expect(await store.shortAmong([{ node: 'west', sku: 'b' }], [])).toEqual([])
      await store.raise([{ kind: 'shortage', ref: 'east/a', detail: { node: 'east', sku: 'a', missing: 1 } }])
      expect(await store.shortAmong([{ node: 'east', sku: 'a' }], [])).toEqual([east])
      expect(await store.shortAmong([], [])).toEqual([east])
    }))

  test('names the tasks that nobody pulled, newest first, and which are called back already', () =>
    onBoth(async (scene) => {
      const { store } = scene
      for (const sku of ['a', 'b']) await scene.post('east', 'set', 20, sku)
      await scene.post('west', 'set', 20)
      const pulled = await scene.pulled('1')
      const first = await scene.routed('2', 3)
      await scene.routed('3', 1, 'west')
      const two = { told: snapshotOf('4', lines('a', 1, 'b', 2, 'a', 1)), node: 'east' }
      const { task } = (await scene.commit('4', two)).newTasks[0]!
      await scene.post('east', 'set', 0)
      await store.storeEvents([eventOf('2', { eventId: recallIdOf(first), kind: 'command' })])
      const places = [
        { node: 'east', sku: 'b' },
        { node: 'east', sku: 'a' },
        { node: 'west', sku: 'a' },
      ]
      const found = await store.readShortages(places, recallIdOf)
      expect(found.short).toEqual([shortAt('east', 'a', 7)])
      expect(found.tasks.map((t) => [t.taskId, t.quantity])).toEqual([
        [task.taskId, 2],
        [first.taskId, 3],
      ])
      expect(found.tasks.map((t) => t.taskId)).not.toContain(pulled.taskId)
      expect(found.recalled).toEqual(new Set([recallIdOf(first)]))
      await scene.post('east', 'set', 0, 'b')
      expect((await store.readShortages(places, recallIdOf)).tasks).toHaveLength(3)
      expect(await store.readShortages([], recallIdOf)).toEqual({ short: [], tasks: [], recalled: new Set() })
      expect(await store.readShortages(places.slice(2), recallIdOf)).toMatchObject({ short: [], tasks: [] })
    }))

  test('ends when there is enough again', () =>
    onBoth(async (scene) => {
      const { store } = scene
      await scene.post('east', 'set', 9)
      await scene.routed('1', 4)
      await scene.post('east', 'set', 3)
      const about = (node: string) => ({ kind: 'shortage', ref: `${node}/a`, detail: { node, sku: 'a' } })
      await store.raise([about('east'), about('nowhere')])
      expect(await store.endShortages()).toBe(0)
      await scene.post('east', 'set', 4)
      expect(await store.endShortages()).toBe(1)
      expect(await store.endShortages()).toBe(0)
    }))

  test('is no obstacle to a parcel: the count was wrong, and Redis has something to learn', () =>
    onBoth(async (scene) => {
      const { store } = scene
      await scene.post('east', 'set', 9)
      const { taskId, fence } = await scene.pulled('1', 4)
      await scene.post('east', 'set', 3)
      const box = { carrier: 'SF', waybill: 'W', lines: lines('a', 4), shippedAt: 7 }
      expect(await store.shipTask('east', taskId, fence, [box])).toMatchObject({ outcome: 'shipped' })
      expect(await store.deltasAfter('east', 2)).toEqual([{ node: 'east', seq: 3, lines: [{ sku: 'a', delta: 1 }] }])
      expect(await store.changedSince([{ node: 'east', seq: 2 }])).toHaveLength(1)
    }))
})
