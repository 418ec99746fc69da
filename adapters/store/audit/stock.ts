/** Promise 3: what is promised is there, is promised to a task, and follows from what happened. */
import { refInSql } from '../exception-refs.ts'
import { bagSum, grace, type Invariant, sweep } from './invariant.ts'

/** What a task still has to ship; of a cancelled one nothing. */
const leftOfTasks = `task, jsonb_to_recordset(lines) as l (sku text, quantity bigint, shipped bigint)
  where state not in ('cancelled', 'shipped')`
/** The task that a movement is about: reservations are called task@attempt, shipments task#n. */
const taskOfRef = `split_part(split_part(m.ref, '@', 1), '#', 1)`

// A node with this many numbered changes within the time counts as one whose every SKU moved.
const changesMax = 10_000

/** Whether a row `s` of stock changed within a time, in a change with a number: counts, receipts, releases. */
const movedWithin = (interval: string): string => `exists (
  select from (
    select m.skus, m.at from stock_movement m
    where m.node = s.node and m.node_seq is not null order by m.node_seq desc limit ${changesMax}
  ) last
  where last.at > now() - ${interval}
  having count(*) = ${changesMax} or bool_or(s.sku = any(last.skus)))`

export const stockInvariants: readonly Invariant[] = [
  {
    // Nothing is promised that is not there, but for what a count took away: then that is shown.
    name: 'nothing_is_oversold',
    query: `
      select s.node, s.sku, s.on_hand, s.reserved, s.safety from stock s
      where s.reserved > s.on_hand
        and not exists (
          select from exception e
          where e.kind = 'shortage' and e.ref = ${refInSql('s.node', 's.sku')} and (e.resolved_at is null or e.accepted))
        and not ${movedWithin(grace)}`,
  },
  {
    // Each posting of stock and each round of the sweep ends those that are over.
    name: 'open_shortages_are_short',
    query: `
      select s.node, s.sku, s.on_hand, s.reserved, e.since from exception e
      join stock s on s.node = e.detail ->> 'node' and s.sku = e.detail ->> 'sku'
      where e.kind = 'shortage' and e.resolved_at is null and s.reserved <= s.on_hand
        and e.since < now() - ${sweep}
        and not ${movedWithin(sweep)}`,
  },
  {
    name: 'reserved_is_what_live_tasks_hold',
    query: `
      select coalesce(s.node, t.node) as node, coalesce(s.sku, t.sku) as sku, s.reserved, t.quantity
      from stock s full join (
        select node, l.sku, sum(l.quantity - l.shipped) as quantity from ${leftOfTasks} group by 1, 2
      ) t using (node, sku)
      where coalesce(s.reserved, 0) <> coalesce(t.quantity, 0)`,
  },
  {
    name: 'safety_is_what_its_node_says',
    query: `
      select s.node, s.sku, s.safety, n.detail ->> 'safetyStock' as set from stock s join node n using (node)
      where s.safety <> coalesce((n.detail ->> 'safetyStock')::int, 0)`,
  },
  {
    name: 'stock_is_what_its_movements_add_up_to',
    query: `
      select s.node, s.sku, s.on_hand, s.reserved, s.safety,
        m.on_hand as moved_on_hand, m.reserved as moved_reserved, m.safety as moved_safety
      from stock s full join (
        select node, sku, sum(h) as on_hand, sum(r) as reserved, coalesce(sum(f), 0) as safety
        from stock_movement, unnest(skus, on_hand, reserved, safety) as u (sku, h, r, f) group by 1, 2
      ) m using (node, sku)
      where (s.on_hand, s.reserved, s.safety) is distinct from (m.on_hand, m.reserved, m.safety)`,
  },
  {
    // What a task took, gave back and shipped leaves what it holds: a unit that is released twice, or to another task, shows.
    name: 'each_task_holds_what_it_took',
    query: `
      select t.task_id, t.node, t.quantity as holds, m.quantity as took from (
        select task_id, node, l.sku, sum(l.quantity - l.shipped) as quantity from ${leftOfTasks} group by 1, 2, 3
        union all
        select task_id, node, l.sku, 0 from task, jsonb_to_recordset(lines) as l (sku text)
        where state in ('cancelled', 'shipped') group by 1, 2, 3
      ) t left join (
        select ${taskOfRef} as task_id, m.node, u.sku, sum(u.r) as quantity
        from stock_movement m, unnest(m.skus, m.reserved) as u (sku, r)
        where m.kind in ('reserve', 'release', 'correct', 'ship') group by 1, 2, 3
      ) m using (task_id, node, sku)
      where t.quantity <> coalesce(m.quantity, 0)`,
    // Movements that name no task are not looked at here, so a difference may turn out to be none.
    glance: `
      select (
        select ${bagSum(['task_id', 'node', 'l.sku'], 'l.quantity - l.shipped')} from ${leftOfTasks}
      ) = (
        select ${bagSum([taskOfRef, 'm.node', 'u.sku'], 'u.r')}
        from stock_movement m, unnest(m.skus, m.reserved) as u (sku, r)
        where m.kind in ('reserve', 'release', 'correct', 'ship') and u.r <> 0
      ) as holds`,
  },
  {
    // A decision that is made twice, by whichever process, would take its units twice.
    name: 'a_task_is_reserved_for_once',
    query: `
      select split_part(ref, '@', 1) as task_id, count(*)::int as times from stock_movement
      where kind = 'reserve' group by 1 having count(*) > 1`,
  },
  {
    // Redis is told the changes of a node by their numbers: with a gap it would wait for ever.
    name: 'changes_are_numbered_without_gaps',
    query: `
      select n.node, n.seq, m.last, m.changes from node n left join (
        select node, max(node_seq) as last, count(*) as changes from stock_movement where node_seq is not null group by 1
      ) m using (node)
      where n.seq <> coalesce(m.last, 0) or n.seq <> coalesce(m.changes, 0)`,
  },
]
