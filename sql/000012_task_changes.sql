-- What a platform changes after a pull reaches the owner of the task: `change` counts the changes of the receiver, and
-- `change_taken` is the last one that the owner took. Both are null as long as nothing changed.

alter table task add column change smallint, add column change_taken smallint;

-- Asked for with every pull, and nearly always empty.
create index task_changed on task (node) where change > coalesce(change_taken, 0::smallint);
