import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { list } from '../../adapters/store/exceptions.ts'
import { MemoryStore } from '../../adapters/store/memory/store.ts'
import type { SettleStore } from '../../adapters/store/order-store.ts'
import { markDue } from '../../adapters/store/orders/mark-due.ts'
import { PostgresStore } from '../../adapters/store/postgres-store.ts'
import { importBill } from '../../adapters/store/settle/bills.ts'
import { recordTrack } from '../../adapters/store/settle/tracks.ts'
import { insertOrder } from '../../adapters/store/testing/orders.ts'
import { countingDatabase } from '../../adapters/store/testing/rows-read.ts'
import { type TestDatabase, testDatabase } from '../../adapters/store/testing.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { agreeingWorld, billRow, createdAt, deliveredAt, paidAt, shippedAt } from '../../router/reconcile/world.ts'
import type { Track } from '../../router/track.ts'
import type { Order } from '../../router/types.ts'
import { reconcileOrders, sweepReconciliations } from './reconcile.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
beforeEach(() => database.sql`truncate bill_row, orders, task, parcel, track, exception, reconciliation, decision`)
afterAll(() => database.close())

const world = agreeingWorld({ lines: [{ quantity: 2, paidFen: 1_000, cancelled: false, task: 0 }], freightFen: 10 })
const delivered: Track = { carrier: 'shunfeng', waybill: 'SF00', state: 'delivered', occurredAt: deliveredAt }
const payment = world.bills[0]!

let store: PostgresStore
beforeAll(() => {
  store = new PostgresStore(database.sql)
})
const insert = (change: Partial<Order> = {}, tasks = world.tasks) =>
  insertOrder(database.sql, { ...world.order, ...change }, tasks)
/** When everything that was to come is overdue, whatever the machine's clock says. */
const late = createdAt + 365 * 86_400_000
const at = (nowMs: number): Pick<SettleStore, 'reconcileTogether'> => ({
  reconcileTogether: (ids, resultOf) => store.reconcileTogether(ids, (load) => resultOf({ ...load, nowMs })),
})
const run = (...ids: string[]) => reconcileOrders(at(late), ids)
const { paymentMs, movingMs } = defaultPolicy.expectations
const open = async () =>
  (await list(database.sql, { limit: 100 })).exceptions.map(({ kind, ref, since }) => [kind, ref, since])
const state = async (id = '1') =>
  (
    await database.sql<{ order: string; version: number; flows: string | null }[]>`
      select o.state as order, o.version, r.state as flows from orders o left join reconciliation r on r.order_id = o.id where o.id = ${id}`
  )[0]

/** Everything that a run may write, to see that a second run writes nothing. */
const everything = () =>
  database.sql`
    select (select json_agg(o order by id) from orders o)::text as orders, (select json_agg(d order by version) from decision d)::text as decisions,
      (select json_agg(r order by order_id) from reconciliation r)::text as reconciliations,
      (select json_agg(e order by id) from exception e)::text as exceptions`

