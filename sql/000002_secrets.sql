-- Secrets at rest. What shops and carrier accounts sign with is sealed (AES-256-GCM) under a key that is not in the
-- database: whoever reads a dump or a replica learns nothing that signs a webhook or pulls an order.
--
-- Rows of an earlier version are plain; the next start seals them and empties `credentials`. A row is either or.

alter table shop
  alter column credentials drop not null,
  add column sealed bytea,
  add constraint shop_credentials_once check ((credentials is null) <> (sealed is null));

alter table carrier_account
  alter column credentials drop not null,
  add column sealed bytea,
  add constraint carrier_credentials_once check ((credentials is null) <> (sealed is null));

-- A warehouse changes its key without a minute in which neither is right: the key before it is taken until an instant.
alter table node
  add column previous_key_hash bytea,
  add column previous_key_until timestamptz,
  add constraint node_previous_key_ends check ((previous_key_hash is null) = (previous_key_until is null));

create index node_previous_api_key on node (previous_key_hash) where previous_key_hash is not null;
