import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RejectReason } from '../../../router/reasons.ts'
import type { Package } from '../../../router/task.ts'
import type { SkuQuantity } from '../../../router/types.ts'
import { audit } from '../audit/audit.ts'
import { commitDecisions } from '../orders/commit.ts'
import { connect, indexedPlans, type Sql } from '../postgres/connect.ts'
import {
  atMs,
  commitStep,
  decided,
  empty,
  figures,
  lapse,
  lines,
  makeNetwork,
  post,
  pullOne,
  route,
  snapshotOf,
  storeCommand,
} from '../testing/world.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { shipTask } from './ship.ts'
import { acceptTask, endLeases, extendLease, giveBack, lapsedIntercepts, pullTasks } from './tasks.ts'

let database: TestDatabase
let sql: Sql
let many: Sql
beforeAll(async () => {
  database = await testDatabase()
  sql = database.sql
  many = connect(database.url, { max: 10, applicationName: 'racer' })
})
beforeEach(async () => {
  await empty(sql)
  await makeNetwork(sql, { nodes: ['n1', 'n2'], skus: ['a', 'b'] })
  await post(sql, 'n1', 'add', lines('a', 1000, 'b', 1000))
})
// Whatever a test did to tasks, no promise is broken by it.
afterEach(async () => expect(await audit(sql)).toEqual([]))
afterAll(async () => {
  await many.end()
  await database.close()
})

const pack = (waybill: string, ...flat: (string | number)[]): Package => ({
  ...{ carrier: 'SF', waybill, lines: lines(...flat), shippedAt: atMs },
})
const reject = (
  taskId: string,
  fence: number,
  given: readonly SkuQuantity[] = [],
  reason: RejectReason = 'out_of_stock',
) => giveBack(sql, 'n1', taskId, fence, { state: 'rejected', reason, lines: given }, storeCommand)
const acceptIntercept = (taskId: string, fence: number) =>
  giveBack(sql, 'n1', taskId, fence, { state: 'intercepted' }, storeCommand)
const closedLater = (id: string, ...flat: (string | number)[]) =>
  snapshotOf(id, lines(...flat), { platformState: 'closed', modifiedAt: atMs + 1000 })

async function orderNow(orderId: string) {
  const [row] = await sql<{ state: string; version: number }[]>`
    select state, version from orders where order_id = ${orderId}`
  return row!
}

