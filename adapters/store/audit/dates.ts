/**
 * Presale goods are not shipped before their date.
 *
 * When a task was pulled is not kept. What is known: it had been by the last change of its row, and when its parcels left. So the
 * first finds a task that is pulled or shipped and whose date was still to come then, and misses one whose row changed after it.
 */
import type { Invariant } from './invariant.ts'

/** When the last line of a task `t` of an order `o` is ready, as the order says now. */
const dateOfLines = `(
  select to_timestamp(max(
    (o.body::json #> '{snapshot,lines}' -> (o.items -> (a ->> 'item')::int ->> 'line')::int ->> 'readyAt')::bigint
  ) / 1000.0)
  from jsonb_array_elements(o.allocations) a where a ->> 'taskId' = t.task_id)`

export const dateInvariants: readonly Invariant[] = [
  {
    name: 'no_task_is_pulled_before_its_date',
    query: `
      select t.order_id, t.task_id, t.node, t.not_before, had_by from task t cross join lateral (
        select least(t.updated_at, to_timestamp(min((p ->> 'shippedAt')::bigint) / 1000.0)) as had_by
        from jsonb_array_elements(t.packages) p
      ) p where t.fence > 0 and t.not_before > had_by`,
  },
  {
    // Once a warehouse has a task, a date that the platform moves is a matter between people.
    name: 'unpulled_tasks_wait_for_their_lines',
    query: `
      select t.order_id, t.task_id, t.node, t.not_before, ${dateOfLines} as lines_are_ready
      from task t join orders o on o.id = t.order_id
      where t.state = 'ready' and (t.not_before is not null or strpos(o.body, '"readyAt"') > 0)
        and t.not_before is distinct from ${dateOfLines}`,
  },
]
