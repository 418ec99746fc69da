/** Decisions, the epoch and backorders: the same on Postgres and on plain maps, answer by answer and state by state. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DecisionWrite } from './orders/commit.ts'
import { keyOf } from './orders/load.ts'
import { nodes, type Scene, Scene as SceneOf, safety, sameOnBoth, subjectsOf } from './testing/both-stores.ts'
import { atMs, keyFor, lines, type Step, snapshotOf } from './testing/world.ts'
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

const told = (orderId: string, quantity = 2): Step => ({
  told: snapshotOf(orderId, lines('a', quantity)),
  node: 'east',
})
const closed = (orderId: string): Step => ({
  told: snapshotOf(orderId, lines('a', 2), { platformState: 'closed', modifiedAt: atMs + 1 }),
})

describe('a decision', () => {
  test('settles its events, takes stock and is known by its reservation’s node and id', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const write = await scene.commit('1', told('1'))
      expect((await store.stillPending(write.seqs)).size).toBe(0)
      expect(await scene.available('east')).toBe(6 - safety - 2)
      expect([await store.hasReserved('east'), await store.hasReserved('west')]).toEqual([true, false])
      const { reservationId } = write.newTasks[0]!
      const asked = nodes.map((node) => ({ node, reservationId }))
      expect(await store.partedByCommit(asked)).toEqual({ committed: [asked[0]], others: [asked[1]] })
    }))

  test.each<[why: string, write: (fresh: DecisionWrite) => DecisionWrite, epoch: number, outcome: object]>([
    ['another epoch', (w) => w, 1, { outcome: 'stale_epoch', epoch: 0 }],
    ['an event that is settled', (w) => ({ ...w, seqs: ['999'] }), 0, { outcome: 'settled_elsewhere' }],
    ['an event given twice', (w) => ({ ...w, seqs: [...w.seqs, ...w.seqs] }), 0, { outcome: 'settled_elsewhere' }],
  ])('is not written for %s', (_, change, epoch, outcome) =>
    onBoth(async (scene) => {
      const write = await scene.decided('1', told('1'))
      expect(await scene.store.commitDecisions(epoch, [change(write)])).toEqual(outcome)
      expect(await scene.store.stillPending(write.seqs)).toEqual(new Set(write.seqs))
      expect(await scene.available('east')).toBe(6 - safety)
      expect(await scene.loaded('1')).toBeUndefined()
    }),
  )

  test('reads no more than some of many orders at once, and names the others', () =>
    onBoth(async (scene) => {
      for (const id of ['1', '2', '3']) await scene.commit(id, told(id, 1))
      const keys = ['1', '2', '3', 'unknown'].map(keyFor)
      const few = await scene.store.loadSome(keys, 1)
      expect([few.loaded.size, few.left.size]).toEqual([1, 2])
      const known = new Set(keys.slice(0, 3).map(keyOf))
      expect(new Set([...few.loaded.keys(), ...few.left])).toEqual(known)
      const all = await scene.store.loadSome(keys, 1_000_000)
      expect([new Set(all.loaded.keys()), all.left]).toEqual([known, new Set()])
    }))

  test('for more than there is refuses the whole batch', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const [small, large] = [await scene.decided('1', told('1')), await scene.decided('2', told('2', 4))]
      const short = [{ node: 'east', sku: 'a' }]
      expect(await store.commitDecisions(0, [small, large])).toEqual({ outcome: 'stock_refused', short })
      expect(await store.commitDecisions(0, [small])).toMatchObject({ outcome: 'committed' })
      expect(await store.stillPending(large.seqs)).toEqual(new Set(large.seqs))
    }))

  test('on an order that changed meanwhile is a conflict, and the others of its batch are not', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const [late, first] = [await scene.decided('1', told('1')), await scene.decided('1', told('1'))]
      const other = await scene.decided('2', told('2'))
      await store.commitDecisions(0, [first])
      expect(await store.commitDecisions(0, [late, other])).toMatchObject({ outcome: 'committed', conflicts: [0] })
      const cancelling = await scene.decided('1', closed('1'))
      await store.pullTasks('east', 9, 60)
      expect(await store.commitDecisions(0, [cancelling])).toMatchObject({ outcome: 'committed', conflicts: [0] })
    }))

  test('on a task that was pulled again is none: what it asks reaches the owner that the task has now', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { taskId, fence } = await scene.pulled('1')
      const cancelling = await scene.decided('1', closed('1'))
      // The lease is over.
      await store.extendLease('east', taskId, fence, 0)
      const [again] = await store.pullTasks('east', 9, 60)
      expect(again).toMatchObject({ taskId, fence: fence + 1, intercepted: false })
      expect(await store.commitDecisions(0, [cancelling])).toMatchObject({ outcome: 'committed', conflicts: [] })
      expect(await store.pullTasks('east', 9, 60)).toMatchObject([{ taskId, fence: again!.fence, intercepted: true }])
    }))

  test('that releases is numbered, and told from any number on', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { taskId } = await scene.routed('1')
      const back = { node: 'east', seq: 2, lines: [{ sku: 'a', delta: 2 }] }
      expect(await store.commitDecisions(0, [await scene.decided('1', closed('1'))])).toMatchObject({ deltas: [back] })
      expect(await store.deltasAfter('east', 1)).toEqual([back])
      expect(await store.deltasAfter('east', 0)).toEqual([
        { node: 'east', seq: 1, lines: [{ sku: 'a', delta: 6 - safety }] },
        back,
      ])
      const { tasks } = (await scene.loaded('1'))!
      expect(tasks).toMatchObject([{ taskId, state: 'cancelled', lines: [{ sku: 'a', quantity: 2 }] }])
    }))

  test('that believes a warehouse takes what is not there from the books', () =>
    onBoth(async (scene) => {
      const { store } = scene
      await scene.routed('2')
      const task = await scene.pulled('1')
      await store.giveBack(
        'east',
        task.taskId,
        task.fence,
        { state: 'rejected', reason: 'out_of_stock', lines: [] },
        () => ({
          ...{ channel: 'tmall', shop: 'shop', eventId: 'back', orderId: '1', kind: 'command', occurredAt: atMs },
          ...{ body: Buffer.from('{}'), bodyHash: '00' },
        }),
      )
      const corrections = [{ sku: 'a', missing: 1, believeNothingLeft: true }]
      const why = 'out_of_stock'
      const write = await scene.decided('1', { takenBack: [{ taskId: task.taskId, why, corrections }] })
      expect(write.releases).toMatchObject([{ corrections }])
      const done = await store.commitDecisions(0, [write])
      // Six, of which two are promised to the other order: four leave the books, and two come back from the task.
      expect(done).toMatchObject({ deltas: [{ lines: [{ sku: 'a', delta: 2 - 4 }] }] })
      expect(await scene.available('east')).toBe(0 - safety)
    }))
})

test.each(subjectsOf(() => database))(
  '$name: the epoch is raised alone, and what throws leaves it',
  async ({ make }) => {
    const { store } = await make()
    const scene = new SceneOf(store)
    await scene.post('east', 'set', 6)
    const write = await scene.decided('1', told('1'))
    const done: string[] = []
    let commit: Promise<unknown> = Promise.resolve()
    const raised = store.withEpochLock(async (inside, epoch) => {
      commit = store.commitDecisions(epoch, [write]).then((c) => done.push(c.outcome))
      expect(await inside.nodeNames()).toEqual(nodes)
      expect((await inside.figuresOf(['east']))[0]).toMatchObject({ seq: 1 })
      done.push('raised')
      return epoch + 1
    })
    expect(await raised).toBe(1)
    await commit
    expect(done).toEqual(['raised', 'stale_epoch'])
    await expect(store.withEpochLock(() => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError)
    expect(await store.withEpochLock(async () => null)).toBe(1)
    expect(await store.currentEpoch()).toBe(1)
  },
)

describe('orders that wait for goods', () => {
  const waiting = (orderId: string, ...wanted: (string | number)[]): Step => ({
    told: snapshotOf(orderId, lines(...wanted)),
  })
  const every = { perSku: 9, all: 99 }

  test('are found by SKU, in the sequence in which they came, as many of one SKU as of another', () =>
    onBoth(async (scene) => {
      const { store } = scene
      for (const orderId of ['3', '1', '2']) await scene.commit(orderId, waiting(orderId, 'a', 2, 'b', 1))
      await scene.commit('4', waiting('4', 'b', 3, 'b', 1))
      expect(await store.backorderedSkus('', 9)).toEqual(['a', 'b'])
      expect(await store.backorderedSkus('', 1)).toEqual(['a'])
      expect(await store.backorderedSkus('a', 9)).toEqual(['b'])
      expect(await store.backorderedSkus('b', 9)).toEqual([])
      const both = [
        { sku: 'b', after: null },
        { sku: 'a', after: null },
      ]
      const found = await store.backordersOf(both, every)
      expect(found.map((b) => `${b.orderId}${b.sku}${b.quantity}`)).toEqual([
        '3a2',
        '3b1',
        '1a2',
        '1b1',
        '2a2',
        '2b1',
        '4b4',
      ])
      expect(await store.backordersOf(both, { perSku: 2, all: 3 })).toHaveLength(3)
      expect(await store.backordersOf(both, { perSku: 1, all: 99 })).toHaveLength(2)
      const behind = await store.backordersOf([{ sku: 'a', after: found[0]!.id }], every)
      expect(behind.map((b) => b.orderId)).toEqual(['1', '2'])
      expect(await store.backordersOf([{ sku: 'x', after: null }], every)).toEqual([])
    }))

  test('do so until they are sourced, cancelled or ask for something else', () =>
    onBoth(async (scene) => {
      const { store } = scene
      for (const orderId of ['1', '2', '3']) await scene.commit(orderId, waiting(orderId, 'a', 2, 'b', 1))
      const one = await scene.decided('1', { node: 'east' })
      expect(await store.commitDecisions(0, [one])).toMatchObject({ outcome: 'stock_refused' })
      await scene.post('east', 'set', 9, 'b')
      const again = await scene.commit('1', { node: 'east' })
      expect(again.newTasks).toHaveLength(1)
      await scene.commit('2', closed('2'))
      const less = snapshotOf('3', lines('a', 1), { modifiedAt: atMs + 1 })
      await scene.commit('3', { told: less })
      const left = await store.backordersOf(
        ['a', 'b'].map((sku) => ({ sku, after: null })),
        every,
      )
      expect(left.filter((b) => b.orderId !== '3')).toEqual([])
      const key = keyOf(keyFor('3'))
      const places = (await store.loadSome([keyFor('3')], 1)).loaded.get(key)!.order.allocations.map((a) => a.place)
      expect(places).toContain('backordered')
    }))
})
