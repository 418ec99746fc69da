-- The spine: what Paidan knows, in the order in which an order meets it.
--
-- Rules that hold for every table here:
--   * Postgres is the truth. Redis holds only counters that can be made again from `stock`, and hints.
--   * What happened is appended (inbox, decision, stock_movement, bill_row, track); what is now is updated in place
--     (orders, task, stock), by primary key, with room for HOT updates.
--   * Instants that platforms give are bigint epoch milliseconds, as the brain sees them; our own are timestamptz.

-- ───────────────────────────────────────────────────────────── settings

create table shop (
  channel      text not null,
  shop         text not null,
  credentials  jsonb not null,
  api_base_url text,
  sku_map      jsonb not null default '{}',
  primary key (channel, shop)
);

create table carrier_account (
  carrier     text not null,
  account     text not null,
  credentials jsonb not null,
  primary key (carrier, account)
);

-- `no` is a small dense number: the column of the availability hints that threads share.
create table sku (
  sku    text primary key,
  no     integer generated always as identity unique,
  detail jsonb not null
);

-- `no` is the row of the hints. `seq` counts the changes of this node's availability that Redis has to be told:
-- it only moves under this row's lock, so the changes of one node have one order and none can be missed or told twice.
create table node (
  node         text primary key,
  no           integer generated always as identity unique,
  detail       jsonb not null,
  api_key_hash bytea not null,
  seq          bigint not null default 0
) with (fillfactor = 50);

create unique index node_api_key on node (api_key_hash);

-- Rises whenever settings that the threads keep in memory change.
create table catalog_version (one boolean primary key default true check (one), version bigint not null);
insert into catalog_version values (true, 1);

create table setting (key text primary key, value jsonb not null);

-- ───────────────────────────────────────────────────────────── intake

-- Every acknowledged event, once. Partitioned by the event's own day (its platform's clock), not by arrival: a
-- redelivery falls into the same partition whenever it comes, so the key is unique for good, and a day is dropped whole.
create sequence event_seq;
create table inbox (
  day         date not null,
  channel     text not null,
  shop        text not null,
  event_id    text not null,
  seq         bigint not null default nextval('event_seq'),
  order_id    text not null,
  kind        text not null check (kind in ('order', 'refund', 'hint', 'command', 'unintelligible')),
  body_hash   bytea not null,
  body        bytea not null,
  received_at timestamptz not null default now(),
  primary key (day, channel, shop, event_id)
) partition by range (day);
create table inbox_rest partition of inbox default;

