/**
 * The verb `ship`: packages leave the node. A node may tell them in several calls; each unit leaves once.
 *
 * On hand and reserved go down together, so what is available stays the same, and Redis need not be told. There is one
 * exception: a count said that fewer units are on hand than leave now. Then the parcel is believed and not the count,
 * what is available changes, and the change gets a number. The sweep tells it to Redis (workers/stock/sweep-stock.ts).
 */
import { nodeActor } from '../../../router/commands.ts'
import { stateOf } from '../../../router/order.ts'
import { asCorrected } from '../../../router/parcels.ts'
import { takenByParcel } from '../../../router/stock.ts'
import {
  isChanged,
  isOwned,
  type Package,
  type ShipWords,
  ship as shipPackages,
  type Task,
  type TaskRefusal,
  type TaskState,
} from '../../../router/task.ts'
import { markDue } from '../orders/mark-due.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { jsonText } from '../postgres/json-text.ts'
import { nextNodeSeq } from '../stock/stock.ts'
import { lockOwned } from './lock.ts'

export type Shipped =
  | TaskRefusal
  | { readonly outcome: 'shipped'; readonly orderId: string }
  | { readonly outcome: 'partly_shipped'; readonly orderId: string; readonly leaseUntil: Date | null }
  /** With the state that the task has now, and its lease: more of it may still be to ship. */
  | {
      readonly outcome: 'already_shipped'
      readonly orderId: string
      readonly state: TaskState
      readonly leaseUntil: Date | null
    }

/** Redis has to be told: the change needs a number, and the node's lock comes before that of its stock. */
class NeedsNumber extends Error {}

export async function shipTask(
  sql: Sql,
  node: string,
  taskId: string,
  fence: number,
  packages: readonly Package[],
  words: ShipWords = {},
): Promise<Shipped> {
  const shipWith = (numbered: boolean): Promise<Shipped> =>
    sql.begin(async (tx) => await ship(tx, { node, taskId, fence, packages, words }, numbered)) as Promise<Shipped>
  try {
    return await shipWith(false)
  } catch (error) {
    if (error instanceof NeedsNumber) return await shipWith(true)
    throw error
  }
}

interface Shipment {
  readonly node: string
  readonly taskId: string
  readonly fence: number
  readonly packages: readonly Package[]
  readonly words: ShipWords
}

async function ship(tx: Transaction, shipment: Shipment, numbered: boolean): Promise<Shipped> {
  const { node, taskId, fence, packages, words } = shipment
  const owned = await lockOwned(tx, node, taskId, fence)
  if ('outcome' in owned) return owned
  const { order } = owned
  const named = isOwned(owned.task) ? packages : packages.map((p) => asCorrected(p, owned.putRight))
  const done = shipPackages(owned.task, owned.packages, named, words)
  if (done.outcome === 'already_shipped') {
    const leaseUntil = isOwned(owned.task) ? owned.leaseUntil : null
    return { outcome: 'already_shipped', orderId: order.id, state: owned.task.state, leaseUntil }
  }
  if (!('task' in done)) return done
  const { task: after, fresh, leaving } = done
  await tx`
    update task set state = ${after.state}, lines = ${jsonText(after.lines)}::text::jsonb,
      packages = packages || ${jsonText(fresh)}::text::jsonb, intercept_requested = ${after.interceptRequested},
      change_taken = nullif(${after.changeTaken}, 0), updated_at = now() where task_id = ${taskId}`
  await takeFromStock(tx, node, `${taskId}#${owned.packages.length}`, leaving, numbered)
  await tx`
    insert into parcel (carrier, waybill, task_id, order_id)
    select carrier, waybill, ${taskId}, ${order.id} from unnest(${fresh.map((p) => p.carrier)}::text[], ${fresh.map((p) => p.waybill)}::text[])
      as p (carrier, waybill) on conflict do nothing`
  const tasks = owned.orderTasks.map((t) => (t.taskId === taskId ? after : t))
  const state = stateOf(order, tasks)
  await tx`update orders set state = ${state}, version = version + 1, updated_at = now() where id = ${order.id}`
  await tx`
    insert into decision (order_id, version, seq, outcome, trace)
    values (${order.id}, ${order.version + 1}, 0, ${done.outcome},
      ${jsonText({ event: 'ship', actor: nodeActor(node), taskId, node, packages: fresh, ...goneBefore(owned.task, words) })})`
  await markDue(tx, [order.id])
  if (done.outcome === 'shipped') return { outcome: 'shipped', orderId: order.id }
  return { outcome: 'partly_shipped', orderId: order.id, leaseUntil: owned.leaseUntil }
}

/** For the history: the parcel had left when the intercept or the change came. */
function goneBefore(task: Task, { alreadyGone = false }: ShipWords): { readonly alreadyGone?: true } {
  return alreadyGone && (task.interceptRequested || isChanged(task)) ? { alreadyGone } : {}
}

async function takeFromStock(
  tx: Transaction,
  node: string,
  ref: string,
  leaving: ReadonlyMap<string, number>,
  numbered: boolean,
): Promise<void> {
  const skus = [...leaving.keys()].sort()
  const quantities = skus.map((s) => leaving.get(s)!)
  if (numbered) await tx`select from node where node = ${node} for update`
  const rows = await tx<{ sku: string; on_hand: number }[]>`
    select sku, on_hand from stock where node = ${node} and sku = any(${skus}) order by sku for update`
  const onHand = new Map(rows.map((r) => [r.sku, r.on_hand]))
  const parcels = skus.map((s, i) => takenByParcel(quantities[i]!, onHand.get(s) ?? 0))
  const taken = parcels.map((p) => p.taken)
  const differs = parcels.some((p) => p.isNews)
  if (differs && !numbered) throw new NeedsNumber()
  const seq = differs ? await nextNodeSeq(tx, node) : null
  await tx`
    update stock set on_hand = stock.on_hand - c.taken, reserved = reserved - c.quantity
    from unnest(${skus}::text[], ${taken}::int[], ${quantities}::int[]) as c (sku, taken, quantity)
    where stock.node = ${node} and stock.sku = c.sku`
  await tx`
    insert into stock_movement (node, node_seq, kind, ref, skus, on_hand, reserved)
    values (${node}, ${seq}, 'ship', ${ref}, ${skus}, ${taken.map((t) => -t)}::int[], ${quantities.map((q) => -q)}::int[])`
}
