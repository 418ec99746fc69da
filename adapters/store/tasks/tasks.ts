/**
 * A warehouse's verbs on its tasks. Every one but pull carries the fence that the pull gave: a lease that went to
 * another owner has a higher one, so a late answer changes nothing.
 */
import {
  accept,
  extend,
  type GivenBackAs,
  giveBack as handBack,
  isChanged,
  type TaskLine,
  type TaskRefusal,
  type TaskState,
} from '../../../router/task.ts'
import type { Order, Receiver } from '../../../router/types.ts'
import { type ReceiverBody, receiverOf } from '../orders/order-row.ts'
import type { Queryable, Sql, Transaction } from '../postgres/connect.ts'
import { lockOwned } from './lock.ts'

export interface PulledTask {
  readonly taskId: string
  readonly fence: number
  readonly leaseUntil: Date
  readonly state: string
  readonly intercepted: boolean
  /** What changed since its owner pulled it; null: nothing that he has not taken. */
  readonly change: number | null
  readonly lines: readonly TaskLine[]
  readonly shipBy: string | null
  readonly channel: string
  readonly shop: string
  readonly orderId: string
  readonly receiver: Receiver | null
  readonly buyerMessage: string
}

/**
 * Leases up to `limit` tasks of a node: those never pulled whose date has come and those whose lease lapsed, first those that
 * could be pulled first. Also gives, with the fence and lease that they have, those that are to be intercepted and those
 * whose receiver changed, so that their owner learns of it.
 *
 * Here a lease lapses: `lease_until <= now()` lets the next pull have the task. The conditions are `mayBePulled` of
 * router/task.ts in SQL; ./pull.test.ts holds both against each other.
 *
 * Everything is asked for by its key in a way that leaves no choice (`= any(array(…))`, `lateral … offset 0`): a plan
 * that was made in the morning, when the tables were empty, is used until they are looked at again, and would read them
 * whole.
 */
export async function pullTasks(sql: Sql, node: string, limit: number, leaseSeconds: number): Promise<PulledTask[]> {
  const rows = await sql<(PulledTask & { readonly receiver: ReceiverBody | null })[]>`
    with fresh as materialized (
      select task_id, greatest(created_at, not_before) as offered_at from task
      where node = ${node} and state = 'ready' and not intercept_requested and greatest(created_at, not_before) <= now()
      order by greatest(created_at, not_before), task_id limit ${limit} for update skip locked
    ), lapsed as materialized (
      select task_id, greatest(created_at, not_before) as offered_at from task
      where node = ${node} and state in ('pulled', 'accepted') and not intercept_requested and lease_until <= now()
      order by greatest(created_at, not_before), task_id limit ${limit} for update skip locked
    ), due as materialized (
      select task_id from (select * from fresh union all select * from lapsed) both_kinds
      order by offered_at, task_id limit ${limit}
    ), leased as (
      update task t set state = 'pulled', fence = t.fence + 1, updated_at = now(), change_taken = t.change,
        lease_until = now() + ${leaseSeconds}::int * interval '1 second'
      where t.task_id = any(array(select task_id from due))
      returning t.*
    ), flagged as (
      select * from task where node = ${node} and state in ('pulled', 'accepted') and intercept_requested and lease_until > now()
    ), changed as (
      select * from task
      where node = ${node} and change > coalesce(change_taken, 0::smallint) and state in ('pulled', 'accepted')
        and not intercept_requested and lease_until > now()
    )
    select t.task_id as "taskId", t.fence, t.lease_until as "leaseUntil", t.state, t.intercept_requested as intercepted,
      case when t.change > coalesce(t.change_taken, 0) then t.change end as change, t.lines, t.ship_by as "shipBy", o.channel, o.shop, o.order_id as "orderId",
      o.body::json -> 'snapshot' -> 'receiver' as receiver, o.body::json -> 'snapshot' ->> 'buyerMessage' as "buyerMessage"
    from (select * from leased union all select * from flagged union all select * from changed) t
    cross join lateral (select * from orders where id = t.order_id offset 0) o
    order by greatest(t.created_at, t.not_before), t.task_id`
  return rows.map((row) => ({
    ...row,
    receiver: row.receiver === null ? null : receiverOf(row.receiver),
    buyerMessage: row.buyerMessage ?? '',
  }))
}