-- What is not decided yet. The row goes in with its event and out with its decision, so `inbox` is never updated.
create table pending (
  seq        bigint primary key,
  day        date not null,
  channel    text not null,
  shop       text not null,
  event_id   text not null,
  order_id   text not null,
  kind       text not null,
  attempts   integer not null default 0,
  not_before timestamptz not null default now(),
  last_error text
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

-- The same event id with another body: kept, raised, never silently dropped.
create table event_conflict (
  id          bigint generated always as identity primary key,
  day         date not null,
  channel     text not null,
  shop        text not null,
  event_id    text not null,
  body_hash   bytea not null,
  body        bytea not null,
  received_at timestamptz not null default now(),
  unique (day, channel, shop, event_id, body_hash)
);

-- ───────────────────────────────────────────────────────────── orders

create table orders (
  id             bigint primary key,
  channel        text not null,
  shop           text not null,
  order_id       text not null,
  version        integer not null check (version > 0),
  state          text not null check (state in ('announced', 'unpaid', 'held', 'backordered', 'routed',
                   'partly_shipped', 'shipped', 'cancelled', 'closed')),
  transaction_id text,
  -- The whole of router/types Order but for the columns beside it.
  body           json not null,
  -- Where every unit is: router/types Item and Allocation, beside the body for whoever asks in SQL.
  items          jsonb not null,
  allocations    jsonb not null,
  received_at    timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  unique (channel, shop, order_id)
) with (fillfactor = 80);
create index orders_transaction on orders (transaction_id) where transaction_id is not null;
create index orders_attention on orders (state, id) where state in ('announced', 'held', 'backordered', 'unpaid');

create table backorder (
  order_id bigint not null,
  sku      text not null,
  quantity integer not null check (quantity > 0),
  since    timestamptz not null default now(),
  primary key (sku, order_id)
);
create index backorder_order on backorder (order_id);

-- One row a decision: what came, what was decided, on which figures. The order's history and trace are these rows.
create table decision (
  order_id bigint not null,
  version  integer not null,
  seq      bigint not null,
  at       timestamptz not null default now(),
  outcome  text not null,
  trace    json not null,
  primary key (order_id, version, seq)
);

-- ───────────────────────────────────────────────────────────── tasks

create table task (
  task_id             text primary key,
  order_id            bigint not null,
  node                text not null,
  state               text not null check (state in ('ready', 'pulled', 'accepted', 'shipped', 'rejected',
                        'intercepted', 'cancelled')),
  fence               integer not null default 0 check (fence >= 0),
  lease_until         timestamptz,
  intercept_requested boolean not null default false,
  lines               jsonb not null,
  packages            jsonb not null default '[]',
  reason              text,
  ship_by             bigint,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  -- Who has a task has it until an instant.
  check (lease_until is not null or state not in ('pulled', 'accepted'))
) with (fillfactor = 80);
create index task_order on task (order_id);
create index task_open on task (node, created_at, task_id) where state not in ('shipped', 'cancelled');
-- Asked for with every pull and every sweep, and nearly always empty.
create index task_intercept on task (node, lease_until) where intercept_requested;

-- ───────────────────────────────────────────────────────────── stock

-- Available to promise = on_hand - safety - reserved. It may go below zero only when a count says so.
create table stock (
  node     text not null,
  sku      text not null,
  on_hand  integer not null check (on_hand >= 0),
  safety   integer not null default 0 check (safety >= 0),
  reserved integer not null default 0 check (reserved >= 0),
  primary key (node, sku)
) with (fillfactor = 60);

-- Append-only. on_hand and reserved are what these rows add up to.
-- node_seq: set on those that change what is available without Redis having done it first; Redis is told in this order.
create table stock_movement (
  id       bigint generated always as identity primary key,
  node     text not null,
  node_seq bigint,
  kind     text not null check (kind in ('set', 'add', 'safety', 'reserve', 'release', 'correct', 'ship')),
  ref      text not null,
  skus     text[] not null,
  on_hand  integer[] not null,
  reserved integer[] not null,
  -- null: no safety stock changed.
  safety   integer[],
  at       timestamptz not null default now(),
  check (cardinality(on_hand) = cardinality(skus) and cardinality(reserved) = cardinality(skus)),
  check (cardinality(safety) = cardinality(skus)),
  -- What the node changed by itself is told to Redis; what Redis did first is not.
  check ((node_seq is null) = (kind = 'reserve') or kind = 'ship')
);
create unique index stock_movement_node_seq on stock_movement (node, node_seq) where node_seq is not null;
-- Whether a reservation that Redis still holds was committed.
create index stock_movement_reserve on stock_movement (ref) where kind = 'reserve';

-- A stock posting's idempotency key with its answer.
create table stock_posting (
  node      text not null,
  ref       text not null,
  body_hash bytea not null,
  at        timestamptz not null default now(),
  primary key (node, ref)
);

create table stock_epoch (one boolean primary key default true check (one), epoch bigint not null);
insert into stock_epoch values (true, 0);

-- ───────────────────────────────────────────────────────────── money and parcels

create table bill_row (
  id             bigint generated always as identity primary key,
  source         text not null,
  account        text not null,
  ref            text not null,
  kind           text not null check (kind in ('payment', 'refund', 'fee')),
  channel        text,
  shop           text,
  order_id       text,
  transaction_id text,
  amount_fen     bigint not null check (amount_fen >= 0),
  fee_fen        bigint not null,
  occurred_at    bigint not null,
  body_hash      bytea not null,
  imported_at    timestamptz not null default now(),
  unique (source, account, ref)
);
create index bill_row_order on bill_row (channel, shop, order_id) where order_id is not null;
create index bill_row_transaction on bill_row (transaction_id) where transaction_id is not null;

-- The latest word of a carrier on one waybill; the whole push is kept as given.
create table track (
  carrier     text not null,
  waybill     text not null,
  state       text not null,
  occurred_at bigint not null,
  body_hash   bytea not null,
  body        json not null,
  updated_at  timestamptz not null default now(),
  primary key (carrier, waybill)
);

-- Which task a waybill belongs to: a push names only the waybill.
create table parcel (
  carrier  text not null,
  waybill  text not null,
  task_id  text not null,
  order_id bigint not null,
  primary key (carrier, waybill, task_id)
);
create index parcel_order on parcel (order_id);
-- A push names the waybill, and the carrier by another name than the warehouse did.
create index parcel_waybill on parcel (waybill);
create index track_waybill on track (waybill);

-- An order enters when it has something to close: shipped, cancelled after payment, or billed.
create table reconciliation (
  order_id   bigint primary key,
  state      text not null check (state in ('open', 'closed')),
  detail     json not null,
  updated_at timestamptz not null default now()
);

-- Marked as due: to be looked at again as soon as possible.
create index reconciliation_due on reconciliation (order_id) where updated_at = '-infinity';

-- Everything that wants a person's eye. Its age is now() - since.
create table exception (
  id          bigint generated always as identity primary key,
  kind        text not null,
  ref         text not null,
  order_id    bigint,
  detail      jsonb not null default '{}',
  since       timestamptz not null default now(),
  resolved_at timestamptz
);
create unique index exception_open on exception (kind, ref) where resolved_at is null;
create index exception_order on exception (order_id) where order_id is not null;
