/** What moved goods at a node since an instant: for a count that is told later than it was made. */
import { countAgeMsMax, type GoodsKind, goodsKinds, goodsMoved } from '../../../router/posting.ts'
import type { Transaction } from '../postgres/connect.ts'

/**
 * Units by SKU, of the movements that are committed. With the rows locked there are no others: a movement changes its
 * row. `sinceMs`: null: nothing is asked. Looks back no further than a count may lie.
 */
export async function goodsMovedSince(
  tx: Transaction,
  node: string,
  skus: readonly string[],
  sinceMs: number | null,
): Promise<ReadonlyMap<string, number>> {
  const moved = new Map<string, number>()
  if (sinceMs === null) return moved
  const rows = await tx<{ sku: string; kind: GoodsKind; onHand: number; reserved: number }[]>`
    select l.sku, m.kind, sum(l.on_hand)::float8 as "onHand", sum(l.reserved)::float8 as reserved
    from stock_movement m cross join lateral unnest(m.skus, m.on_hand, m.reserved) as l (sku, on_hand, reserved)
    where m.node = ${node} and m.kind in ('add', 'correct', 'ship', 'return') and m.kind = any(${goodsKinds as unknown as string[]})
      and m.at > greatest(to_timestamp(${sinceMs}::float8 / 1000), now() - ${countAgeMsMax / 1000}::float8 * interval '1 second')
      and m.skus && ${skus as string[]}::text[] and l.sku = any(${skus as string[]}::text[])
    group by 1, 2`
  for (const row of rows) moved.set(row.sku, (moved.get(row.sku) ?? 0) + goodsMoved(row.kind, row))
  return moved
}