/** The warehouse that pulled these hung up before it had them: the next pull may have them at once. */
export async function endLeases(sql: Queryable, tasks: readonly PulledTask[]): Promise<void> {
  const ids = tasks.map((t) => t.taskId)
  const fences = tasks.map((t) => t.fence)
  await sql`
    update task set lease_until = now() from unnest(${ids}::text[], ${fences}::int[]) as p (task_id, fence)
    where task.task_id = p.task_id and task.fence = p.fence and task.state = 'pulled' and not task.intercept_requested`
}

/** Pulled tasks that were to be intercepted and whose owner let the lease lapse: no later pull may have them either. */
export async function lapsedIntercepts(
  sql: Queryable,
  limit: number,
): Promise<{ taskId: string; fence: number; node: string }[]> {
  return await sql`
    select task_id as "taskId", fence, node from task
    where state in ('pulled', 'accepted') and intercept_requested and lease_until <= now() limit ${limit}`
}

export type Accepted =
  | TaskRefusal
  | { readonly outcome: 'accepted'; readonly leaseUntil: Date }
  | { readonly outcome: 'already_accepted'; readonly leaseUntil: Date }

export type Extended =
  | TaskRefusal
  | {
      readonly outcome: 'extended'
      readonly leaseUntil: Date
      readonly intercepted: boolean
      readonly change: number | null
      readonly state: TaskState
    }

/** `change`: what changed after the pull and is taken with this. */
export async function acceptTask(
  sql: Sql,
  node: string,
  taskId: string,
  fence: number,
  change?: number,
): Promise<Accepted> {
  return await sql.begin(async (tx) => {
    const owned = await lockOwned(tx, node, taskId, fence)
    if ('outcome' in owned) return owned
    const done = accept(owned.task, owned.isLeased, change)
    if (done.outcome !== 'accepted' && done.outcome !== 'already_accepted') return done
    if (done.outcome === 'accepted')
      await tx`
        update task set state = ${done.task.state}, change_taken = nullif(${done.task.changeTaken}, 0), updated_at = now()
        where task_id = ${taskId}`
    return { outcome: done.outcome, leaseUntil: owned.leaseUntil! }
  })
}

export async function extendLease(
  sql: Sql,
  node: string,
  taskId: string,
  fence: number,
  leaseSeconds: number,
): Promise<Extended> {
  return await sql.begin(async (tx) => {
    const owned = await lockOwned(tx, node, taskId, fence)
    if ('outcome' in owned) return owned
    const { task, isLeased } = owned
    const done = extend(task, isLeased)
    if (done.outcome !== 'extended') return done
    const [row] = await tx<{ lease_until: Date }[]>`
      update task set lease_until = now() + ${leaseSeconds}::int * interval '1 second', updated_at = now()
      where task_id = ${taskId} returning lease_until`
    return {
      outcome: 'extended',
      leaseUntil: row!.lease_until,
      intercepted: task.interceptRequested,
      change: isChanged(task) ? task.change : null,
      state: task.state,
    }
  })
}

/**
 * Hands a task back: rejected by its owner, or its intercept confirmed. The units stay reserved until the decision that
 * a command in the inbox asks for; `insertCommand` puts it there in the same transaction.
 */
export async function giveBack<Command>(
  sql: Sql,
  node: string,
  taskId: string,
  fence: number,
  how: GivenBackAs,
  insertCommand: (tx: Transaction, order: Order) => Promise<Command>,
): Promise<
  | TaskRefusal
  | { readonly outcome: 'given_back'; readonly command: Command }
  | { readonly outcome: 'already_given_back' }
> {
  return await sql.begin(async (tx) => {
    const owned = await lockOwned(tx, node, taskId, fence)
    if ('outcome' in owned) return owned
    const done = handBack(owned.task, owned.isLeased, owned.reason, how)
    if (done.outcome !== 'given_back') return done
    await tx`
      update task set state = ${done.task.state}, reason = ${done.reason}, updated_at = now() where task_id = ${taskId}`
    return { outcome: 'given_back', command: await insertCommand(tx, owned.order) }
  })
}