describe('pull', () => {
  async function routeMany(count: number, name = 'o') {
    for (let i = 0; i < count; i++) await route(sql, `${name}${String(i).padStart(3, '0')}`, 'n1', lines('a', 1))
  }

  test('gives ten pullers at once each task once', async () => {
    await routeMany(60)
    const pulls = await Promise.all(Array.from({ length: 30 }, (_, i) => pullTasks(many, 'n1', 1 + (i % 4), 60)))
    const tasks = pulls.flat()
    // No pull waited for another, so a few tasks may have been passed over while they were locked.
    const rest = await pullTasks(sql, 'n1', 100, 60)
    expect(new Set([...tasks, ...rest].map((t) => t.taskId)).size).toBe(60)
    expect(tasks.length + rest.length).toBe(60)
    for (const task of [...tasks, ...rest])
      expect(task).toMatchObject({ fence: 1, state: 'pulled', intercepted: false })
    expect(await pullTasks(sql, 'n1', 100, 60)).toEqual([])
  })

  test('gives the oldest first, no more than asked for, and of the own node only', async () => {
    await post(sql, 'n2', 'add', lines('a', 5))
    await route(sql, 'other', 'n2', lines('a', 1))
    await routeMany(5)
    expect((await pullTasks(sql, 'n1', 2, 60)).map((t) => t.orderId)).toEqual(['o000', 'o001'])
    expect((await pullTasks(sql, 'n1', 9, 60)).map((t) => t.orderId)).toEqual(['o002', 'o003', 'o004'])
    expect((await pullTasks(sql, 'n2', 9, 60)).map((t) => t.orderId)).toEqual(['other'])
    expect(await pullTasks(sql, 'n3', 9, 60)).toEqual([])
  })

  test('looks at what it may give, and not at the thousands that somebody is packing, whatever it once knew', async () => {
    const one = connect(database.url, { max: 1, applicationName: 'pull', settings: indexedPlans })
    try {
      // As at the start of a day: the plan is made, and kept, for tables that were empty when they were looked at.
      await sql`analyze task, orders`
      for (let time = 0; time < 10; time++) expect(await pullTasks(one, 'n1', 200, 600)).toEqual([])
      await routeMany(200)
      expect((await pullTasks(one, 'n1', 200, 600)).length).toBe(200)
      await routeMany(3, 'later')
      const looked = await one.begin(async (tx) => {
        // What an earlier transaction did and has not reported yet is counted in.
        const rows = async () => {
          const [row] = await tx<{ rows: number }[]>`
            select sum(idx_tup_fetch + seq_tup_read)::int as rows from pg_stat_xact_user_tables where relname in ('task', 'orders')`
          return row!.rows
        }
        const before = await rows()
        const pulled = await pullTasks(tx as unknown as Sql, 'n1', 2, 600)
        expect(pulled.map((t) => t.orderId)).toEqual(['later000', 'later001'])
        return (await rows()) - before
      })
      expect(looked).toBeLessThan(20)
    } finally {
      await one.end()
    }
  })

  test('says what is to be packed and for whom, as the platform gave it', async () => {
    const told = snapshotOf('o', lines('a', 2, 'b', 1, 'a', 1), { buyerMessage: '请快', shipBy: atMs + 5 })
    await commitStep(sql, 'o', { told, node: 'n1' })
    expect(await pullOne(sql, 'n1')).toMatchObject({
      ...{ channel: 'tmall', shop: 'shop', orderId: 'o', receiver: told.receiver, buyerMessage: '请快' },
      lines: [
        { sku: 'a', quantity: 3, shipped: 0 },
        { sku: 'b', quantity: 1, shipped: 0 },
      ],
    })
  })

  test.each(['pulled', 'accepted'])('gives a %s task again after its lease, with a higher fence', async (state) => {
    await route(sql, 'o', 'n1', lines('a', 2))
    const first = await pullOne(sql, 'n1')
    if (state === 'accepted') await acceptTask(sql, 'n1', first.taskId, first.fence)
    expect(await pullTasks(sql, 'n1', 10, 60)).toEqual([])
    await lapse(sql, first.taskId)
    const pulls = await Promise.all(Array.from({ length: 5 }, () => pullTasks(many, 'n1', 10, 60)))
    expect(pulls.flat().map((t) => [t.taskId, t.fence, t.state])).toEqual([[first.taskId, 2, 'pulled']])
    // The first owner comes back late: every verb of his is refused.
    const { taskId, fence } = first
    expect(await acceptTask(sql, 'n1', taskId, fence)).toEqual({ outcome: 'stale_fence' })
    expect(await extendLease(sql, 'n1', taskId, fence, 60)).toEqual({ outcome: 'stale_fence' })
    expect(await shipTask(sql, 'n1', taskId, fence, [pack('SF000001', 'a', 2)])).toEqual({ outcome: 'stale_fence' })
    expect(await reject(taskId, fence)).toEqual({ outcome: 'stale_fence' })
    expect(await acceptIntercept(taskId, fence)).toEqual({ outcome: 'stale_fence' })
  })

  test('of a task that was shipped in part gives what is left', async () => {
    await route(sql, 'o', 'n1', lines('a', 3))
    const { taskId, fence } = await pullOne(sql, 'n1')
    await shipTask(sql, 'n1', taskId, fence, [pack('SF000001', 'a', 1)])
    await lapse(sql, taskId)
    expect(await pullOne(sql, 'n1')).toMatchObject({ fence: 2, lines: [{ sku: 'a', quantity: 3, shipped: 1 }] })
    expect(await shipTask(sql, 'n1', taskId, 2, [pack('SF000002', 'a', 2)])).toMatchObject({ outcome: 'shipped' })
  })
})

