import { afterAll, beforeAll, expect, test } from 'vitest'
import { audit } from '../audit/audit.ts'
import { storeEvents } from '../inbox/store-events.ts'
import type { Sql } from '../postgres/connect.ts'
import { shipTask } from '../tasks/ship.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { multiply } from './multiply.ts'
import { commitStep, eventOf, figures, lines, makeNetwork, post, pullOne, route, snapshotOf } from './world.ts'

let database: TestDatabase
let sql: Sql
beforeAll(async () => {
  database = await testDatabase()
  sql = database.sql
})
afterAll(() => database.close())

test('every order is there so many times, and every promise holds as before', async () => {
  await makeNetwork(sql, { nodes: ['n1'], skus: ['a', 'b'] })
  await post(sql, 'n1', 'add', lines('a', 10, 'b', 10), 1)
  await route(sql, 'shipped', 'n1', lines('a', 3))
  const { taskId, fence } = await pullOne(sql, 'n1')
  await shipTask(sql, 'n1', taskId, fence, [{ carrier: 'SF', waybill: 'SF000001', lines: lines('a', 2), shippedAt: 1 }])
  await route(sql, 'ready', 'n1', lines('a', 1, 'b', 1))
  const closed = snapshotOf('ready', lines('a', 1, 'b', 1), { platformState: 'closed', modifiedAt: Date.UTC(2027, 0) })
  await commitStep(sql, 'ready', { told: closed })
  await commitStep(sql, 'waiting', { told: snapshotOf('waiting', lines('a', 2, 'b', 1)) })
  await storeEvents(sql, [eventOf('undecided')])
  const before = await figures(sql, 'n1', 'a')
  await multiply(sql, 7)
  expect(await audit(sql)).toEqual([])
  expect((await sql`select from orders`).count).toBe(3 * 7)
  expect((await sql`select from pending`).count).toBe(1)
  expect(await figures(sql, 'n1', 'a')).toEqual({
    ...{ onHand: 7 * before.onHand, reserved: 7 * before.reserved },
    safety: before.safety,
  })
  // The copies are orders like others.
  await commitStep(sql, 'waiting.3', { told: snapshotOf('waiting.3', lines('a', 2, 'b', 1)), node: 'n1' })
  await route(sql, 'new', 'n1', lines('a', 1))
  expect(await audit(sql)).toEqual([])
})
