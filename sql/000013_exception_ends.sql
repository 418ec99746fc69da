-- How far a refund of a bill is: `pending`, `failed` or `done`. Null where the bill does not say, and in rows of the version before,
-- which took a refund on its way for one that was made.

alter table bill_row add column progress text check (progress in ('pending', 'failed', 'done'));

-- An exception ended only by itself, and some kinds never. Now a person can end each, and says how. `accepted` is true from then on
-- until the fact itself is over: meanwhile the same fact is not raised again, and the three-way match counts it as settled. All
-- columns are null in what no person touched, so its row is no larger.

alter table exception
  add column assigned_to text,
  add column note        text,
  add column resolved_as text check (resolved_as in ('written_off', 'done', 'false_alarm')),
  add column resolved_by text,
  add column accepted    boolean;
create index exception_accepted on exception (kind, ref) where accepted;
create index exception_accepted_order on exception (order_id) where accepted;

-- Each thing that a person did to an exception: who, when and why. One that was written off carries what the shop lost by it.
create table exception_act (
  id           bigint generated always as identity primary key,
  exception_id bigint not null,
  act          text not null check (act in ('assigned', 'written_off', 'done', 'false_alarm')),
  actor        text not null,
  note         text not null,
  assigned_to  text,
  order_id     bigint,
  side         text check (side in ('payment', 'refund', 'bill', 'goods')),
  amount_fen   bigint,
  at           timestamptz not null default now(),
  check ((act = 'written_off') = (amount_fen is not null and side is not null))
);
create index exception_act_of on exception_act (exception_id);
create index exception_act_order on exception_act (order_id) where amount_fen is not null;
create index exception_act_written_off on exception_act (id) where amount_fen is not null;

-- A payment that is not in a bill yet, or a parcel on its way, was an exception at once. Now each is expected until its time. An order
-- is matched again at `due_at`, though nothing happens to it. Null for nearly all: of a closed order nothing is expected.

alter table reconciliation add column due_at timestamptz;
create index reconciliation_due_at on reconciliation (due_at, order_id) where due_at is not null;
