/** Promises 3, 4 and 6 for tasks: a task belongs to an order, its owner has the fence, and each unit leaves once. */
import { calledBack } from './called-back.ts'
import { dateInvariants } from './dates.ts'
import { bagSum, type Invariant } from './invariant.ts'

export const taskInvariants: readonly Invariant[] = [
  {
    name: 'tasks_have_their_orders',
    query: `select t.task_id, t.order_id from task t where not exists (select from orders o where o.id = t.order_id)`,
  },
  {
    // A node that has or had a task has a fence for it; a task that is shipped can no longer be intercepted.
    name: 'tasks_are_held_by_their_fences',
    query: `
      select task_id, state, fence, intercept_requested from task
      where (state = 'ready' and (fence > 0 or lease_until is not null))
        or (state in ('pulled', 'accepted', 'rejected', 'intercepted', 'shipped') and fence = 0)
        or (intercept_requested and state in ('ready', 'shipped', 'cancelled'))`,
  },
  {
    // `shipped` says that nothing is left to ship, and every other state that something is.
    name: 'tasks_are_shipped_when_their_lines_are',
    query: `
      select task_id, state, lines from task
      where jsonb_path_exists(lines, '$[*] ? (@.shipped < 0 || @.shipped > @.quantity || @.quantity <= 0)')
        or (state <> 'cancelled' and (state = 'shipped') = jsonb_path_exists(lines, '$[*] ? (@.shipped < @.quantity)'))`,
  },
  {
    name: 'shipped_is_what_packages_hold',
    query: `
      select t.task_id, u.sku, u.shipped, u.packed from task t cross join lateral (
        select sku, coalesce(sum(quantity) filter (where not packed), 0) as shipped,
          coalesce(sum(quantity) filter (where packed), 0) as packed
        from (
          select sku, shipped as quantity, false as packed from jsonb_to_recordset(t.lines) as l (sku text, shipped bigint)
          union all
          select l ->> 'sku', (l ->> 'quantity')::bigint, true
          from jsonb_array_elements(t.packages) p, jsonb_array_elements(p -> 'lines') l
        ) both_sides group by sku
      ) u
      where (t.packages <> '[]' or jsonb_path_exists(t.lines, '$[*].shipped ? (@ <> 0)')) and u.shipped <> u.packed`,
    glance: `
      select (
        select ${bagSum(['task_id', 'l.sku'], 'l.shipped')}
        from task, jsonb_to_recordset(lines) as l (sku text, shipped bigint) where l.shipped <> 0
      ) = (
        select ${bagSum(['task_id', `l ->> 'sku'`], `(l ->> 'quantity')::bigint`)}
        from task, jsonb_array_elements(packages) p, jsonb_array_elements(p -> 'lines') l where packages <> '[]'
      ) as holds`,
  },
  {
    // A track names a waybill only: this is how it finds its order, also when the parcel was not to have left.
    name: 'parcels_are_what_packages_say',
    query: `
      select coalesce(p.task_id, t.task_id) as task_id, coalesce(p.carrier, t.carrier) as carrier,
        p.order_id as of_parcel, t.order_id as of_task
      from parcel p full join (
        select task_id, order_id, p ->> 'carrier' as carrier, p ->> 'waybill' as waybill
        from task, jsonb_array_elements(packages) p where packages <> '[]'
        union
        select task_id, order_id, p #>> '{voided,carrier}', p #>> '{voided,waybill}'
        from task, jsonb_array_elements(put_right) p where put_right is not null and p ? 'voided'
      ) t using (carrier, waybill, task_id)
      where p.order_id is distinct from t.order_id`,
  },
  {
    // What a warehouse gave back holds its units until a decision: with none to come it would hold them for good.
    name: 'what_was_given_back_is_being_decided',
    query: `
      select t.task_id, t.state from task t join orders o on o.id = t.order_id
      where t.state in ('rejected', 'intercepted')
        and not exists (
          select from pending p where p.channel = o.channel and p.shop = o.shop and p.order_id = o.order_id)`,
  },
  calledBack,
  ...dateInvariants,
]
