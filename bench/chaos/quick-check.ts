/** After each fault, under load: what was acknowledged since the last one is stored, and nothing is oversold. */
import type { Violation } from '../../adapters/store/audit/audit.ts'
import type { World } from './world.ts'

export async function quickCheck({ sql, book }: World): Promise<Violation[]> {
  const orders = [...book.fresh].map((entry) => entry.order)
  book.fresh.clear()
  const lost = await sql`
    select k.channel, k.order_id from unnest(${orders.map((o) => o.channel)}::text[], ${orders.map((o) => o.shop)}::text[],
      ${orders.map((o) => o.orderId)}::text[]) as k (channel, shop, order_id)
    where not exists (
      select from inbox i where i.channel = k.channel and i.shop = k.shop and i.order_id = k.order_id)`
  const oversold = await sql`select node, sku, on_hand, reserved from stock where reserved > on_hand`
  return [
    { invariant: 'acknowledged_events_are_kept', count: lost.length, examples: lost.slice(0, 5) },
    { invariant: 'nothing_is_oversold', count: oversold.length, examples: oversold.slice(0, 5) },
  ].filter((violation) => violation.count > 0)
}
