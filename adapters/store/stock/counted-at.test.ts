/** Counts of the version before named no time: each was made when it was posted. */
import { expect, test } from 'vitest'
import { inOldDatabase } from '../testing/old-database.ts'
import { sha256 } from '../testing/world.ts'
import { postStock } from './stock.ts'

/** The version before had as many files. */
const filesBefore = 13

test('a row knows its last count, and a count of before that is refused', () =>
  inOldDatabase(filesBefore, async (sql, upgrade) => {
    await sql`insert into node (node, detail, api_key_hash) values ('n', '{}', '')`
    await sql`insert into sku (sku, detail) select s, '{"bundle": []}' from unnest(array['a', 'b', 'c']) s`
    await sql`insert into stock (node, sku, on_hand) values ('n', 'a', 4), ('n', 'b', 2), ('n', 'c', 1)`
    await sql`
      insert into stock_movement (node, node_seq, kind, ref, skus, on_hand, reserved, at) values
        ('n', 1, 'set', '1', '{a,b}', '{9,2}', '{0,0}', now() - interval '3 days'),
        ('n', 2, 'set', '2', '{a}', '{-5}', '{0}', now() - interval '2 days'),
        ('n', 3, 'add', '3', '{c}', '{1}', '{0}', now() - interval '1 day')`
    await sql`update node set seq = 3`
    await upgrade()
    const rows = await sql`select sku, extract(day from now() - counted_at)::int as days from stock order by sku`
    expect(rows.map((r) => [r.sku, r.days])).toEqual([
      ['a', 2],
      ['b', 3],
      ['c', null],
    ])
    const count = (ref: string, sku: string, daysAgo: number) =>
      postStock(sql, {
        ...{ node: 'n', ref, kind: 'set', lines: [{ sku, quantity: 7 }], bodyHash: sha256(ref) },
        countedAt: Date.now() - daysAgo * 86_400_000,
      })
    expect(await count('4', 'a', 2.5)).toEqual({ outcome: 'stale_count', skus: ['a'] })
    expect(await count('5', 'b', 2.5)).toMatchObject({ outcome: 'posted' })
    // One came since then.
    expect(await count('6', 'c', 2.5)).toMatchObject({ delta: { lines: [{ sku: 'c', delta: 7 }] } })
  }))
