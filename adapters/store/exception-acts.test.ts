/** What a person does to an exception: the same on Postgres and on plain maps, and on what the version before left open. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BillProgress } from '../../router/bill.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { atTime, nextDue } from '../../router/reconcile/expectations.ts'
import { changeOf, reconcile } from '../../router/reconcile.ts'
import { fc, runs } from '../../router/testing/seed.ts'
import { assignException, listWriteOffs, settleException, sumOfWriteOffs } from './exception-acts.ts'
import { findException, list, raise, resolve } from './exceptions.ts'
import { firstOfEach } from './settle/bill-rows.ts'
import { importBill } from './settle/bills.ts'
import type { ReconcileLoad, ReconcileResult } from './settle/reconcile.ts'
import { type Scene, sameOnBoth } from './testing/both-stores.ts'
import { inOldDatabase } from './testing/old-database.ts'
import { eventOf, keyFor, lines, snapshotOf } from './testing/world.ts'
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

const wang = { actor: '王芳', note: 'looked at it' }
const always = { since: null, until: null }

function resultOf({ input, entered, nowMs }: ReconcileLoad): ReconcileResult {
  const { id, version, state } = input.order
  const reconciliation = atTime(reconcile(input), nowMs, defaultPolicy.expectations)
  const dueAt = nextDue(reconciliation)
  return { orderId: id, version, entered, reconciliation, dueAt, change: changeOf(reconciliation, state) }
}
const kindsOf = (results: readonly ReconcileResult[]) =>
  results.flatMap(({ reconciliation }) => reconciliation.exceptions.map(({ kind }) => kind))

describe('a person ends an exception', () => {
  test('and the same fact does not come again, but another one does', () =>
    onBoth(async ({ store }) => {
      const drift = (units: number) => ({ kind: 'stock_drift', ref: 'east', detail: { units, epoch: units + 7 } })
      expect(await store.raise([drift(1)])).toBe(1)
      const done = { ...wang, as: 'false_alarm' } as const
      expect(await store.settleException('stock_drift', 'east', done)).toEqual({
        ...{ outcome: 'settled', orderId: null, writeOff: null },
      })
      expect(await store.settleException('stock_drift', 'east', done)).toEqual({ outcome: 'not_open' })
      expect(await store.settleException('stock_drift', 'west', done)).toEqual({ outcome: 'not_open' })
      expect(await store.raise([drift(1), { ...drift(1), detail: { units: 1, epoch: 99 } }])).toBe(0)
      expect(await store.raise([drift(2)])).toBe(1)
      // It is open now, and so it follows the fact, also back to what was settled.
      expect(await store.raise([drift(1)])).toBe(0)
      // The fact is over: what comes next is told.
      expect(await store.resolve('stock_drift', ['east'])).toBe(2)
      expect(await store.raise([drift(1)])).toBe(1)
    }))

  test('of a shortage that lasts: it is known still, and told when it is worse or comes anew', () =>
    onBoth(async (scene) => {
      const { store } = scene
      await scene.routed('1', 5)
      await scene.post('east', 'set', 3)
      const short = { kind: 'shortage', ref: 'east/a', detail: { node: 'east', sku: 'a', missing: 2 } }
      await store.raise([short])
      await store.settleException('shortage', 'east/a', { ...wang, as: 'done' })
      expect(await store.raise([short])).toBe(0)
      expect(await store.shortAmong([], [])).toEqual([{ node: 'east', sku: 'a', missing: 2 }])
      expect(await store.endShortages()).toBe(0)
      expect(await store.raise([{ ...short, detail: { ...short.detail, missing: 3 } }])).toBe(1)
      await scene.post('east', 'set', 50)
      expect(await store.endShortages()).toBe(2)
      expect(await store.raise([short])).toBe(1)
    }))

  test('of an event that cannot be decided: it is told anew only when it came into the world anew', () =>
    onBoth(async (scene) => {
      const { store } = scene
      await scene.told('9', 'order', 'e-9')
      const { channel, shop } = keyFor('9')
      const entry = { kind: 'undecidable_event', ref: 'x', detail: { channel, shop, orderId: '9', eventId: 'e-9' } }
      await store.raise([entry])
      await store.settleException('undecidable_event', 'x', { ...wang, as: 'done' })
      expect(await store.endEventExceptions()).toBe(0)
      expect(await store.raise([entry])).toBe(0)
    }))

  test('of two bodies under one event: the same body once more is no news', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const event = eventOf('1', { eventId: 'e' })
      const other = { ...event, body: Buffer.from('other'), bodyHash: 'f'.repeat(64) }
      await store.storeEvents([event])
      expect(await store.storeEvents([other])).toEqual([{ outcome: 'conflict' }])
      const { channel, shop } = event
      const ref = `${channel}/${shop}/e`
      expect(await store.settleException('event_conflict', ref, { ...wang, as: 'done' })).toMatchObject({
        outcome: 'settled',
      })
      expect(await store.storeEvents([other])).toEqual([{ outcome: 'conflict' }])
      expect(await store.settleException('event_conflict', ref, { ...wang, as: 'done' })).toEqual({
        outcome: 'not_open',
      })
      await store.storeEvents([{ ...other, bodyHash: 'e'.repeat(64) }])
      expect(await store.settleException('event_conflict', ref, { ...wang, as: 'done' })).toMatchObject({
        outcome: 'settled',
      })
    }))

  test('of the match: its order is due, and closes with what was written off', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const id = await scene.shipped('1')
      await store.recordTrack({ carrier: 'shunfeng', waybill: 'W1', state: 'delivered', occurredAt: 9 }, '{}')
      const bill = { ref: 'p', kind: 'payment', ...keyFor('1'), transactionId: null, feeFen: 0, occurredAt: 9 } as const
      await store.importBill('generic', 'a', [{ ...bill, amountFen: 199 }])
      expect(kindsOf(await store.reconcileTogether([id], resultOf))).toEqual(['payment_short'])
      const { orderId, writeOff } = (await store.settleException('payment_short', id, {
        ...{ ...wang, as: 'written_off' },
      })) as { orderId: string; writeOff: unknown }
      expect([orderId, writeOff]).toEqual([id, { side: 'payment', amountFen: 1 }])
      expect(await store.dueOrders('0', 9)).toEqual([id])
      expect(await store.reconcileTogether([id], resultOf)).toMatchObject([{ change: 'closed' }])
      // The fen comes after all: now there is one too much.
      await store.importBill('generic', 'a', [{ ...bill, ref: 'q', amountFen: 1 }])
      expect(kindsOf(await store.reconcileTogether([id], resultOf))).toEqual(['payment_over'])
      await store.settleException('payment_over', id, { ...wang, as: 'written_off' })
      expect(await store.reconcileTogether([id], resultOf)).toMatchObject([{ change: 'closed' }])
    }))

  test('of a payment without its order: when the order comes after all, the write-off is booked back', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const bill = { kind: 'payment', transactionId: null, feeFen: 0, occurredAt: 9, amountFen: 200 } as const
      await store.importBill('generic', 'a', [
        { ...bill, ...keyFor('1'), ref: 'p' },
        { ...bill, ...keyFor('2'), ref: 'q' },
      ])
      for (const ref of ['p', 'q'])
        expect(
          await store.settleException('bill_without_order', `generic:a:${ref}`, { ...wang, as: 'written_off' }),
        ).toMatchObject({ writeOff: { side: 'bill', amountFen: -200 } })
      expect(await store.resolveBillsWithoutOrder(9)).toEqual({ orderIds: [], resolved: 0 })
      const id = await scene.shipped('1')
      expect(await store.resolveBillsWithoutOrder(9)).toEqual({ orderIds: [id], resolved: 1 })
      expect(await store.resolveBillsWithoutOrder(9)).toEqual({ orderIds: [], resolved: 0 })
      // Both stores are compared after each verb, their write-offs too.
    }))

  test('of a parcel that came back: settled while it is back, and not when it goes on', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const id = await scene.shipped('1')
      const say = (state: 'returned' | 'returning' | 'rejected', at: number, waybill = 'W1') =>
        store.recordTrack({ carrier: 'shunfeng', waybill, state, occurredAt: at }, `"${state}"`)
      await say('returning', 1)
      const bill = { ref: 'p', kind: 'payment', ...keyFor('1'), transactionId: null, feeFen: 0, occurredAt: 9 } as const
      await store.importBill('generic', 'a', [{ ...bill, amountFen: 200 }])
      expect(kindsOf(await store.reconcileTogether([id], resultOf))).toEqual(['parcel_returned'])
      await store.settleException('parcel_returned', `${id}/W1`, { ...wang, as: 'done' })
      expect(await store.reconcileTogether([id], resultOf)).toMatchObject([{ change: 'closed' }])
      expect(await store.reconcileTogether([id], resultOf)).toMatchObject([{ change: null }])
      await say('returned', 2)
      expect(await store.reconcileTogether([id], resultOf)).toMatchObject([{ change: 'reopened' }])
      await store.settleException('parcel_returned', `${id}/W1`, { ...wang, as: 'done' })
      expect(await store.reconcileTogether([id], resultOf)).toMatchObject([{ change: 'closed' }])
    }))

  test('what a decision raised ends when the flows agree', () =>
    onBoth(async (scene) => {
      const { store } = scene
      const { order } = await scene.commit('1', {
        told: snapshotOf('1', lines('a', 1), { platformState: 'closed', paidAt: null }),
      })
      await store.raise([
        { kind: 'address_changed_after_pull', ref: '1', orderId: order.id },
        { kind: 'shortage', ref: 'east/a', orderId: order.id, detail: { node: 'east', sku: 'a' } },
      ])
      await store.reconcileTogether([order.id], resultOf)
      const done = { ...wang, as: 'done' } as const
      expect(await store.settleException('address_changed_after_pull', '1', done)).toEqual({ outcome: 'not_open' })
      expect(await store.settleException('shortage', 'east/a', done)).toMatchObject({ outcome: 'settled' })
    }))

  test('that tracking stopped ends with the next word on the parcel', () =>
    onBoth(async ({ store }) => {
      await store.raise([
        { kind: 'tracking_stopped', ref: 'shunfeng/W1' },
        { kind: 'tracking_stopped', ref: 'shunfeng/W2' },
      ])
      await store.recordTrack({ carrier: 'shunfeng', waybill: 'W1', state: 'in_transit', occurredAt: 9 }, '{}')
      const done = { ...wang, as: 'done' } as const
      expect(await store.settleException('tracking_stopped', 'shunfeng/W1', done)).toEqual({ outcome: 'not_open' })
      expect(await store.settleException('tracking_stopped', 'shunfeng/W2', done)).toMatchObject({ outcome: 'settled' })
    }))
})

test('any sequence of raising, settling and ending leaves both stores with the same', async () => {
  const step = fc.record({
    verb: fc.constantFrom('raise', 'settle', 'end'),
    ref: fc.constantFrom('x', 'y'),
    missing: fc.integer({ min: 1, max: 2 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) =>
      onBoth(async ({ store }) => {
        for (const { verb, ref, missing } of steps) {
          if (verb === 'raise') await store.raise([{ kind: 'k', ref, detail: { missing } }])
          else if (verb === 'settle') await store.settleException('k', ref, { ...wang, as: 'written_off' })
          else await store.resolve('k', [ref])
        }
      }),
    ),
    { numRuns: runs(15) },
  )
})

describe('in Postgres', () => {
  test('each act has its actor, its time and its reason; the last words stand beside the exception', async () => {
    const { sql } = database
    await raise(sql, [{ kind: 'k1', ref: 'a' }])
    const [open] = (await list(sql, { kind: 'k1', limit: 9 })).exceptions
    const id = open!.id
    expect(open).toMatchObject({ assignedTo: null, note: null, resolvedAs: null, resolvedBy: null })
    expect(await assignException(sql, id, '李雷', '王芳', 'please')).toBe(true)
    expect(await findException(sql, id)).toMatchObject({ assignedTo: '李雷', note: 'please', resolvedAt: null })
    expect(await assignException(sql, id, null, '王芳', '')).toBe(true)
    expect(await findException(sql, id)).toMatchObject({ assignedTo: null, note: 'please' })
    await settleException(sql, 'k1', 'a', { as: 'done', actor: '李雷', note: 'called them' })
    expect(await findException(sql, id)).toMatchObject({
      ...{ resolvedAs: 'done', resolvedBy: '李雷', note: 'called them', resolvedAt: expect.any(Number) },
    })
    expect(await assignException(sql, id, '李雷', '', '')).toBe(false)
    expect(await assignException(sql, '999999', '李雷', '', '')).toBe(false)
    expect(await findException(sql, '999999')).toBeNull()
    const acts =
      await sql`select act, actor, note, assigned_to from exception_act where exception_id = ${id} order by id`
    expect(acts).toMatchObject([
      { act: 'assigned', actor: '王芳', note: 'please', assigned_to: '李雷' },
      { act: 'assigned', actor: '王芳', note: '', assigned_to: null },
      { act: 'done', actor: '李雷', note: 'called them' },
    ])
  })

  test('write-offs are listed page by page, with the sum of the period', async () => {
    const { sql } = database
    await sql`truncate exception_act`
    const refs = ['1', '2', '3']
    await raise(
      sql,
      refs.map((ref) => ({ kind: 'bill_without_order', ref, detail: { bill: 'payment', amountFen: Number(ref) } })),
    )
    for (const ref of refs) await settleException(sql, 'bill_without_order', ref, { ...wang, as: 'written_off' })
    const first = await listWriteOffs(sql, always, '0', 2)
    expect(first.writeOffs).toMatchObject([
      { kind: 'bill_without_order', side: 'bill', amountFen: -1, orderId: null, ...wang },
      { amountFen: -2 },
    ])
    const second = await listWriteOffs(sql, always, first.nextCursor!, 2)
    expect(second).toMatchObject({ writeOffs: [{ amountFen: -3 }], nextCursor: null })
    expect(await sumOfWriteOffs(sql, always)).toBe(-6)
    const [lastAt] = second.writeOffs.map(({ at }) => at)
    expect(await sumOfWriteOffs(sql, { since: lastAt! + 60_000, until: null })).toBe(0)
    expect(await sumOfWriteOffs(sql, { since: null, until: lastAt! + 60_000 })).toBe(-6)
  })

  test('twenty persons at once: one ends it, and it is booked once', async () => {
    const { sql } = database
    await sql`truncate exception_act`
    await raise(sql, [{ kind: 'bill_without_order', ref: 'race', detail: { bill: 'refund', amountFen: 7 } }])
    const word = { ...wang, as: 'written_off' } as const
    const done = await Promise.all(
      Array.from({ length: 20 }, () => settleException(sql, 'bill_without_order', 'race', word)),
    )
    expect(done.filter(({ outcome }) => outcome === 'settled')).toHaveLength(1)
    expect(await sumOfWriteOffs(sql, always)).toBe(7)
  })
})

/** The version before had as many files. */
const filesBefore = 12

