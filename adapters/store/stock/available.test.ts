/** The column that says what is available: on the stock of a version that had none, and after every kind of change. */
import { expect, test } from 'vitest'
import { availableOf } from '../../../router/stock.ts'
import type { Sql } from '../postgres/connect.ts'
import { shipTask } from '../tasks/ship.ts'
import { inOldDatabase } from '../testing/old-database.ts'
import { commitStep, lines, makeNetwork, post, pullOne, route, snapshotOf } from '../testing/world.ts'
import { testDatabase } from '../testing.ts'
import { figuresOf, type StockRow, stockRows } from './stock.ts'

/** The version before the column had as many files. */
const filesBefore = 7

async function rows(sql: Sql): Promise<StockRow[]> {
  const found = await stockRows(sql, { limit: 100 })
  for (const row of found) expect(row.available).toBe(availableOf(row))
  return found
}

test('the stock of the version before has it, where a count found too few as well', () =>
  inOldDatabase(filesBefore, async (sql, upgrade) => {
    expect((await sql`select * from stock`).columns.map((c) => c.name)).not.toContain('available')
    await sql`insert into stock (node, sku, on_hand, safety, reserved)
      values ('n1', 'a', 10, 2, 3), ('n1', 'b', 1, 2, 3), ('n1', 'c', 0, 0, 0)`
    await upgrade()
    expect((await rows(sql)).map((r) => r.available)).toEqual([5, -4, 0])

    await makeNetwork(sql, { nodes: ['n1'], skus: ['a', 'b', 'c'] })
    await route(sql, 'o1', 'n1', lines('a', 5))
    expect((await rows(sql)).map((r) => r.available)).toEqual([0, -4, 0])
    await expect(route(sql, 'o2', 'n1', lines('a', 1))).rejects.toThrow('stock_refused')
  }))

test('it follows receipts, counts, safety stock, reservations, releases and shipments', async () => {
  const database = await testDatabase()
  const { sql } = database
  try {
    await makeNetwork(sql, { nodes: ['n1'], skus: ['a'], safety: 2 })
    const availableAfter = async (change: () => Promise<unknown>): Promise<number> => {
      await change()
      const [row] = await rows(sql)
      // What Redis is loaded with.
      expect((await figuresOf(sql, ['n1']))[0]!.available).toEqual([{ sku: 'a', available: row!.available }])
      return row!.available
    }
    expect(await availableAfter(() => post(sql, 'n1', 'add', lines('a', 10)))).toBe(8)
    expect(await availableAfter(() => route(sql, 'o1', 'n1', lines('a', 3)))).toBe(5)
    expect(await availableAfter(() => post(sql, 'n1', 'set', lines('a', 4)))).toBe(-1)
    const closed = snapshotOf('o1', lines('a', 3), { platformState: 'closed', modifiedAt: Date.UTC(2026, 10, 12) })
    expect(await availableAfter(() => commitStep(sql, 'o1', { told: closed }))).toBe(2)
    await route(sql, 'o2', 'n1', lines('a', 2))
    const { taskId, fence } = await pullOne(sql, 'n1')
    const packages = [{ carrier: 'SF', waybill: '1', lines: lines('a', 2), shippedAt: 0 }]
    expect(await availableAfter(() => shipTask(sql, 'n1', taskId, fence, packages))).toBe(0)
  } finally {
    await database.close()
  }
})
