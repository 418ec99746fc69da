/** Order, funds and logistics: the same on Postgres and on plain maps, answer by answer and state by state. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BillProgress, BillRow } from '../../router/bill.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { atTime, nextDue } from '../../router/reconcile/expectations.ts'
import { changeOf, hasSomethingToClose, reconcile } from '../../router/reconcile.ts'
import type { Track } from '../../router/track.ts'
import type { ReconcileLoad, ReconcileResult } from './settle/reconcile.ts'
import { type Scene, sameOnBoth } from './testing/both-stores.ts'
import { atMs, keyFor, lines, snapshotOf } from './testing/world.ts'
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
      await scene.post('east', 'set', 50)
      await script(scene)
    },
  )
}

const longAgo = Date.UTC(2020, 0, 1)
const row = (orderId: string, change: Partial<BillRow> = {}): BillRow => ({
  ...{ ref: `pay-${orderId}`, kind: 'payment', ...keyFor(orderId), transactionId: null },
  ...{ amountFen: 200, feeFen: 1, occurredAt: longAgo, ...change },
})
const nameless = { channel: null, shop: null, orderId: null }
const delivered = (orderId: string, change: Partial<Track> = {}): Track => ({
  ...{ carrier: 'shunfeng', waybill: `W${orderId}`, state: 'delivered', occurredAt: longAgo },
  ...change,
})

/** As workers/settle asks it. */
function resultOf({ input, entered, nowMs }: ReconcileLoad): ReconcileResult | null {
  if (!hasSomethingToClose(input, entered)) return null
  const { id, version, state } = input.order
  const reconciliation = atTime(reconcile(input), nowMs, defaultPolicy.expectations)
  const dueAt = nextDue(reconciliation)
  return { orderId: id, version, entered, reconciliation, dueAt, change: changeOf(reconciliation, state) }
}
const changes = (results: readonly ReconcileResult[]) => results.map(({ orderId, change }) => [orderId, change])

describe('an order is due', () => {
  test('when it is shipped or cancelled, and when it was; not before', () =>
    onBoth(async (scene) => {
      const { store } = scene
      await scene.routed('1')
      expect(await store.dueOrders('0', 9)).toEqual([])
      const two = await scene.shipped('2')
      const cancelled = { told: snapshotOf('3', lines('a', 1), { platformState: 'closed' }) }
      const three = (await scene.commit('3', cancelled)).order.id
      expect(await store.dueOrders('0', 9)).toEqual([two, three])
      expect(await store.dueOrders('0', 1)).toEqual([two])
      expect(await store.dueOrders(two, 9)).toEqual([three])
      await store.reconcileTogether([two, three], resultOf)
      expect(await store.dueOrders('0', 9)).toEqual([])
      const paid = snapshotOf('3', lines('a', 1), { modifiedAt: atMs + 5 })
      await scene.commit('3', { told: paid, node: 'east' })
      expect(await store.dueOrders('0', 9)).toEqual([three])
    }))

  test('or is found on a walk over all when its version is another than the one looked at', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const [one, two] = [await scene.shipped('1'), await scene.shipped('2')]
      const { order: open } = await scene.commit('3', { told: snapshotOf('3', lines('a', 1)), node: 'east' })
      expect(await store.unreconciledOrders('0', 9)).toEqual({ unreconciled: [one, two], lastOrderId: null })
      expect(await store.unreconciledOrders('0', 1)).toEqual({ unreconciled: [one], lastOrderId: one })
      expect(await store.unreconciledOrders(one, 2)).toEqual({ unreconciled: [two], lastOrderId: open.id })
      expect(await store.unreconciledOrders(open.id, 2)).toEqual({ unreconciled: [], lastOrderId: null })
      await store.reconcileTogether([two], resultOf)
      expect(await store.unreconciledOrders('0', 9)).toMatchObject({ unreconciled: [one] })
      await scene.commit('2', { told: snapshotOf('2', lines('a', 2), { modifiedAt: atMs + 9, sellerMemo: 'x' }) })
      expect(await store.unreconciledOrders('0', 9)).toMatchObject({ unreconciled: [one, two] })
    }))
})