describe('an order', () => {
  test('closes by itself when its bill and its parcel have come, in either order', async () => {
    const { sql } = database
    for (const billFirst of [true, false]) {
      await sql`truncate bill_row, orders, task, parcel, track, exception, reconciliation, decision`
      await insert()
      expect(await run('1')).toEqual({ closed: [], reopened: [], open: 1, skipped: 0 })
      expect(await open()).toEqual([
        ['parcel_not_moving', '1/SF00', shippedAt + movingMs],
        ['payment_missing', '1', paidAt + paymentMs],
      ])
      const steps = [() => importBill(sql, 'generic', 'a', [payment]), () => recordTrack(sql, delivered, '{}')]
      for (const step of billFirst ? steps : steps.toReversed()) await run(...(await step()).orderIds)
      expect(await open()).toEqual([])
      expect(await state()).toEqual({ order: 'closed', version: 4, flows: 'closed' })
      expect(await sql`select version, seq::int, outcome from decision`).toMatchObject([
        { version: 4, seq: 0, outcome: 'closed' },
      ])
    }
  })

  test('closes when both had come before it was shipped', async () => {
    const { sql } = database
    await importBill(sql, 'generic', 'a', [payment])
    await recordTrack(sql, delivered, '{}')
    await insert()
    expect(await run('1')).toMatchObject({ closed: ['1'] })
  })

  test('reconciled again changes nothing, open or closed', async () => {
    const { sql } = database
    await insert()
    await run('1')
    const whenOpen = await everything()
    expect(await run('1', '1')).toMatchObject({ open: 1 })
    expect(await everything()).toEqual(whenOpen)
    await importBill(sql, 'generic', 'a', [payment])
    await recordTrack(sql, delivered, '{}')
    await run('1')
    const whenClosed = await everything()
    expect(await run('1')).toEqual({ closed: [], reopened: [], open: 0, skipped: 0 })
    expect(await everything()).toEqual(whenClosed)
  })

  test('that is closed opens again when a bill contradicts it, and closes when that is settled', async () => {
    const { sql } = database
    await insert()
    await importBill(sql, 'generic', 'a', [payment])
    await recordTrack(sql, delivered, '{}')
    await run('1')
    await importBill(sql, 'generic', 'a', [billRow('refund', 'r', 10)])
    expect(await run('1')).toEqual({ closed: [], reopened: ['1'], open: 1, skipped: 0 })
    expect(await state()).toEqual({ order: 'shipped', version: 5, flows: 'open' })
    expect(await open()).toEqual([['refund_unexpected', '1', paidAt]])
    await sql`delete from bill_row where ref = 'r'`
    expect(await run('1')).toMatchObject({ closed: ['1'] })
    expect(await state()).toEqual({ order: 'closed', version: 6, flows: 'closed' })
    expect(await open()).toEqual([])
  })

  test('that is closed opens again when its parcel comes back', async () => {
    const { sql } = database
    await insert()
    await importBill(sql, 'generic', 'a', [payment])
    await recordTrack(sql, delivered, '{}')
    await run('1')
    await recordTrack(sql, { ...delivered, state: 'returned', occurredAt: deliveredAt + 5 }, '{"back":1}')
    expect(await run('1')).toMatchObject({ reopened: ['1'] })
    expect(await open()).toEqual([['parcel_returned', '1/SF00', deliveredAt + 5]])
  })

  test('keeps the age of an exception while its detail changes', async () => {
    const { sql } = database
    await insert()
    await run('1')
    await importBill(sql, 'generic', 'a', [{ ...payment, amountFen: 400 }])
    await run('1')
    await importBill(sql, 'generic', 'a', [{ ...payment, ref: 'later', amountFen: 500, occurredAt: paidAt + 9 }])
    await run('1')
    const { exceptions } = await list(sql, { kind: 'payment_short', limit: 10 })
    expect(exceptions).toMatchObject([{ since: paidAt, detail: { expectedFen: 1_010, receivedFen: 900 } }])
    expect((await list(sql, { kind: 'payment_missing', limit: 10 })).exceptions).toEqual([])
  })

  test('that was cancelled and never paid stays cancelled, and its flows close', async () => {
    const snapshot = { ...world.order.snapshot!, platformState: 'closed' as const, paidAt: null }
    const allocations = [{ item: 0, quantity: 2, place: 'cancelled' as const, taskId: null }]
    await insert({ state: 'cancelled', snapshot, allocations }, [])
    expect(await run('1')).toEqual({ closed: [], reopened: [], open: 0, skipped: 0 })
    expect(await state()).toEqual({ order: 'cancelled', version: 3, flows: 'closed' })
  })

  test('with nothing to close yet is not entered; an unknown one is no error', async () => {
    await insert({ state: 'routed' }, [{ ...world.tasks[0]!, state: 'ready', packages: [] }])
    expect(await run('1', '99')).toEqual({ closed: [], reopened: [], open: 0, skipped: 2 })
    expect(await state()).toMatchObject({ flows: null })
  })

  test('of which a waybill is shared keeps its own exception', async () => {
    await insert()
    const [task] = world.tasks
    await insert({ id: '2', orderId: 'other' }, [{ ...task!, taskId: 'task-2' }])
    await run('1', '2')
    expect((await open()).filter(([kind]) => kind === 'parcel_not_moving').map(([, ref]) => ref)).toEqual([
      '1/SF00',
      '2/SF00',
    ])
  })
})

