/** A warehouse's verbs on its tasks: the same on Postgres and on plain maps, answer by answer and state by state. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ParcelWord } from '../../router/parcels.ts'
import type { GivenBackAs } from '../../router/task.ts'
import type { WhoseParcel } from './tasks/whose-parcel.ts'
import { type Scene, safety, sameOnBoth } from './testing/both-stores.ts'
import { atMs, eventOf, keyFor, lines, type Step, snapshotOf } from './testing/world.ts'
import { type TestDatabase, testDatabase } from './testing.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())
const onBoth = async (script: (scene: Scene) => Promise<void>): Promise<void> => {
  await sameOnBoth(
    () => database,
    async (scene) => {
      await scene.post('east', 'set', 6)
      await script(scene)
    },
  )
}

const closed = (orderId: string): Step => ({
  told: snapshotOf(orderId, lines('a', 2), { platformState: 'closed', modifiedAt: atMs + 1 }),
})
const command = (eventId: string) => () => eventOf('1', { eventId, kind: 'command' })
const stop: GivenBackAs = { state: 'intercepted' }
const lapsedStop: GivenBackAs = { state: 'intercepted', lapsed: true }

describe('a task', () => {
  test('has one owner at a time, and only he may ship it, once', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const first = await scene.pulled('1')
      expect(await store.pullTasks('east', 9, 60)).toEqual([])
      await store.extendLease('east', first.taskId, first.fence, 0)
      const box = [{ carrier: 'c', waybill: 'w', lines: lines('a', 2), shippedAt: atMs }]
      const ship = (node: string, fence: number) => store.shipTask(node, first.taskId, fence, box)
      expect(await store.acceptTask('east', first.taskId, first.fence)).toEqual({ outcome: 'lease_lapsed' })
      const [second] = await store.pullTasks('east', 9, 60)
      expect(second).toMatchObject({ taskId: first.taskId, fence: first.fence + 1 })
      expect(await ship('east', first.fence)).toEqual({ outcome: 'stale_fence' })
      expect(await ship('west', second!.fence)).toEqual({ outcome: 'unknown_task' })
      expect(await store.acceptTask('east', first.taskId, second!.fence)).toMatchObject({ outcome: 'accepted' })
      expect(await store.acceptTask('east', first.taskId, second!.fence)).toMatchObject({ outcome: 'already_accepted' })
      expect(await ship('east', second!.fence)).toMatchObject({ outcome: 'shipped' })
      expect(await ship('east', second!.fence)).toMatchObject({ outcome: 'already_shipped' })
      expect(await scene.available('east')).toBe(6 - safety - 2)
      expect(await store.hasReserved('east')).toBe(false)
    }))

  test('that left after its lease is taken as long as no other pull has it', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { taskId, fence } = await scene.pulled('1')
      await store.extendLease('east', taskId, fence, 0)
      const box = [{ carrier: 'c', waybill: 'w', lines: lines('a', 2), shippedAt: atMs }]
      expect(await store.shipTask('east', taskId, fence, box)).toMatchObject({ outcome: 'shipped' })
      expect(await store.pullTasks('east', 9, 60)).toEqual([])
      expect(await store.hasReserved('east')).toBe(false)
    }))

  test('that left before it was to be stopped leaves the stock, and is not to be stopped any more', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { taskId, fence } = await scene.pulled('1', 2)
      await scene.commit('1', closed('1'))
      const box = (units: number) => [{ carrier: 'c', waybill: 'w', lines: lines('a', units), shippedAt: atMs }]
      expect(await store.shipTask('east', taskId, fence, box(2))).toEqual({ outcome: 'intercepted' })
      const gone = { alreadyGone: true }
      expect(await store.shipTask('east', taskId, fence, box(1), gone)).toMatchObject({ outcome: 'partly_shipped' })
      expect((await scene.loaded('1'))!.tasks[0]).toMatchObject({ state: 'accepted', interceptRequested: true })
      expect(await store.shipTask('east', taskId, fence, box(2), gone)).toMatchObject({ outcome: 'shipped' })
      expect((await scene.loaded('1'))!.tasks[0]).toMatchObject({ state: 'shipped', interceptRequested: false })
      expect(await store.hasReserved('east')).toBe(false)
    }))

  test('whose receiver changes after the pull is told to its owner, who takes the change or has it taken by a pull', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { taskId, fence } = await scene.pulled('1', 2)
      const told = (at: number, street: string) => {
        const now = snapshotOf('1', lines('a', 2), { modifiedAt: atMs + at })
        return scene.commit('1', { told: { ...now, receiver: { ...now.receiver, street } } })
      }
      const box = [{ carrier: 'c', waybill: 'w', lines: lines('a', 2), shippedAt: atMs }]
      await told(1_000, 'one')
      expect(await store.pullTasks('east', 9, 60)).toMatchObject([
        { taskId, fence, change: 1, receiver: { street: 'one' } },
      ])
      expect(await store.acceptTask('east', taskId, fence)).toEqual({ outcome: 'changed', change: 1 })
      expect(await store.extendLease('east', taskId, fence, 60)).toMatchObject({ outcome: 'extended', change: 1 })
      expect(await store.shipTask('east', taskId, fence, box)).toEqual({ outcome: 'changed', change: 1 })
      await told(2_000, 'two')
      expect(await store.acceptTask('east', taskId, fence, 1)).toEqual({ outcome: 'changed', change: 2 })
      expect(await store.acceptTask('east', taskId, fence, 2)).toMatchObject({ outcome: 'accepted' })
      expect(await store.extendLease('east', taskId, fence, 0)).toMatchObject({ outcome: 'extended', change: null })
      await told(3_000, 'three')
      const [again] = await store.pullTasks('east', 9, 60)
      expect(again).toMatchObject({ fence: fence + 1, change: null, receiver: { street: 'three' } })
      await told(4_000, 'four')
      expect(await store.shipTask('east', taskId, fence + 1, box, { change: 4 })).toMatchObject({ outcome: 'shipped' })
    }))

  test('goes oldest first, so many at a time, and of its own node alone', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const tasks = [await scene.routed('2', 1), await scene.routed('1', 1), await scene.routed('3', 1)]
      expect(await store.pullTasks('west', 9, 60)).toEqual([])
      expect((await store.pullTasks('east', 2, 60)).map((t) => t.taskId)).toEqual(
        tasks.slice(0, 2).map((t) => t.taskId),
      )
      expect((await store.pullTasks('east', 2, 0)).map((t) => t.taskId)).toEqual([tasks[2]!.taskId])
      expect((await store.pullTasks('east', 2, 60)).map((t) => t.fence)).toEqual([2])
    }))

  test('waits for its date, and is then as old as that', () =>
    onBoth(async (scene) => {
      const dated = async (orderId: string, readyAt: number | null) => {
        const told = snapshotOf(orderId, lines('a', 1))
        const write = await scene.commit(orderId, {
          told: { ...told, lines: told.lines.map((line) => ({ ...line, readyAt })) },
          node: 'east',
        })
        return write.newTasks[0]!.task.taskId
      }
      const farAhead = Date.UTC(2199, 0)
      const [, over, plain] = [await dated('1', farAhead), await dated('2', atMs), await dated('3', null)]
      expect((await scene.store.pullTasks('east', 9, 60)).map((t) => t.taskId)).toEqual([over, plain])
      expect((await scene.loaded('1'))!.tasks[0]!.notBefore).toBe(farAhead)
      // The platform moves the date.
      const told = snapshotOf('1', lines('a', 1), { modifiedAt: atMs + 1_000 })
      await scene.commit('1', { told: { ...told, lines: told.lines.map((line) => ({ ...line, readyAt: atMs })) } })
      expect(await scene.store.pullTasks('east', 9, 60)).toHaveLength(1)
    }))

  test('is shipped in parts, and a waybill in several calls', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { taskId, fence } = await scene.pulled('1', 3)
      const box = (waybill: string, units: number) => ({
        ...{ carrier: 'SF', waybill, lines: lines('a', units), shippedAt: atMs },
      })
      const ship = (...boxes: ReturnType<typeof box>[]) => store.shipTask('east', taskId, fence, boxes)
      expect(await ship(box('w1', 4))).toEqual({ outcome: 'lines_do_not_match', sku: 'a' })
      expect(await ship(box('w1', 1))).toMatchObject({ outcome: 'partly_shipped' })
      expect(await ship(box('w1', 1))).toMatchObject({ outcome: 'already_shipped', state: 'accepted' })
      expect(await ship(box('w1', 1), box('w2', 1))).toMatchObject({ outcome: 'partly_shipped' })
      expect(await ship(box('w1', 2))).toMatchObject({ outcome: 'shipped' })
      expect(await ship(box('w1', 2))).toMatchObject({ outcome: 'already_shipped', state: 'shipped' })
      expect(await store.acceptTask('east', taskId, fence)).toMatchObject({ outcome: 'wrong_state' })
    }))
})

describe('a lease', () => {
  test('is extended by its owner while it lasts, also of a task that is to be stopped', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { taskId, fence } = await scene.pulled('1')
      const extend = (node: string, by: number, of = fence) => store.extendLease(node, taskId, of, by)
      expect(await extend('west', 60)).toEqual({ outcome: 'unknown_task' })
      expect(await extend('east', 60, fence + 1)).toEqual({ outcome: 'stale_fence' })
      expect(await extend('east', 60)).toMatchObject({ outcome: 'extended', intercepted: false, state: 'pulled' })
      await store.acceptTask('east', taskId, fence)
      await scene.commit('1', closed('1'))
      expect(await extend('east', 60)).toMatchObject({ outcome: 'extended', intercepted: true, state: 'accepted' })
      expect((await store.pullTasks('east', 9, 60)).map((t) => t.intercepted)).toEqual([true])
      expect(await extend('east', 0)).toMatchObject({ outcome: 'extended' })
      expect(await extend('east', 60)).toEqual({ outcome: 'lease_lapsed' })
      expect(await store.pullTasks('east', 9, 60)).toEqual([])
    }))

  test('of a pull whose caller is gone is ended, unless the task went on', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const [one, two, three] = [await scene.pulled('1', 1), await scene.pulled('2', 1), await scene.pulled('3', 2)]
      await store.acceptTask('east', two.taskId, two.fence)
      await scene.commit('3', closed('3'))
      const stale = { ...one, fence: one.fence + 1 }
      await store.endLeases([stale, two, three, { ...one, taskId: 'unknown' }])
      expect((await store.pullTasks('east', 9, 60)).map((t) => t.taskId)).toEqual([three.taskId])
      await store.endLeases([])
      await store.endLeases([one, one])
      expect((await store.pullTasks('east', 9, 60)).map((t) => [t.taskId, t.fence])).toEqual([
        [one.taskId, one.fence + 1],
        [three.taskId, three.fence],
      ])
    }))
})

describe('what is given back', () => {
  test('waits for its command; a silent owner’s task is taken back', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { taskId, fence } = await scene.pulled('1')
      const reject: GivenBackAs = { state: 'rejected', reason: 'closed', lines: [] }
      const back = (how: GivenBackAs) => store.giveBack('east', taskId, fence, how, command('back'))
      expect(await back(lapsedStop)).toEqual({ outcome: 'lease_lapsed' })
      expect(await back(stop)).toEqual({ outcome: 'not_intercepted' })
      await scene.commit('1', closed('1'))
      expect(await store.lapsedIntercepts(9)).toEqual([])
      await store.extendLease('east', taskId, fence, 0)
      expect(await store.lapsedIntercepts(9)).toEqual([{ taskId, fence, node: 'east' }])
      expect(await store.lapsedIntercepts(0)).toEqual([])
      expect(await back(reject)).toEqual({ outcome: 'lease_lapsed' })
      const done = await back(lapsedStop)
      expect(done).toMatchObject({ outcome: 'given_back' })
      expect(await back(stop)).toEqual({ outcome: 'already_given_back' })
      expect(await back(reject)).toMatchObject({ outcome: 'wrong_state' })
      expect((await store.stillPending([(done as { seq: string }).seq])).size).toBe(1)
    }))

  test('under the id of a known command changes nothing', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { taskId, fence } = await scene.pulled('1')
      const back = (eventId: string, sku = 'a') => {
        const how: GivenBackAs = { state: 'rejected', reason: 'damaged', lines: lines(sku, 1) }
        return store.giveBack('east', taskId, fence, how, command(eventId))
      }
      await store.storeEvents([eventOf('1', { eventId: 'taken', kind: 'command' })])
      await expect(back('taken')).rejects.toThrow()
      expect(await back('free', 'b')).toEqual({ outcome: 'lines_do_not_match', sku: 'b' })
      expect(await back('free')).toMatchObject({ outcome: 'given_back' })
    }))
})

describe('a parcel that was told wrongly', () => {
  const given = { actor: { kind: 'operator', name: '' }, note: '' } as const
  const named = (waybill: string) => ({ carrier: 'SF', waybill })
  const correct = { kind: 'correct', from: named('W1'), to: named('W2') } as const
  const voiding = (waybill: string) => ({ kind: 'void', parcel: named(waybill) }) as const

  test('is corrected once, also when it is told again', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const orderId = await scene.shipped('1')
      const put = (whose: WhoseParcel, word: ParcelWord) => store.putParcelRight(whose, word, given, command('never'))
      expect(await put(keyFor('2'), correct)).toEqual({ outcome: 'unknown_order' })
      expect(await put(keyFor('1'), correct)).toEqual({ outcome: 'put_right', orderId, seq: null })
      expect(await put(keyFor('1'), correct)).toEqual({ outcome: 'already_put_right' })
      expect(await put(keyFor('1'), { ...correct, from: named('W3') })).toEqual({ outcome: 'unknown_parcel' })
      expect((await store.recordTrack({ ...named('W1'), state: 'delivered', occurredAt: 9 }, '1')).orderIds).toEqual([])
      expect((await store.recordTrack({ ...named('W2'), state: 'delivered', occurredAt: 9 }, '2')).orderIds).toEqual([
        orderId,
      ])
    }))

  test('is voided by its node: its units are in the task again, and the order is told by a command', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { taskId, fence } = await scene.pulled('1')
      const ship = (waybill: string, quantity: number, owner = fence) =>
        store.shipTask('east', taskId, owner, [{ ...named(waybill), lines: lines('a', quantity), shippedAt: 7 }])
      await ship('W1', 1)
      await ship('W2', 1)
      const available = await scene.available('east')
      const put = (node: string, waybill: string) =>
        store.putParcelRight({ node, taskId }, voiding(waybill), given, command(`void-${waybill}`))
      expect(await put('west', 'W1')).toEqual({ outcome: 'unknown_order' })
      const done = await put('east', 'W1')
      expect(done).toMatchObject({ outcome: 'put_right' })
      expect((await store.stillPending([(done as { seq: string }).seq])).size).toBe(1)
      expect(await scene.available('east')).toBe(available)
      expect(await put('east', 'W1')).toEqual({ outcome: 'already_put_right' })
      expect(await ship('W1', 1)).toEqual({ outcome: 'stale_fence' })
      const [again] = await store.pullTasks('east', 9, 60)
      expect(again).toMatchObject({ taskId, fence: fence + 2 })
      expect(await ship('W1', 1, fence + 2)).toMatchObject({ outcome: 'shipped' })
      await store.recordTrack({ ...named('W2'), state: 'in_transit', occurredAt: 9 }, '1')
      expect(await put('east', 'W2')).toEqual({ outcome: 'parcel_moved', state: 'in_transit' })
    }))
})

describe('a parcel that left outside of any task', () => {
  const given = { actor: { kind: 'operator', name: '' }, note: '' } as const
  const told = (waybill: string, units: number | null, node = 'west') => ({
    ...{ node, carrier: 'SF', waybill, shippedAt: 7, lines: units === null ? null : lines('a', units) },
  })

  test('is booked once: the unpulled task is called back, and the books of its node lose what they have', () =>
    onBoth(async (scene) => {
      const { store } = scene
      await scene.routed('1', 3)
      await scene.post('west', 'set', 1)
      const book = (parcel: ReturnType<typeof told>, eventId = 'outside') =>
        store.shipOutside(keyFor('1'), parcel, given, command(eventId))
      expect(await book(told('W1', 4))).toEqual({ outcome: 'lines_do_not_match', sku: 'a' })
      expect(await book(told('W1', 2, 'nowhere'))).toEqual({ outcome: 'unknown_stock' })
      expect(await store.shipOutside(keyFor('2'), told('W1', 1), given, command('never'))).toEqual({
        outcome: 'unknown_order',
      })
      expect(await book(told('W1', 2))).toMatchObject({ outcome: 'booked' })
      expect(await book(told('W1', 2))).toEqual({ outcome: 'already_booked' })
      expect([await scene.available('east'), await scene.available('west')]).toEqual([6 - safety, 0 - safety])
      expect(await store.pullTasks('east', 9, 60)).toEqual([])
      expect(await store.deltasAfter('west', 0)).toHaveLength(2)
      expect(await book(told('W2', null), 'rest')).toMatchObject({ outcome: 'booked' })
      expect(await book(told('W3', null), 'none')).toEqual({ outcome: 'nothing_open' })
    }))

  test('of what a warehouse has in hand nothing is taken', () =>
    onBoth(async (scene) => {
      await scene.pulled('1')
      const done = await scene.store.shipOutside(keyFor('1'), told('W1', null), given, command('never'))
      expect(done).toEqual({ outcome: 'units_in_hand', sku: 'a' })
    }))
})