describe('something is expected of an order', () => {
  test('from its time on it is overdue, the longest first, until it is matched again', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const ids = [await scene.shipped('1'), await scene.shipped('2'), await scene.shipped('3')]
      const dueAt = new Map([
        [ids[0]!, longAgo + 5],
        [ids[1]!, longAgo],
        [ids[2]!, Date.UTC(2199, 0, 1)],
      ])
      const timed = (load: ReconcileLoad) => ({ ...resultOf(load)!, dueAt: dueAt.get(load.input.order.id)! })
      await store.reconcileTogether(ids, timed)
      expect(await store.dueOrders('0', 9)).toEqual([ids[0], ids[1]])
      // The longest overdue comes first when there is no room for both.
      expect(await store.dueOrders('0', 1)).toEqual([ids[1]])
      expect(await store.dueOrders(ids[0]!, 9)).toEqual([ids[1]])
      await store.recordTrack(delivered('3'), '1')
      expect(await store.dueOrders('0', 9)).toEqual(ids)
      await store.reconcileTogether(ids.slice(1), (load) => ({ ...resultOf(load)!, dueAt: null }))
      expect(await store.dueOrders('0', 9)).toEqual([ids[0]])
      await store.reconcileTogether([ids[0]!], timed)
      expect(await store.dueOrders('0', 9)).toEqual([ids[0]])
    }))
})

describe('reconciling', () => {
  test('closes an order whose flows agree, and opens it when they do not any more', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const id = await scene.shipped('1')
      expect(changes(await store.reconcileTogether([id, id, '999'], resultOf))).toEqual([[id, null]])
      await store.importBill('generic', 'a', [row('1')])
      expect(await store.recordTrack(delivered('1'), '{"a":1}')).toEqual({ outcome: 'recorded', orderIds: [id] })
      expect(changes(await store.reconcileTogether([id], resultOf))).toEqual([[id, 'closed']])
      expect((await scene.loaded('1'))?.order.state).toBe('closed')
      await store.reconcileTogether([id], resultOf)
      await store.importBill('generic', 'a', [row('1', { ref: 'back', kind: 'refund', amountFen: 5 })])
      expect(await store.dueOrders('0', 9)).toEqual([id])
      expect(changes(await store.reconcileTogether([id], resultOf))).toEqual([[id, 'reopened']])
      expect((await scene.loaded('1'))?.order.state).toBe('shipped')
      await store.reconcileTogether([id], resultOf)
    }))

  test('takes orders lowest first, ends their own exceptions alone, and changes nothing the second time', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const ids = [await scene.shipped('1'), await scene.shipped('2'), await scene.shipped('3')]
      await store.raise([
        { kind: 'payment_short', ref: ids[0]!, orderId: ids[0]! },
        { kind: 'payment_short', ref: 'of-another', orderId: '999' },
        { kind: 'shortage', ref: 'x', orderId: ids[0]! },
      ])
      const done = await store.reconcileTogether([...ids].reverse(), resultOf)
      expect(done.map((r) => r.orderId)).toEqual(ids)
      expect(await store.reconcileTogether(ids, resultOf)).toHaveLength(3)
      expect(await store.reconcileTogether([], resultOf)).toEqual([])
    }))

  test('leaves an order as it is of which nothing is said, and all of them when it fails', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const ids = [await scene.shipped('1'), await scene.shipped('2')]
      expect(await store.reconcileTogether(ids, () => null)).toEqual([])
      let asked = 0
      const failing = (load: ReconcileLoad) => {
        if (++asked === 2) throw new RangeError('no')
        return resultOf(load)
      }
      await expect(store.reconcileTogether(ids, failing)).rejects.toThrow(RangeError)
      expect(await store.dueOrders('0', 9)).toEqual(ids)
    }))

  test('leaves the mark of an order that was entered by another meanwhile', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const [known, fresh] = [await scene.shipped('1'), await scene.routed('2')]
      const notEntered = (load: ReconcileLoad) => resultOf({ ...load, entered: false })
      await store.reconcileTogether([known], notEntered)
      expect(await store.dueOrders('0', 9)).toEqual([known])
      const { id } = (await scene.loaded('2'))!.order
      expect(fresh.node).toBe('east')
      await store.importBill('generic', 'a', [row('2')])
      await store.reconcileTogether([id], notEntered)
      expect(await store.dueOrders('0', 9)).toEqual([known, id])
    }))
})

