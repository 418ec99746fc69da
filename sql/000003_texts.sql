-- What is written for every order and read for few is not looked through by Postgres when it comes: the JSON of an order
-- and of a trace is ours, made by one function, and lexing it cost a tenth of a decision's commit. Whoever asks for a part
-- of it in SQL says `body::json`.

alter table orders alter column body type text using body::text;
alter table decision alter column trace type text using trace::text;