test('an order that was entered while it was being matched keeps the mark of what entered it', async () => {
  const { sql } = database
  await insert()
  let isEntered = (): void => undefined
  const entered = new Promise<void>((resolve) => {
    isEntered = resolve
  })
  // What came meanwhile is not to be seen yet, and the row that it enters is locked until it is.
  const entering = sql.begin(async (tx) => {
    await markDue(tx, ['1'])
    isEntered()
    const waiting = async () =>
      (await sql`select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`).count
    await expect.poll(waiting, { timeout: 20_000 }).toBe(1)
  })
  await entered
  const matched = run('1')
  await entering
  expect(await matched).toMatchObject({ open: 1 })
  expect(await store.dueOrders('0', 9)).toEqual(['1'])
  await importBill(sql, 'generic', 'a', [payment])
  await recordTrack(sql, delivered, '{}')
  expect(await sweepReconciliations(store, '0', 9)).toMatchObject({ closed: ['1'] })
})

describe('many at once', () => {
  test('close each order exactly once', async () => {
    const { sql } = database
    const ids = Array.from({ length: 30 }, (_, i) => String(i + 1))
    for (const id of ids) {
      const tasks = world.tasks.map((task) => ({
        ...task,
        taskId: `task-${id}`,
        packages: task.packages.map((parcel) => ({ ...parcel, waybill: `W${id}` })),
      }))
      const allocations = world.order.allocations.map((allocation) => ({ ...allocation, taskId: `task-${id}` }))
      await insert({ id, orderId: `o${id}`, allocations }, tasks)
      await recordTrack(sql, { ...delivered, waybill: `W${id}` }, '{}')
    }
    const rows = ids.map((id) => ({ ...payment, ref: `p${id}`, orderId: `o${id}` }))
    const results = await Promise.all([
      importBill(sql, 'generic', 'a', rows).then((result) => run(...result.orderIds)),
      run(...ids),
      run(...ids.toReversed()),
      importBill(sql, 'generic', 'a', rows.toReversed()).then((result) => run(...result.orderIds)),
    ])
    expect(results.flatMap((result) => result.closed).sort()).toEqual([...ids].sort())
    expect((await sql`select from decision where outcome = 'closed'`).count).toBe(30)
    expect(await open()).toEqual([])
  })
})

test('reads what is of its orders, and not all that was ever reconciled, whatever it once knew of the tables', async () => {
  const { one, rowsRead, close } = await countingDatabase()
  const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i))
  const insertShipped = async (from: number, to: number) => {
    for (const id of ids(from, to))
      await insertOrder(one, { ...world.order, id, orderId: id, state: 'shipped', allocations: [] }, [])
  }
  const reconcile = (of: readonly string[]) => reconcileOrders(new PostgresStore(one), of)
  try {
    await insertShipped(1, 400)
    // The plans are made, and kept, for what the tables are in the first minutes of a day.
    await reconcile(ids(1, 400))
    await one`analyze`
    for (let time = 0; time < 10; time++) {
      await markDue(one, ids(1, 50))
      await reconcile(ids(1, 50))
    }
    await insertShipped(400, 3_000)
    await reconcile(ids(400, 3_000))
    await markDue(one, ['7'])
    const tables = ['orders', 'reconciliation', 'exception', 'bill_row', 'task', 'parcel', 'track']
    const read = await rowsRead(tables, async () => expect(await reconcile(['7'])).toMatchObject({ open: 1 }))
    expect(read).toBeGreaterThan(0)
    expect(read).toBeLessThan(20)
  } finally {
    await close()
  }
})