describe('a bill', () => {
  test('brings each of its rows once', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const id = await scene.shipped('1')
      const rows = [row('1'), row('1', { ref: 'fee', kind: 'fee', ...nameless }), row('1')]
      const first = await store.importBill('generic', 'a', rows)
      expect(first).toEqual({
        inserted: 2,
        known: 1,
        conflicting: 0,
        withoutOrder: 0,
        replaced: 0,
        setAside: 0,
        orderIds: [id],
      })
      await store.reconcileTogether([id], resultOf)
      expect(await store.importBill('generic', 'a', rows)).toMatchObject({ inserted: 0, known: 3, orderIds: [id] })
      expect(await store.dueOrders('0', 9)).toEqual([id])
      expect(await store.importBill('generic', 'b', rows)).toMatchObject({ inserted: 2, known: 1 })
      expect(await store.importBill('generic', 'a', [])).toMatchObject({ inserted: 0, orderIds: [] })
    }))

  test('follows a refund from its way to its end, in any sequence of days, and keeps what it cannot book', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const id = await scene.shipped('1')
      const day = 86_400_000
      const refund = (progress: BillProgress, days: number, change: Partial<BillRow> = {}) =>
        row('1', { ref: 'r', kind: 'refund', progress, occurredAt: longAgo + days * day, ...change })
      expect(await store.importBill('generic', 'a', [refund('pending', 0)])).toMatchObject({ inserted: 1 })
      const failed = { inserted: 0, replaced: 1, known: 0, conflicting: 0, orderIds: [id] }
      expect(await store.importBill('generic', 'a', [refund('failed', 1, { amountFen: 0 })])).toMatchObject(failed)
      expect(await store.importBill('generic', 'a', [refund('pending', 0)])).toMatchObject({ replaced: 0, known: 1 })
      const both = [refund('pending', 0), refund('done', 2)]
      expect(await store.importBill('generic', 'a', both)).toMatchObject({ replaced: 1, known: 1, conflicting: 0 })
      const other = refund('done', 2, { amountFen: 7 })
      expect(await store.importBill('generic', 'a', [other])).toMatchObject({ replaced: 0, conflicting: 1 })
      await store.reconcileTogether([id], resultOf)
      // A refund that was not made needs no order.
      const nobody = { ...keyFor('9'), ref: 's' }
      expect(await store.importBill('generic', 'a', [refund('failed', 0, nobody)])).toMatchObject({ withoutOrder: 0 })
      const odd = [{ ref: 'o', reason: 'in another currency', cells: { id: '4' } }]
      expect(await store.importBill('generic', 'a', [], odd)).toMatchObject({ inserted: 0, setAside: 1, orderIds: [] })
      expect(await store.importBill('generic', 'a', [], odd)).toMatchObject({ setAside: 1 })
    }))

  test('that says something else of a known row is a conflict, in the same file as well', () =>
    onBoth(async (scene) => {
      const { store } = scene
      await scene.shipped('1')
      const other = row('1', { amountFen: 7 })
      expect(await store.importBill('generic', 'a', [row('1'), other])).toMatchObject({ inserted: 1, conflicting: 1 })
      expect(await store.importBill('generic', 'a', [other])).toMatchObject({ inserted: 0, conflicting: 1 })
      expect(await store.importBill('generic', 'a', [{ ...other, feeFen: 9 }])).toMatchObject({ conflicting: 1 })
    }))

  test('of an order that is not here yet waits for it, by the order’s number or by the payment’s', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const byPayment = { ...row('9'), ...nameless, ref: 'p', transactionId: 'tx' }
      const rows = [row('1'), byPayment, { ...row('8'), ...nameless, ref: 'fee', kind: 'fee' as const }, row('7')]
      expect(await store.importBill('generic', 'a', rows)).toMatchObject({ inserted: 4, withoutOrder: 3, orderIds: [] })
      expect(await store.resolveBillsWithoutOrder(9)).toEqual({ orderIds: [], resolved: 0 })
      const ids: string[] = []
      for (const orderId of ['1', '2', '3']) {
        const told = snapshotOf(orderId, lines('a', 2), { transactionId: orderId === '1' ? null : 'tx' })
        ids.push((await scene.commit(orderId, { told, node: 'east' })).order.id)
      }
      // The payment is of two orders: both are marked, although one row alone was asked for.
      expect(await store.resolveBillsWithoutOrder(1)).toEqual({ orderIds: ids.slice(1), resolved: 1 })
      expect(await store.resolveBillsWithoutOrder(9)).toEqual({ orderIds: [ids[0]], resolved: 1 })
      expect(await store.resolveBillsWithoutOrder(9)).toEqual({ orderIds: [], resolved: 0 })
      expect(await store.dueOrders('0', 9)).toEqual(ids)
      expect(await store.reconcileTogether(ids, resultOf)).toHaveLength(3)
      expect(await store.importBill('generic', 'a', [{ ...byPayment, ref: 'q' }])).toMatchObject({
        ...{ withoutOrder: 0, orderIds: ids.slice(1) },
      })
    }))
})

