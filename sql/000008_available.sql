-- What a row of stock can promise was written out in each query that asks. Now it stands once, and router/stock.ts says the
-- same. The table is small (a row for each SKU that a node ever had) and is written anew once.

alter table stock add column available integer not null generated always as (on_hand - safety - reserved) stored;
