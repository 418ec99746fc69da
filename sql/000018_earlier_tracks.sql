-- A number is issued again after some months: the final words on the parcels that had it before, as {state, occurredAt}. Null: none.

alter table track add column earlier jsonb;