describe('what is to come', () => {
  test('is no exception before its time, ends an earlier one, and is one when it is overdue', async () => {
    const { sql } = database
    await insert()
    await run('1')
    expect((await open()).map(([kind]) => kind)).toEqual(['parcel_not_moving', 'payment_missing'])
    const dueAt = async () =>
      (
        await sql<
          { due: string | null }[]
        >`select (extract(epoch from due_at) * 1000)::bigint as due from reconciliation`
      )[0]!.due
    expect(await dueAt()).toBeNull()
    await reconcileOrders(at(shippedAt + 1), ['1'])
    expect(await open()).toEqual([])
    expect(Number(await dueAt())).toBe(shippedAt + movingMs)
    await reconcileOrders(at(shippedAt + movingMs), ['1'])
    expect((await open()).map(([kind]) => kind)).toEqual(['parcel_not_moving'])
    expect(Number(await dueAt())).toBe(paidAt + paymentMs)
    await importBill(sql, 'generic', 'a', [payment])
    await recordTrack(sql, delivered, '{}')
    expect(await reconcileOrders(at(shippedAt + movingMs), ['1'])).toMatchObject({ closed: ['1'] })
    expect([await dueAt(), await open()]).toEqual([null, []])
  })

  test('is looked at by the sweep when its time has come, though nothing happened: in virtual time', async () => {
    let nowMs = shippedAt
    const memory = new MemoryStore({ nodes: [] }, () => nowMs)
    const { order, tasks } = world
    memory.tables.orders.set('1', order)
    const rows = tasks.map(({ taskId, lines, packages }) => ({
      ...{ task: { taskId, state: 'shipped', lines } as never, orderId: '1', createdAt: 1, createdAtMs: 1 },
      ...{ shipBy: null, leaseUntilMs: null, packages, putRight: [], reason: null },
    }))
    memory.tables.tasksOf.set('1', rows)
    const kinds = async () => {
      await sweepReconciliations(memory, '0', 100)
      return [...memory.tables.openExceptions.values()].map(({ kind }) => kind).sort()
    }
    expect(await kinds()).toEqual([])
    nowMs = shippedAt + movingMs - 1
    expect(await kinds()).toEqual([])
    nowMs += 1
    expect(await kinds()).toEqual(['parcel_not_moving'])
    nowMs = paidAt + paymentMs
    expect(await kinds()).toEqual(['parcel_not_moving', 'payment_missing'])
    expect(await memory.dueOrders('0', 9)).toEqual([])
  })
})

describe('the sweep', () => {
  test('takes up what a crash left: a mark, an order never looked at, a bill that came first', async () => {
    const { sql } = database
    await importBill(sql, 'generic', 'a', [payment])
    await insert()
    await recordTrack(sql, delivered, '{}')
    const swept = await sweepReconciliations(store, '0', 100)
    expect(swept).toMatchObject({ closed: ['1'], nextOrderId: '0' })
    expect(await open()).toEqual([])
    expect(await sweepReconciliations(store, '0', 100)).toEqual({
      ...{ closed: [], reopened: [], open: 0, skipped: 0, nextOrderId: '0' },
    })
    await sql`delete from bill_row`
    await markDue(sql, ['1'])
    expect(await sweepReconciliations(store, '0', 100)).toMatchObject({ reopened: ['1'] })
  })

  test('goes over all orders, a stretch at a time', async () => {
    for (const id of ['1', '2', '10']) await insert({ id, orderId: id, state: 'shipped', allocations: [] }, [])
    let cursor = '0'
    const open: number[] = []
    do {
      const swept = await sweepReconciliations(store, cursor, 1)
      open.push(swept.open)
      cursor = swept.nextOrderId
    } while (cursor !== '0')
    expect(open).toEqual([1, 1, 1, 0])
  })

  test('looks no further than its stretch when there is nothing to do in it', async () => {
    for (const id of ['1', '2', '3', '4']) await insert({ id, orderId: id, state: 'routed', allocations: [] }, [])
    await insert({ id: '5', orderId: '5', state: 'shipped', allocations: [] }, [])
    const first = await sweepReconciliations(store, '0', 2)
    expect(first).toMatchObject({ open: 0, skipped: 0, nextOrderId: '2' })
    const second = await sweepReconciliations(store, first.nextOrderId, 2)
    expect(second).toMatchObject({ open: 0, skipped: 0, nextOrderId: '4' })
    expect(await sweepReconciliations(store, second.nextOrderId, 2)).toMatchObject({ open: 1, nextOrderId: '0' })
    expect(await sweepReconciliations(store, '0', 2, 4)).toMatchObject({ open: 0, nextOrderId: '4' })
  })
})
