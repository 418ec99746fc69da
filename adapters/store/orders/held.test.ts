/** Which held orders wait for a code, and how far one look goes. */
import { afterAll, beforeEach, expect, test } from 'vitest'
import { empty } from '../testing/world.ts'
import { testDatabase } from '../testing.ts'
import { heldForCodes } from './held.ts'

const database = await testDatabase()
const { sql } = database
beforeEach(() => empty(sql))
afterAll(() => database.close())

const line = { sku: 'X', platformSku: 'P', quantity: 1 }

async function orders(rows: readonly { state?: string; holds?: readonly string[]; lines?: object[]; memo?: string }[]) {
  for (const [i, { state = 'held', holds = ['unknown_sku'], lines = [line], memo = '' }] of rows.entries()) {
    const body = { holds: holds.map((rule) => ({ rule, reason: '' })), snapshot: { lines, sellerMemo: memo } }
    await sql`
      insert into orders (id, channel, shop, order_id, version, state, body, items, allocations)
      values (${i + 1}, 'jd', 's', ${`o${i + 1}`}, 1, ${state}, ${JSON.stringify(body)}, '[]', '[]')`
  }
}

const idsOf = async (after: string, look: number) => {
  const { orders: found, next } = await heldForCodes(sql, after, look)
  return [found.map(({ orderId }) => orderId), next]
}

test('only those that are held for a code, in pages of orders looked at', async () => {
  await orders([
    {},
    { holds: ['human_wanted'], memo: '"unknown_sku"' },
    { state: 'routed' },
    { holds: ['human_wanted', 'unknown_sku'] },
    { holds: ['human_wanted'], lines: [{ ...line, sku: 'unknown_sku' }] },
    {},
  ])
  expect(await idsOf('0', 9)).toEqual([['o1', 'o4', 'o6'], null])
  expect(await idsOf('0', 2)).toEqual([['o1'], '2'])
  expect(await idsOf('2', 2)).toEqual([['o4'], '5'])
  expect(await idsOf('5', 2)).toEqual([['o6'], null])
  expect(await idsOf('6', 2)).toEqual([[], null])
})

test('with the codes of all its lines, and whether one is refunded', async () => {
  await orders([{ lines: [line, { ...line, sku: '', refund: 'refunded' }] }])
  const { orders: found } = await heldForCodes(sql, '0', 9)
  expect(found).toEqual([
    {
      ...{ id: '1', channel: 'jd', shop: 's', orderId: 'o1', version: 1 },
      lines: [
        { sku: 'X', platformSku: 'P', refund: 'none' },
        { sku: '', platformSku: 'P', refund: 'refunded' },
      ],
    },
  ])
})

test('a page ends where the held orders do, whatever the planner believes', async () => {
  await sql`
    insert into orders (id, channel, shop, order_id, version, state, body, items, allocations)
    select i, 'jd', 's', i::text, 1, case when i % 1000 = 0 then 'held' when i % 10 = 0 then 'unpaid' else 'closed' end,
      ${JSON.stringify({ holds: [{ rule: 'unknown_sku', reason: '' }], snapshot: { lines: [line] } })}, '[]', '[]'
    from generate_series(1, 20000) i`
  // What it knows of the table is of before.
  await sql`analyze orders`
  await sql`update orders set state = 'closed' where state = 'held' and id > 5000`
  expect(await idsOf('0', 5)).toEqual([['1000', '2000', '3000', '4000', '5000'], '5000'])
  expect(await idsOf('5000', 5)).toEqual([[], null])
})
