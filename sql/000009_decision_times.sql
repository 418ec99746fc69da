-- The history of an order ran backwards now and then: a decision was given the time at which its transaction began, and a
-- transaction that began first may have waited for the order's row until another had decided and committed. Whoever writes a
-- decision holds that row, so the time of writing only goes forward. Rows that are there keep the time that they have.
alter table decision alter column at set default clock_timestamp();
