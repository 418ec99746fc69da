/** Good units of a return become stock of the node that received them. */
import { onHandMax, postTo } from '../../../router/posting.ts'
import type { NodeDelta } from '../../../router/stock.ts'
import type { SkuQuantity } from '../../../router/types.ts'
import type { Transaction } from '../postgres/connect.ts'
import { nextChange } from './stock.ts'

/** In the transaction of the receipt, which holds the order: the node's lock comes next, then those of its rows. */
export async function receiveGoods(
  tx: Transaction,
  node: string,
  ref: string,
  goods: readonly SkuQuantity[],
): Promise<NodeDelta> {
  const units = new Map(goods.map(({ sku, quantity }) => [sku, quantity]))
  const skus = [...units.keys()].sort()
  const { seq, safety } = await nextChange(tx, node)
  const made = await tx<{ sku: string }[]>`
    insert into stock (node, sku, on_hand, safety) select ${node}, sku, 0, ${safety} from unnest(${skus}::text[]) as s (sku)
    on conflict do nothing returning sku`
  const isNew = new Set(made.map((r) => r.sku))
  const rows = await tx<{ sku: string; onHand: number; reserved: number; safety: number }[]>`
    select sku, on_hand as "onHand", reserved, safety
    from stock where node = ${node} and sku = any(${skus}) order by sku for update`
  const before = rows.map((row) => ({ ...row, isNew: isNew.has(row.sku), lastCountedAt: null, movedSince: 0 }))
  const done = postTo('add', units, before)
  if (done.outcome !== 'posted') throw new RangeError(`more than ${onHandMax} units of one SKU at one node`)
  const came = done.moved.map((m) => m.onHand)
  await tx`
    update stock set on_hand = stock.on_hand + c.came
    from unnest(${rows.map((r) => r.sku)}::text[], ${came}::int[]) as c (sku, came)
    where stock.node = ${node} and stock.sku = c.sku`
  await tx`
    insert into stock_movement (node, node_seq, kind, ref, skus, on_hand, reserved, safety)
    values (${node}, ${seq}, 'return', ${ref}, ${rows.map((r) => r.sku)}, ${came}::int[], ${rows.map(() => 0)}::int[],
      ${done.moved.map((m) => m.safety)}::int[])`
  return { node, seq, lines: done.delta }
}
