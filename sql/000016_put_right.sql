-- What was said of a task's parcels and put right later: numbers that were corrected, parcels that had not left after all.
-- Null: nothing, as of nearly every task.

alter table task add column put_right jsonb;
