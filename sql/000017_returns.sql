-- After-sales: what comes back of an order, or is paid back without goods. An order without any has no row here, and is no larger.
-- The columns are what is searched for; the body holds the rest of router/returns/types Return.

create table returns (
  id         bigint generated always as identity primary key,
  order_id   bigint not null,
  ref        text not null,
  kind       text not null check (kind in ('refund_only', 'return', 'rejected')),
  state      text not null check (state in ('requested', 'agreed', 'on_its_way', 'received', 'settled', 'refused', 'withdrawn')),
  node       text,
  waybill    text,
  body       jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (order_id, ref)
);
create index returns_waybill on returns (waybill) where waybill is not null;
-- What nodes wait for: few of all that there ever were.
create index returns_awaited on returns (node, id) where state in ('requested', 'agreed', 'on_its_way');

-- Good units of a return become stock of the node that received them: a movement of its own kind. Every row there has one of the kinds of
-- before, so they are not read again.
alter table stock_movement drop constraint stock_movement_kind_check;
alter table stock_movement add constraint stock_movement_kind_check
  check (kind in ('set', 'add', 'safety', 'reserve', 'release', 'correct', 'ship', 'return')) not valid;
drop index stock_movement_goods;
create index stock_movement_goods on stock_movement (node, at) where kind in ('add', 'correct', 'ship', 'return');
