-- What is written for every order and read for few is not looked through by Postgres when it comes: the JSON of an order
-- and of a trace is ours, made by one function, and lexing it cost a tenth of a decision's commit. Whoever asks for a part
-- of it in SQL says `body::json`.

alter table orders alter column body type text using body::text;
alter table decision alter column trace type text using trace::text;

-- No plan depends on what is in these columns, and an autoanalyze in the middle of a sale spent most of its time on them.
alter table orders alter column body set statistics 0, alter column items set statistics 0,
  alter column allocations set statistics 0;
alter table decision alter column trace set statistics 0;
alter table task alter column lines set statistics 0, alter column packages set statistics 0;
alter table stock_movement alter column skus set statistics 0, alter column on_hand set statistics 0,
  alter column reserved set statistics 0, alter column safety set statistics 0;
alter table inbox alter column body set statistics 0, alter column body_hash set statistics 0;