describe('refusals', () => {
  /** A task in a state, as its owner knows it. */
  async function taskIn(state: string) {
    await route(sql, 'o', 'n1', lines('a', 2))
    if (state === 'ready') {
      const [row] = await sql<{ task_id: string }[]>`select task_id from task`
      return { taskId: row!.task_id, fence: 0 }
    }
    const { taskId, fence } = await pullOne(sql, 'n1')
    if (state === 'accepted') await acceptTask(sql, 'n1', taskId, fence)
    if (state === 'lapsed') await lapse(sql, taskId)
    if (state === 'shipped') await shipTask(sql, 'n1', taskId, fence, [pack('SF000001', 'a', 2)])
    if (state === 'rejected' || state === 'cancelled') await reject(taskId, fence)
    if (state === 'cancelled')
      await commitStep(sql, 'o', { takenBack: [{ taskId, why: 'out_of_stock', corrections: [] }] })
    if (state === 'flagged' || state === 'intercepted') await commitStep(sql, 'o', { told: closedLater('o', 'a', 2) })
    if (state === 'intercepted') await acceptIntercept(taskId, fence)
    return { taskId, fence }
  }

  const ask = {
    accept: (taskId: string, fence: number) => acceptTask(sql, 'n1', taskId, fence),
    extend: (taskId: string, fence: number) => extendLease(sql, 'n1', taskId, fence, 60),
    ship: (taskId: string, fence: number) => shipTask(sql, 'n1', taskId, fence, [pack('SF000009', 'a', 1)]),
    reject: (taskId: string, fence: number) => reject(taskId, fence),
    intercept: acceptIntercept,
  }
  const wrong = (state: string) => ({ outcome: 'wrong_state', state })

  test.each([
    ['accept', 'ready', wrong('ready')],
    ['accept', 'pulled', { outcome: 'accepted', leaseUntil: expect.any(Date) }],
    ['accept', 'accepted', { outcome: 'already_accepted', leaseUntil: expect.any(Date) }],
    ['accept', 'lapsed', { outcome: 'lease_lapsed' }],
    ['accept', 'flagged', { outcome: 'intercepted' }],
    ['accept', 'shipped', wrong('shipped')],
    ['accept', 'rejected', wrong('rejected')],
    ['accept', 'intercepted', wrong('intercepted')],
    ['accept', 'cancelled', wrong('cancelled')],
    ['extend', 'ready', wrong('ready')],
    ['extend', 'pulled', { outcome: 'extended', intercepted: false, state: 'pulled' }],
    ['extend', 'accepted', { outcome: 'extended', intercepted: false, state: 'accepted' }],
    ['extend', 'lapsed', { outcome: 'lease_lapsed' }],
    ['extend', 'flagged', { outcome: 'extended', intercepted: true, state: 'pulled' }],
    ['extend', 'shipped', wrong('shipped')],
    ['extend', 'rejected', wrong('rejected')],
    ['extend', 'intercepted', wrong('intercepted')],
    ['extend', 'cancelled', wrong('cancelled')],
    ['ship', 'ready', wrong('ready')],
    ['ship', 'pulled', { outcome: 'partly_shipped' }],
    ['ship', 'accepted', { outcome: 'partly_shipped' }],
    ['ship', 'lapsed', { outcome: 'partly_shipped' }],
    ['ship', 'flagged', { outcome: 'intercepted' }],
    ['ship', 'shipped', wrong('shipped')],
    ['ship', 'rejected', wrong('rejected')],
    ['ship', 'intercepted', { outcome: 'intercepted' }],
    ['ship', 'cancelled', wrong('cancelled')],
    ['reject', 'ready', wrong('ready')],
    ['reject', 'pulled', { outcome: 'given_back' }],
    ['reject', 'accepted', { outcome: 'given_back' }],
    // The task has no other owner yet: to give it back late is as good as to let it lapse.
    ['reject', 'lapsed', { outcome: 'lease_lapsed' }],
    ['reject', 'flagged', { outcome: 'given_back' }],
    ['reject', 'shipped', wrong('shipped')],
    ['reject', 'rejected', { outcome: 'already_given_back' }],
    ['reject', 'intercepted', wrong('intercepted')],
    ['reject', 'cancelled', { outcome: 'already_given_back' }],
    ['intercept', 'ready', wrong('ready')],
    ['intercept', 'pulled', { outcome: 'not_intercepted' }],
    ['intercept', 'accepted', { outcome: 'not_intercepted' }],
    ['intercept', 'lapsed', { outcome: 'lease_lapsed' }],
    ['intercept', 'flagged', { outcome: 'given_back' }],
    ['intercept', 'shipped', wrong('shipped')],
    ['intercept', 'rejected', wrong('rejected')],
    ['intercept', 'intercepted', { outcome: 'already_given_back' }],
    ['intercept', 'cancelled', wrong('cancelled')],
  ] as const)('%s a %s task', async (verb, state, outcome) => {
    const { taskId, fence } = await taskIn(state)
    expect(await ask[verb](taskId, fence)).toMatchObject(outcome)
  })

  test.each(Object.keys(ask) as (keyof typeof ask)[])(
    '%s: another node’s, an unknown one, another fence',
    async (verb) => {
      const { taskId, fence } = await taskIn('pulled')
      expect(await ask[verb]('999-1', fence)).toEqual({ outcome: 'unknown_task' })
      for (const wrongFence of [fence - 1, fence + 1, 0]) {
        expect(await ask[verb](taskId, wrongFence)).toEqual({ outcome: 'stale_fence' })
      }
      await sql`update task set node = 'n2' where task_id = ${taskId}`
      expect(await ask[verb](taskId, fence)).toEqual({ outcome: 'unknown_task' })
      await sql`update task set node = 'n1' where task_id = ${taskId}`
    },
  )

  test.each([
    ['more than the task holds', lines('a', 3), 'a'],
    ['what the task does not hold', lines('b', 1), 'b'],
    ['more in two lines', lines('a', 2, 'a', 1), 'a'],
  ])('ship or reject %s', async (_, given, sku) => {
    const { taskId, fence } = await taskIn('pulled')
    const refusal = { outcome: 'lines_do_not_match', sku }
    expect(await shipTask(sql, 'n1', taskId, fence, [{ ...pack('SF000001'), lines: given }])).toEqual(refusal)
    expect(await reject(taskId, fence, given)).toEqual(refusal)
    expect(await orderNow('o')).toEqual({ state: 'routed', version: 1 })
  })
})

