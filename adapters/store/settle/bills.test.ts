import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { BillRow } from '../../../router/bill.ts'
import { agreeingWorld } from '../../../router/reconcile/world.ts'
import type { Order } from '../../../router/types.ts'
import { list } from '../exceptions.ts'
import { insertOrder } from '../testing/orders.ts'
import { countingDatabase } from '../testing/rows-read.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { importBill, resolveBillsWithoutOrder } from './bills.ts'
import { dueOrders } from './due.ts'
import { loadForReconcile } from './reconcile.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
beforeEach(() => database.sql`truncate bill_row, orders, exception, reconciliation`)
afterAll(() => database.close())

const row: BillRow = {
  ...{ ref: 'p1', kind: 'payment', channel: 'wechat', shop: 'shop', orderId: 'order-1', transactionId: null },
  ...{ amountFen: 100, feeFen: 1, occurredAt: 1_794_326_400_000 },
}
const byTransaction: BillRow = { ...row, ref: 't1', channel: null, shop: null, orderId: null, transactionId: '42000' }

function order(id: string, transactionId: string | null = null): Order {
  const world = agreeingWorld({
    lines: [{ quantity: 1, paidFen: 100, cancelled: false, task: 0 }],
    freightFen: 0,
  }).order
  return { ...world, id, orderId: `order-${id}`, snapshot: { ...world.snapshot!, transactionId } }
}

const noOdd = { replaced: 0, setAside: 0 }
const openKinds = async () => (await list(database.sql, { limit: 100 })).exceptions.map((exception) => exception.kind)

