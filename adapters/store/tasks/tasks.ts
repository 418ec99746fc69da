/**
 * A warehouse's verbs on its tasks. Every one but pull carries the fence that the pull gave: a lease that went to
 * somebody else has a higher one, so a late answer changes nothing.
 */
import type { Order, Receiver, SkuQuantity, Task, TaskLine } from '../../../router/types.ts'
import { type TaskRow, taskFromRow } from '../orders/load.ts'
import { type OrderRow, orderFromRow, type ReceiverBody, receiverOf } from '../orders/order-row.ts'
import type { Queryable, Sql, Transaction } from '../postgres/connect.ts'

export interface Package {
  readonly carrier: string
  readonly waybill: string
  readonly lines: readonly SkuQuantity[]
  /** Epoch milliseconds, ours. */
  readonly shippedAt: number
}

export interface PulledTask {
  readonly taskId: string
  readonly fence: number
  readonly leaseUntil: Date
  readonly state: string
  readonly intercepted: boolean
  readonly lines: readonly TaskLine[]
  readonly shipBy: string | null
  readonly channel: string
  readonly shop: string
  readonly orderId: string
  readonly receiver: Receiver | null
  readonly buyerMessage: string
}

/**
 * Leases up to `limit` tasks of a node: those never pulled and those whose lease lapsed, most urgent first. Also gives, with
 * the fence and lease that they have, those that are to be intercepted, so that their owner learns of it.
 *
 * Everything is asked for by its key in a way that leaves no choice (`= any(array(…))`, `lateral … offset 0`): a plan that was
 * made in the morning, when the tables were empty, is used until they are looked at again, and would read them whole.
 */
export async function pullTasks(sql: Sql, node: string, limit: number, leaseSeconds: number): Promise<PulledTask[]> {
  const rows = await sql<(PulledTask & { readonly receiver: ReceiverBody | null })[]>`
    with fresh as materialized (
      select task_id, created_at from task
      where node = ${node} and state = 'ready' and not intercept_requested
      order by created_at, task_id limit ${limit} for update skip locked
    ), lapsed as materialized (
      select task_id, created_at from task
      where node = ${node} and state in ('pulled', 'accepted') and not intercept_requested and lease_until <= now()
      order by created_at, task_id limit ${limit} for update skip locked
    ), due as materialized (
      select task_id from (select * from fresh union all select * from lapsed) both_kinds
      order by created_at, task_id limit ${limit}
    ), leased as (
      update task t set state = 'pulled', fence = t.fence + 1, updated_at = now(),
        lease_until = now() + ${leaseSeconds}::int * interval '1 second'
      where t.task_id = any(array(select task_id from due))
      returning t.*
    ), flagged as (
      select * from task where node = ${node} and state in ('pulled', 'accepted') and intercept_requested and lease_until > now()
    )
    select t.task_id as "taskId", t.fence, t.lease_until as "leaseUntil", t.state, t.intercept_requested as intercepted,
      t.lines, t.ship_by as "shipBy", o.channel, o.shop, o.order_id as "orderId",
      o.body::json -> 'snapshot' -> 'receiver' as receiver, o.body::json -> 'snapshot' ->> 'buyerMessage' as "buyerMessage"
    from (select * from leased union all select * from flagged) t
    cross join lateral (select * from orders where id = t.order_id offset 0) o
    order by t.created_at, t.task_id`
  return rows.map((row) => ({
    ...row,
    receiver: row.receiver === null ? null : receiverOf(row.receiver),
    buyerMessage: row.buyerMessage ?? '',
  }))
}

/** Whoever pulled these hung up before he had them: they are offered again at once. */
export async function endLeases(sql: Queryable, tasks: readonly PulledTask[]): Promise<void> {
  const ids = tasks.map((t) => t.taskId)
  const fences = tasks.map((t) => t.fence)
  await sql`
    update task set lease_until = now() from unnest(${ids}::text[], ${fences}::int[]) as p (task_id, fence)
    where task.task_id = p.task_id and task.fence = p.fence and task.state = 'pulled' and not task.intercept_requested`
}

/** Pulled tasks that were to be intercepted and whose owner let the lease lapse: nobody has them any more. */
export async function lapsedIntercepts(
  sql: Queryable,
  limit: number,
): Promise<{ taskId: string; fence: number; node: string }[]> {
  return await sql`
    select task_id as "taskId", fence, node from task
    where state in ('pulled', 'accepted') and intercept_requested and lease_until <= now() limit ${limit}`
}

/** Why a verb was refused. `unknown_task` also for another node's: it is not theirs to know. */
export type TaskRefusal =
  | { readonly outcome: 'unknown_task' }
  | { readonly outcome: 'stale_fence' }
  | { readonly outcome: 'lease_lapsed' }
  | { readonly outcome: 'wrong_state'; readonly state: string }
  | { readonly outcome: 'intercepted' }
  | { readonly outcome: 'not_intercepted' }
  | { readonly outcome: 'lines_do_not_match'; readonly sku: string }
  | { readonly outcome: 'waybill_used_for_other_lines'; readonly waybill: string }

export interface OwnedTask {
  readonly task: Task
  readonly order: Order
  readonly orderTasks: readonly Task[]
  readonly packages: readonly Package[]
  readonly leased: boolean
}

