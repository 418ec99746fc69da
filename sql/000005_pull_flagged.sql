-- What is to be intercepted is found by `task_intercept`, and by nothing else: a planner that knows nothing yet of the
-- table took the index of all that is leased, and walked through everything that is being packed.

drop index task_leased;
create index task_leased on task (node, lease_until) where state in ('pulled', 'accepted') and not intercept_requested;