describe('a carrier’s word', () => {
  test('stands by its rank, then by its body, in any sequence of arrival', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const id = await scene.shipped('1')
      const say = async (change: Partial<Track>, body: string) =>
        (await store.recordTrack(delivered('1', change), body)).outcome
      expect(await say({ state: 'in_transit', occurredAt: 5 }, 'null')).toBe('recorded')
      expect(await say({ state: 'in_transit', occurredAt: 5 }, 'null')).toBe('already_recorded')
      expect(await say({ state: 'collected', occurredAt: 4 }, '1')).toBe('older')
      expect(await say({ state: 'delivered', occurredAt: 3 }, '2')).toBe('recorded')
      expect(await say({ state: 'in_transit', occurredAt: 9 }, '3')).toBe('older')
      const same = [
        await say({ occurredAt: 3 }, '4'),
        await say({ occurredAt: 3 }, '5'),
        await say({ occurredAt: 3 }, '6'),
      ]
      expect(same.every((outcome) => outcome === 'recorded' || outcome === 'older')).toBe(true)
      expect(await say({ state: 'returned', occurredAt: 1 }, '7')).toBe('recorded')
      expect(await say({ carrier: 'other' }, '8')).toBe('recorded')
      expect(await store.dueOrders('0', 9)).toEqual([id])
      await store.reconcileTogether([id], resultOf)
    }))

  test('another carrier has the parcel, told before or after its words: they count for it, and stopped tracking ends', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const stopped = { kind: 'tracking_stopped', ref: 'sf/W1', orderId: null, detail: {} }
      await store.raise([stopped])
      const id = await scene.shipped('1')
      const stateNow = async () => (await store.reconcileTogether([id], resultOf))[0]!.reconciliation.logistics
      await store.recordTrack(delivered('1', { carrier: 'shentong' }), '1')
      expect((await stateNow()).deliveredParcels).toBe(0)
      expect(await store.moveTrack({ carrier: 'sf', waybill: 'W1', carrierNew: 'shentong' })).toEqual([id])
      expect(await store.dueOrders('0', 9)).toEqual([id])
      expect((await stateNow()).deliveredParcels).toBe(1)
      // The first word under the old code keeps where the parcel is.
      expect((await store.recordTrack(delivered('1', { carrier: 'sf', state: 'in_transit' }), '2')).outcome).toBe(
        'recorded',
      )
      expect((await stateNow()).deliveredParcels).toBe(1)
      expect(await store.moveTrack({ carrier: 'sf', waybill: 'W-unknown', carrierNew: 'shentong' })).toEqual([])
    }))

  test('of a later parcel with the same number leaves what became of the older one', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const id = await scene.shipped('1')
      const day = 86_400_000
      const say = (state: Track['state'], days: number) =>
        store.recordTrack(
          delivered('1', { carrier: 'sf', state, occurredAt: longAgo + days * day }),
          `"${state}${days}"`,
        )
      const stateNow = async () => (await store.reconcileTogether([id], resultOf))[0]!.reconciliation.logistics
      await say('delivered', 0)
      expect((await say('in_transit', 50)).outcome).toBe('older')
      expect((await say('in_transit', 61)).outcome).toBe('recorded')
      expect((await stateNow()).deliveredParcels).toBe(1)
      expect((await say('returned', 62)).outcome).toBe('recorded')
      expect(await stateNow()).toMatchObject({ deliveredParcels: 1, returnedParcels: 0 })
      await say('collected', 200)
      expect((await stateNow()).deliveredParcels).toBe(1)
    }))

  test('may come before the parcel; a waybill may be of several orders', () =>
    onBoth(async (scene) => {
      const { store } = scene
      expect(await store.recordTrack(delivered('x'), '1')).toEqual({ outcome: 'recorded', orderIds: [] })
      const ids: string[] = []
      for (const orderId of ['1', '2']) {
        const { taskId, fence } = await scene.pulled(orderId)
        const box = { carrier: 'SF', waybill: 'Wx', lines: lines('a', 2), shippedAt: 7 }
        ids.push((await scene.loaded(orderId))!.order.id)
        await store.shipTask('east', taskId, fence, [box])
      }
      await store.reconcileTogether(ids, resultOf)
      expect(await store.dueOrders('0', 9)).toEqual([])
      expect(await store.recordTrack(delivered('x'), '1')).toEqual({ outcome: 'already_recorded', orderIds: ids })
      expect(await store.dueOrders('0', 9)).toEqual(ids)
    }))
})
