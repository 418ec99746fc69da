/** Tasks of presale goods that the version before made wait for the dates of their lines. */
import { expect, test } from 'vitest'
import { inOldDatabase } from '../testing/old-database.ts'

/** The version before had as many files. */
const filesBefore = 10

test('what waits already has the date of its last line, and what a warehouse has keeps none', () =>
  inOldDatabase(filesBefore, async (sql, upgrade) => {
    const body = JSON.stringify({
      snapshot: { lines: [{ lineId: '1' }, { lineId: '2', readyAt: 7_000 }, { lineId: '3', readyAt: 9_000 }] },
    })
    const items = JSON.stringify([0, 1, 2].map((line) => ({ line, sku: `s${line}`, quantity: 1, paidFen: 1 })))
    const inTask = (item: number, taskId: string) => ({ item, quantity: 1, place: 'task', taskId })
    const allocations = JSON.stringify([
      inTask(0, 'plain'),
      inTask(1, 'dated'),
      inTask(2, 'dated'),
      inTask(2, 'pulled'),
    ])
    await sql`
      insert into orders (id, channel, shop, order_id, version, state, body, items, allocations)
      values (1, 'tmall', 's', 'o', 1, 'routed', ${body}, ${items}::text::jsonb, ${allocations}::text::jsonb)`
    await sql`
      insert into task (task_id, order_id, node, state, lines, lease_until) values
        ('plain', 1, 'n', 'ready', '[]', null), ('dated', 1, 'n', 'ready', '[]', null), ('pulled', 1, 'n', 'pulled', '[]', now())`
    await upgrade()
    const rows = await sql`select task_id, extract(epoch from not_before)::int * 1000 as ms from task order by 1`
    expect(rows.map((row) => [row.task_id, row.ms])).toEqual([
      ['dated', 9_000],
      ['plain', null],
      ['pulled', null],
    ])
  }))
