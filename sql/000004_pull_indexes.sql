-- A pull looks for what nobody has and for what somebody fell silent about. Both were found by a walk over all open tasks of
-- the node, oldest first, past everything that is being packed just then: the longer the day, the longer the walk.

create index task_ready on task (node, created_at, task_id) where state = 'ready';
create index task_leased on task (node, lease_until) where state in ('pulled', 'accepted');
drop index task_open;