/** Locks the order, then its tasks: the order of locks of every writer. */
export async function lockOwned(
  tx: Transaction,
  node: string,
  taskId: string,
  fence: number,
): Promise<OwnedTask | Extract<TaskRefusal, { outcome: 'unknown_task' | 'stale_fence' }>> {
  const [found] = await tx<
    { order_id: string }[]
  >`select order_id from task where task_id = ${taskId} and node = ${node}`
  if (found === undefined) return { outcome: 'unknown_task' }
  const [orderRow] = await tx<OrderRow[]>`
    select id, channel, shop, order_id, version, state, body::json, items, allocations from orders where id = ${found.order_id} for update`
  const rows = await tx<(TaskRow & { packages: Package[]; leased: boolean | null })[]>`
    select order_id, task_id, node, state, fence, intercept_requested, lines, packages, lease_until > now() as leased
    from task where order_id = ${found.order_id} order by task_id for update`
  const row = rows.find((r) => r.task_id === taskId)!
  if (row.fence !== fence) return { outcome: 'stale_fence' }
  return {
    task: taskFromRow(row),
    order: orderFromRow(orderRow!),
    orderTasks: rows.map(taskFromRow),
    packages: row.packages,
    leased: row.leased === true,
  }
}

export async function acceptTask(
  sql: Sql,
  node: string,
  taskId: string,
  fence: number,
): Promise<TaskRefusal | { readonly outcome: 'accepted' } | { readonly outcome: 'already_accepted' }> {
  return await sql.begin(async (tx) => {
    const owned = await lockOwned(tx, node, taskId, fence)
    if ('outcome' in owned) return owned
    if (owned.task.state === 'accepted') return { outcome: 'already_accepted' }
    if (owned.task.state !== 'pulled') return { outcome: 'wrong_state', state: owned.task.state }
    if (!owned.leased) return { outcome: 'lease_lapsed' }
    if (owned.task.interceptRequested) return { outcome: 'intercepted' }
    await tx`update task set state = 'accepted', updated_at = now() where task_id = ${taskId}`
    return { outcome: 'accepted' }
  })
}

export async function extendLease(
  sql: Sql,
  node: string,
  taskId: string,
  fence: number,
  leaseSeconds: number,
): Promise<
  | TaskRefusal
  | { readonly outcome: 'extended'; readonly leaseUntil: Date; readonly intercepted: boolean; readonly state: string }
> {
  return await sql.begin(async (tx) => {
    const owned = await lockOwned(tx, node, taskId, fence)
    if ('outcome' in owned) return owned
    if (owned.task.state !== 'pulled' && owned.task.state !== 'accepted') {
      return { outcome: 'wrong_state', state: owned.task.state }
    }
    if (!owned.leased) return { outcome: 'lease_lapsed' }
    const [row] = await tx<{ lease_until: Date; intercept_requested: boolean }[]>`
      update task set lease_until = now() + ${leaseSeconds}::int * interval '1 second', updated_at = now()
      where task_id = ${taskId} returning lease_until, intercept_requested`
    return {
      outcome: 'extended',
      leaseUntil: row!.lease_until,
      intercepted: row!.intercept_requested,
      state: owned.task.state,
    }
  })
}

/**
 * Hands a task back: rejected by its owner, or its intercept accepted. The units stay reserved until the decision that a command in
 * the inbox asks for; `insertCommand` puts it there in the same transaction.
 */
export async function giveBack<Command>(
  sql: Sql,
  node: string,
  taskId: string,
  fence: number,
  how:
    | { readonly state: 'rejected'; readonly reason: string; readonly lines: readonly SkuQuantity[] }
    /** lapsed: the lease has run out and the sweep speaks for its silent owner. */
    | { readonly state: 'intercepted'; readonly lapsed?: true },
  insertCommand: (tx: Transaction, order: Order) => Promise<Command>,
): Promise<
  | TaskRefusal
  | { readonly outcome: 'given_back'; readonly command: Command }
  | { readonly outcome: 'already_given_back' }
> {
  return await sql.begin(async (tx) => {
    const owned = await lockOwned(tx, node, taskId, fence)
    if ('outcome' in owned) return owned
    const { task, order } = owned
    const [row] = await tx<{ reason: string | null }[]>`select reason from task where task_id = ${taskId}`
    const reason = how.state === 'rejected' ? how.reason : 'intercepted'
    if (task.state !== 'pulled' && task.state !== 'accepted') {
      return row!.reason === reason ? { outcome: 'already_given_back' } : { outcome: 'wrong_state', state: task.state }
    }
    const speaksForSilent = how.state === 'intercepted' && how.lapsed === true
    if (owned.leased === speaksForSilent) return { outcome: 'lease_lapsed' }
    if (how.state === 'intercepted' && !task.interceptRequested) return { outcome: 'not_intercepted' }
    if (how.state === 'rejected') {
      for (const [sku, quantity] of addUp(how.lines)) {
        const line = task.lines.find((l) => l.sku === sku)
        if (line === undefined || quantity > line.quantity - line.shipped) return { outcome: 'lines_do_not_match', sku }
      }
    }
    await tx`update task set state = ${how.state}, reason = ${reason}, updated_at = now() where task_id = ${taskId}`
    return { outcome: 'given_back', command: await insertCommand(tx, order) }
  })
}

export function addUp(lines: readonly SkuQuantity[]): Map<string, number> {
  const bySku = new Map<string, number>()
  for (const line of lines) bySku.set(line.sku, (bySku.get(line.sku) ?? 0) + line.quantity)
  return bySku
}