describe('a bill', () => {
  test('is stored once, joins by order and by transaction, and marks its orders due', async () => {
    const { sql } = database
    await insertOrder(sql, order('1'), [])
    await insertOrder(sql, order('2', '42000'), [])
    const first = await importBill(sql, 'generic', 'a', [row, byTransaction])
    expect(first).toEqual({ inserted: 2, known: 0, conflicting: 0, withoutOrder: 0, ...noOdd, orderIds: ['1', '2'] })
    expect(await dueOrders(sql, '0', 10)).toEqual(['1', '2'])
    expect(await openKinds()).toEqual([])
    const again = await importBill(sql, 'generic', 'a', [row, byTransaction])
    expect(again).toEqual({ inserted: 0, known: 2, conflicting: 0, withoutOrder: 0, ...noOdd, orderIds: ['1', '2'] })
    expect((await sql`select from bill_row`).count).toBe(2)
  })

  test('of another account or source is another bill', async () => {
    const { sql } = database
    await importBill(sql, 'generic', 'a', [row])
    expect(await importBill(sql, 'generic', 'b', [row])).toMatchObject({ inserted: 1 })
    expect(await importBill(sql, 'wechatpay', 'a', [row])).toMatchObject({ inserted: 1 })
  })

  test.each<[string, Partial<BillRow>]>([
    ['amount', { amountFen: 101 }],
    ['fee', { feeFen: -1 }],
    ['kind', { kind: 'refund' }],
    ['order', { orderId: 'order-2' }],
    ['time', { occurredAt: 1 }],
  ])('whose row comes again with another %s is raised, and what is stored stands', async (_, change) => {
    const { sql } = database
    await insertOrder(sql, order('1'), [])
    await importBill(sql, 'generic', 'a', [row])
    for (let again = 0; again < 2; again++) {
      const result = await importBill(sql, 'generic', 'a', [{ ...row, ...change }])
      expect(result).toMatchObject({ inserted: 0, known: 0, conflicting: 1 })
    }
    expect(await openKinds()).toEqual(['bill_conflict'])
    expect(await sql`select amount_fen::int, fee_fen::int, kind from bill_row`).toMatchObject([
      { amount_fen: 100, fee_fen: 1, kind: 'payment' },
    ])
  })

  test('that says two things of one row in one file: the first is stored, the second raised', async () => {
    const rows = [row, { ...row, amountFen: 7 }, row]
    const result = await importBill(database.sql, 'generic', 'a', rows)
    expect(result).toMatchObject({ inserted: 1, known: 1, conflicting: 1 })
    expect((await openKinds()).sort()).toEqual(['bill_conflict', 'bill_without_order'])
  })

  test('before its order is an exception until the order arrives', async () => {
    const { sql } = database
    const fee: BillRow = { ...row, ref: 'f', kind: 'fee', channel: null, shop: null, orderId: null }
    const result = await importBill(sql, 'generic', 'a', [row, byTransaction, fee])
    expect(result).toEqual({ inserted: 3, known: 0, conflicting: 0, withoutOrder: 2, ...noOdd, orderIds: [] })
    expect(await openKinds()).toEqual(['bill_without_order', 'bill_without_order'])
    expect(await resolveBillsWithoutOrder(sql, 10)).toEqual({ orderIds: [], resolved: 0 })
    await insertOrder(sql, order('1'), [])
    expect(await resolveBillsWithoutOrder(sql, 10)).toEqual({ orderIds: ['1'], resolved: 1 })
    await insertOrder(sql, order('2', '42000'), [])
    expect(await resolveBillsWithoutOrder(sql, 10)).toEqual({ orderIds: ['2'], resolved: 1 })
    expect(await openKinds()).toEqual([])
    expect(await dueOrders(sql, '0', 10)).toEqual(['1', '2'])
  })

  test('sent twice at the same moment, in opposite orders, is stored once', async () => {
    const { sql } = database
    const rows = Array.from({ length: 6_000 }, (_, i) => ({ ...row, ref: `r${i}`, orderId: `none-${i}` }))
    const results = await Promise.all([
      importBill(sql, 'generic', 'a', rows),
      importBill(sql, 'generic', 'a', rows.toReversed()),
    ])
    expect(results.reduce((sum, result) => sum + result.inserted, 0)).toBe(6_000)
    expect(results.reduce((sum, result) => sum + result.known, 0)).toBe(6_000)
    expect((await sql`select from exception where resolved_at is null`).count).toBe(6_000)
  })

  test('reads what it names, and not every bill there is, whatever was known of the tables when it was planned', async () => {
    const { one, rowsRead, close } = await countingDatabase()
    try {
      await one`analyze bill_row, orders, exception`
      const numbers = Array.from({ length: 300 }, (_, i) => String(i + 1))
      for (const id of numbers) await insertOrder(one, order(id, `42${id}`), [])
      const billed = (id: string): BillRow[] => [
        { ...row, ref: `p${id}`, orderId: `order-${id}` },
        { ...byTransaction, ref: `t${id}`, transactionId: `42${id}` },
      ]
      const touched = async (ids: readonly string[]) => {
        const { orderIds } = await importBill(one, 'generic', 'a', ids.flatMap(billed))
        expect(orderIds).toEqual(ids)
        const loaded = await one.begin((tx) => loadForReconcile(tx, ids))
        expect(loaded.map(({ input }) => input.bills.map((bill) => bill.ref))).toEqual(
          ids.map((id) => [`p${id}`, `t${id}`]),
        )
      }
      for (const id of numbers.slice(0, 10)) await touched([id])
      for (let from = 10; from < 290; from += 10) await touched(numbers.slice(from, from + 10))
      const read = await rowsRead(['bill_row', 'orders'], () => touched(numbers.slice(290)))
      expect(read).toBeGreaterThan(0)
      expect(read).toBeLessThan(20 * 10)
    } finally {
      await close()
    }
  })

  test('that cannot be stored to its end is not stored at all', async () => {
    const { sql } = database
    const rows = Array.from({ length: 5_001 }, (_, i) => ({ ...row, ref: `r${String(i).padStart(5, '0')}` }))
    rows[5_000] = { ...rows[5_000]!, amountFen: Number.NaN }
    await expect(importBill(sql, 'generic', 'a', rows)).rejects.toThrow()
    expect((await sql`select from bill_row`).count).toBe(0)
  })
})
