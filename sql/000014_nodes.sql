-- A count says when it was counted: what moved at its node since then is added to it, and a count that is older than the last one of
-- its SKU is refused. Null: never counted, as in every row that only receipts made.

alter table stock add column counted_at timestamptz;

update stock s set counted_at = c.at
from (
  select m.node, l.sku, date_trunc('milliseconds', max(m.at)) as at
  from stock_movement m cross join lateral unnest(m.skus) as l (sku) where m.kind = 'set' group by 1, 2
) c where s.node = c.node and s.sku = c.sku;

-- What moved goods since an instant. Reservations and releases move none, and there are the most of them.
create index stock_movement_goods on stock_movement (node, at) where kind in ('add', 'correct', 'ship');