test('what the version before left open stays open, ends by itself and by a person, and its bills are known', () =>
  inOldDatabase(filesBefore, async (sql, upgrade) => {
    await sql`insert into exception (kind, ref, detail) values ('tracking_stopped', 'sf/1', '{}'), ('shortage', 'n/s', '{}')`
    await sql`insert into exception (kind, ref, detail, resolved_at) values ('shortage', 'n/t', '{}', now())`
    // A refund that was on its way, and that the version before took for made. Its hash is of all but how far it is.
    const refund = { ref: 'r', kind: 'refund', channel: null, shop: null, orderId: null, transactionId: 't' } as const
    const known = { ...refund, amountFen: 5, feeFen: 0, occurredAt: 9 }
    const hash = firstOfEach([known]).unique[0]!.hash
    await sql`
      insert into bill_row (source, account, ref, kind, transaction_id, amount_fen, fee_fen, occurred_at, body_hash)
      values ('wechatpay', 'a', 'r', 'refund', 't', 5, 0, 9, decode(${hash}, 'hex'))`
    await upgrade()
    const told = (progress: BillProgress) => importBill(sql, 'wechatpay', 'a', [{ ...known, progress }])
    expect(await told('pending')).toMatchObject({ inserted: 0, known: 1, replaced: 0, conflicting: 0 })
    expect(await told('failed')).toMatchObject({ inserted: 0, known: 0, replaced: 1, conflicting: 0 })
    expect(await told('done')).toMatchObject({ inserted: 0, known: 0, replaced: 1, conflicting: 0 })
    const { exceptions } = await list(sql, { limit: 9 })
    expect(exceptions.map(({ ref, resolvedAs, assignedTo }) => [ref, resolvedAs, assignedTo])).toEqual([
      ['sf/1', null, null],
      ['n/s', null, null],
    ])
    await settleException(sql, 'tracking_stopped', 'sf/1', { ...wang, as: 'done' })
    expect(await resolve(sql, 'shortage', ['n/s', 'n/t'])).toBe(1)
    expect((await list(sql, { limit: 9 })).exceptions).toEqual([])
  }))
