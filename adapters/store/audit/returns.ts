/** Returns: their units left before, their states are what was received, and good units are stock where they were received. */
import type { Invariant } from './invariant.ts'

/** Units of receipts, by return. */
const received = `returns r, jsonb_array_elements(r.body -> 'receipts') as receipt,
  jsonb_to_recordset(receipt -> 'lines') as l ("lineId" text, sku text, good bigint, damaged bigint, missing bigint)`

export const returnInvariants: readonly Invariant[] = [
  {
    // No unit comes back twice, and none that never left.
    name: 'returned_units_had_left',
    query: `
      select b.order_id, b.sku, b.quantity as back, coalesce(t.shipped, 0) as shipped from (
        select order_id, l.sku, sum(l.quantity) as quantity
        from returns, jsonb_to_recordset(body -> 'lines') as l (sku text, quantity bigint)
        where state not in ('refused', 'withdrawn') group by 1, 2
      ) b left join lateral (
        select sum(l.shipped) as shipped from task, jsonb_to_recordset(lines) as l (sku text, shipped bigint)
        where task.order_id = b.order_id and l.sku = b.sku
      ) t on true
      where b.quantity > coalesce(t.shipped, 0)`,
  },
  {
    // Received when the last unit is found or given up, and not before.
    name: 'returns_are_received_with_their_last_unit',
    query: `
      select r.id, r.state, coalesce(e.quantity, 0) as expected, coalesce(f.quantity, 0) as found from returns r
      left join lateral (
        select sum(l.quantity) as quantity from jsonb_to_recordset(r.body -> 'lines') as l (quantity bigint)
      ) e on true
      left join lateral (
        select sum(l.good + l.damaged + l.missing) as quantity from jsonb_array_elements(r.body -> 'receipts') as receipt,
          jsonb_to_recordset(receipt -> 'lines') as l (good bigint, damaged bigint, missing bigint)
      ) f on true
      where coalesce(f.quantity, 0) > coalesce(e.quantity, 0)
        or (r.kind <> 'refund_only' and r.state in ('received', 'settled')
          and coalesce(f.quantity, 0) < coalesce(e.quantity, 0))
        or (r.state in ('requested', 'agreed', 'on_its_way') and r.kind <> 'refund_only'
          and coalesce(f.quantity, 0) = coalesce(e.quantity, 0))`,
  },
  {
    name: 'good_units_are_stock_where_they_were_received',
    query: `
      select coalesce(g.id, m.id) as id, node, sku, g.quantity as good, m.quantity as moved from (
        select r.id, receipt ->> 'node' as node, l.sku, sum(l.good) as quantity
        from ${received} where l.good > 0 group by 1, 2, 3
      ) g full join (
        select split_part(m.ref, '#', 1)::bigint as id, m.node, u.sku, sum(u.h) as quantity
        from stock_movement m, unnest(m.skus, m.on_hand) as u (sku, h) where m.kind = 'return' group by 1, 2, 3
      ) m using (id, node, sku)
      where g.quantity is distinct from m.quantity`,
  },
]