describe('intercept', () => {
  test('is shown to the owner with his own fence and lease, until he answers or it is withdrawn', async () => {
    await route(sql, 'o', 'n1', lines('a', 2))
    const first = await pullOne(sql, 'n1', 600)
    expect(await commitStep(sql, 'o', { told: closedLater('o', 'a', 2) })).toEqual([])
    const again = await pullOne(sql, 'n1', 60)
    expect(again).toMatchObject({ taskId: first.taskId, fence: 1, intercepted: true, leaseUntil: first.leaseUntil })
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ reserved: 2 })
    // The platform takes it back: the task goes on as if nothing had been.
    await commitStep(sql, 'o', { told: snapshotOf('o', lines('a', 2), { modifiedAt: atMs + 2000 }) })
    expect(await pullTasks(sql, 'n1', 10, 60)).toEqual([])
    expect(await shipTask(sql, 'n1', first.taskId, 1, [pack('SF000001', 'a', 2)])).toMatchObject({ outcome: 'shipped' })
  })

  test('of a task whose owner fell silent is found, and never offered to somebody else', async () => {
    await route(sql, 'o', 'n1', lines('a', 2))
    const { taskId, fence } = await pullOne(sql, 'n1')
    await commitStep(sql, 'o', { told: closedLater('o', 'a', 2) })
    expect(await lapsedIntercepts(sql, 10)).toEqual([])
    await lapse(sql, taskId)
    expect(await pullTasks(sql, 'n1', 10, 60)).toEqual([])
    expect(await lapsedIntercepts(sql, 10)).toEqual([{ taskId, fence, node: 'n1' }])
    expect(await acceptIntercept(taskId, fence)).toEqual({ outcome: 'lease_lapsed' })
    const forSilent = { state: 'intercepted', lapsed: true } as const
    expect(await giveBack(sql, 'n1', taskId, fence, forSilent, storeCommand)).toMatchObject({ outcome: 'given_back' })
    expect(await lapsedIntercepts(sql, 10)).toEqual([])
    expect(await commitStep(sql, 'o', { takenBack: [{ taskId, why: 'intercepted', corrections: [] }] })).toHaveLength(1)
    expect(await figures(sql, 'n1', 'a')).toMatchObject({ reserved: 0 })
    expect((await orderNow('o')).state).toBe('cancelled')
  })

  test('a lease that its caller never learned of ends at once', async () => {
    await route(sql, 'hung-up', 'n1', lines('a', 1))
    const leased = await pullTasks(sql, 'n1', 10, 600)
    await endLeases(sql, leased)
    const again = await pullTasks(sql, 'n1', 10, 600)
    expect(again.map((t) => [t.taskId, t.fence])).toEqual(leased.map((t) => [t.taskId, t.fence + 1]))
    await endLeases(sql, leased)
    expect(await pullTasks(sql, 'n1', 10, 600)).toEqual([])
  })

  test('or ship: exactly one of the two wins', async () => {
    for (let round = 0; round < 8; round++) {
      await route(sql, `o${round}`, 'n1', lines('a', 1))
      const { taskId, fence } = await pullOne(sql, 'n1')
      const write = await decided(sql, `o${round}`, { told: closedLater(`o${round}`, 'a', 1) })
      const [shipped, cancelled] = await Promise.all([
        shipTask(many, 'n1', taskId, fence, [pack(`SF40000${round}`, 'a', 1)]),
        commitDecisions(many, 0, [write]),
      ])
      const won = cancelled.outcome === 'committed' && cancelled.conflicts.length === 0
      expect(shipped.outcome).toBe(won ? 'intercepted' : 'shipped')
      if (won) await acceptIntercept(taskId, fence)
    }
  })
})

test('giving back and its command are one: when the command fails, the task is still its owner’s', async () => {
  await route(sql, 'o', 'n1', lines('a', 2))
  const { taskId, fence } = await pullOne(sql, 'n1')
  const failing = async () => {
    throw new Error('no disk')
  }
  const how = { state: 'rejected', reason: 'damaged', lines: [] } as const
  await expect(giveBack(sql, 'n1', taskId, fence, how, failing)).rejects.toThrow('no disk')
  expect(await acceptTask(sql, 'n1', taskId, fence)).toMatchObject({ outcome: 'accepted' })
  let commands = 0
  const counting = async (...given: Parameters<typeof storeCommand>) => {
    commands += 1
    await storeCommand(...given)
  }
  const done = await Promise.all(Array.from({ length: 5 }, () => giveBack(many, 'n1', taskId, fence, how, counting)))
  expect(done.map((d) => d.outcome).sort()).toEqual([...Array(4).fill('already_given_back'), 'given_back'])
  expect(commands).toBe(1)
})
