-- A task of presale goods was pulled on the day of its order: it had no date. Now it has one, and a pull goes by when each task
-- could be pulled first.

alter table task add column not_before timestamptz;

-- Tasks that wait already, by the dates of their lines as the order holds them now.
update task t set not_before = to_timestamp(d.ready_ms / 1000.0)
from (
  select a ->> 'taskId' as task_id,
    max(((o.body::json -> 'snapshot' -> 'lines') -> ((o.items -> (a ->> 'item')::int) ->> 'line')::int ->> 'readyAt')::bigint) as ready_ms
  from orders o, jsonb_array_elements(o.allocations) a
  where strpos(o.body, '"readyAt"') > 0 and a ->> 'taskId' is not null
  group by 1
) d
where t.task_id = d.task_id and t.state = 'ready' and d.ready_ms is not null;

drop index task_ready;
create index task_ready on task (node, greatest(created_at, not_before), task_id) where state = 'ready';
