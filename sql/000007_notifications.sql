-- A platform's push that only says that an order has changed is a notification, and its order is fetched. Up to here the code
-- called the first one a hint and the second one a pull, a word that belongs to warehouses. Rows of the inbox keep the kind that
-- they were stored under: rewriting a day of sales would take longer than reading both words.

alter table inbox drop constraint inbox_kind_check;
alter table inbox add constraint inbox_kind_check
  check (kind in ('order', 'refund', 'notification', 'hint', 'command', 'unintelligible')) not valid;

update exception set kind = 'order_not_fetched' where kind = 'order_not_pulled';
update pending set last_error = 'older_than_notification' where last_error = 'older_than_hint';
