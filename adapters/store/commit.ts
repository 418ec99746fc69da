/**
 * One transaction a batch of decisions: orders, tasks, stock, movements, traces, and the events that they settle.
 *
 * Postgres disposes: an order that changed since it was read, an event that another process settled, a stock row that
 * has less than Redis promised, or a stock epoch that is over make the outcome; nothing of a refused order is written.
 * Locks are taken in one order everywhere: orders, tasks, nodes, stock, each by key.
 */
import type { Order, SkuQuantity, Task } from '../../router/types.ts'
import type { Sql, Transaction } from './connect.ts'
import { jsonText } from './json-text.ts'
import { orderBody } from './order-row.ts'

/** The advisory lock that a raise of the stock epoch holds alone, and every decision shares. */
export const epochLock = 7_253_001

export interface StockCorrection {
  readonly sku: string
  /** Units that are not there. */
  readonly missing: number
  /** Nothing may be promised from here until the next count. */
  readonly believeNothingLeft: boolean
}

/** A task whose units are given back. */
export interface Release {
  readonly taskId: string
  readonly node: string
  readonly lines: readonly SkuQuantity[]
  readonly corrections: readonly StockCorrection[]
}

/** A task with the reservation that its units were taken by. */
export interface NewTask {
  readonly task: Task
  readonly reservationId: string
}

export interface DecisionWrite {
  /** The pending events that this settles. */
  readonly seqs: readonly string[]
  /** As it was read; version 0 when it is new. */
  readonly before: Order
  /** As it is to be; the same object as `before` when nothing changes. */
  readonly order: Order
  readonly tasksBefore: readonly Task[]
  readonly tasks: readonly Task[]
  readonly newTasks: readonly NewTask[]
  readonly releases: readonly Release[]
  readonly records: readonly { readonly seq: string; readonly outcome: string; readonly trace: unknown }[]
  readonly problems: readonly { readonly kind: string; readonly ref: string; readonly detail: unknown }[]
  readonly shipBy: number | null
}

export interface NodeDelta {
  readonly node: string
  readonly seq: number
  readonly lines: readonly { readonly sku: string; readonly delta: number }[]
}

export type CommitOutcome =
  | {
      readonly outcome: 'committed'
      /** Indexes of writes that were refused, since the order or a task of it had changed meanwhile. */
      readonly conflicts: readonly number[]
      /** What Redis has to be told. */
      readonly deltas: readonly NodeDelta[]
    }
  /** Nothing was written: these have less than was to be reserved. */
  | { readonly outcome: 'stock_refused'; readonly short: readonly { readonly node: string; readonly sku: string }[] }
  /** Nothing was written: reservations of this epoch are void. */
  | { readonly outcome: 'stale_epoch'; readonly epoch: number }
  /** Nothing was written: some event was settled by somebody else. */
  | { readonly outcome: 'settled_elsewhere' }

class Rollback extends Error {
  readonly result: CommitOutcome
  constructor(result: CommitOutcome) {
    super('rolled back on purpose')
    this.result = result
  }
}

export async function commitDecisions(
  sql: Sql,
  epoch: number,
  writes: readonly DecisionWrite[],
): Promise<CommitOutcome> {
  try {
    return (await sql.begin(async (tx) => await commit(tx, epoch, writes))) as CommitOutcome
  } catch (error) {
    if (error instanceof Rollback) return error.result
    throw error
  }
}

async function commit(tx: Transaction, epoch: number, writes: readonly DecisionWrite[]): Promise<CommitOutcome> {
  const [conflicts] = await Promise.all([findConflicts(tx, writes), checkEpoch(tx, epoch)])
  const kept = writes.filter((_, i) => !conflicts.has(i))
  if (kept.length === 0) return { outcome: 'committed', conflicts: [...conflicts], deltas: [] }
  const [deltas] = await Promise.all([
    moveStock(tx, kept),
    updateOrders(tx, kept),
    insertTasks(tx, kept),
    updateTasks(tx, kept),
    insertRecords(tx, kept),
    replaceBackorders(tx, kept),
    raiseProblems(tx, kept),
    settleEvents(tx, kept),
  ])
  return { outcome: 'committed', conflicts: [...conflicts], deltas }
}

async function checkEpoch(tx: Transaction, epoch: number): Promise<void> {
  // First the lock, then, in a statement of its own, a look: nobody raises the epoch any more until we are done.
  const [, [row]] = await Promise.all([
    tx`select pg_advisory_xact_lock_shared(${epochLock})`,
    tx<{ epoch: string }[]>`select epoch from stock_epoch`,
  ])
  if (Number(row!.epoch) !== epoch) throw new Rollback({ outcome: 'stale_epoch', epoch: Number(row!.epoch) })
}

async function findConflicts(tx: Transaction, writes: readonly DecisionWrite[]): Promise<Set<number>> {
  const isNew = writes.filter((w) => w.before.version === 0 && w.order !== w.before)
  const known = writes.filter((w) => w.before.version > 0)
  const ids = known.map((w) => w.before.id)
  const [inserted, versions, tasks] = await Promise.all([
    insertOrders(tx, isNew),
    ids.length === 0
      ? []
      : tx<{ id: string; version: number }[]>`
          select id, version from orders where id = any(${ids}::bigint[]) order by id for update`,
    ids.length === 0
      ? []
      : tx<{ task_id: string; state: string; fence: number; intercept_requested: boolean; shipped: string }[]>`
          select task_id, state, fence, intercept_requested, lines::text as shipped from task
          where order_id = any(${ids}::bigint[]) order by task_id for update`,
  ])
  const versionOf = new Map(versions.map((r) => [r.id, r.version]))
  const taskOf = new Map(tasks.map((r) => [r.task_id, r]))
  const conflicts = new Set<number>()
  writes.forEach((write, i) => {
    const { before } = write
    const changedMeanwhile =
      before.version === 0
        ? write.order !== before && !inserted.has(before.id)
        : versionOf.get(before.id) !== before.version ||
          write.tasksBefore.some((t) => !isSameTask(t, taskOf.get(t.taskId)))
    if (changedMeanwhile) conflicts.add(i)
  })
  return conflicts
}

function isSameTask(
  task: Task,
  row: { state: string; fence: number; intercept_requested: boolean; shipped: string } | undefined,
): boolean {
  if (row === undefined || row.state !== task.state || row.intercept_requested !== task.interceptRequested) return false
  const shipped = (JSON.parse(row.shipped) as Task['lines']).map((l) => l.shipped)
  return row.fence === task.fence && task.lines.every((l, i) => l.shipped === shipped[i])
}

async function insertOrders(tx: Transaction, writes: readonly DecisionWrite[]): Promise<Set<string>> {
  if (writes.length === 0) return new Set()
  // In key order: two processes that know the same orders by different ids must meet in one direction.
  const rows = writes
    .map((w) => orderRow(w.order))
    .sort((a, b) => compare(a.channel, b.channel) || compare(a.shop, b.shop) || compare(a.order_id, b.order_id))
  const inserted = await tx<{ id: string }[]>`
    insert into orders (id, channel, shop, order_id, version, state, transaction_id, body, items, allocations)
    select id, channel, shop, order_id, version, state, transaction_id, body, items, allocations
    from json_to_recordset(${jsonText(rows)}::text::json) as r
      (id bigint, channel text, shop text, order_id text, version int, state text, transaction_id text, body json, items jsonb, allocations jsonb)
    on conflict do nothing returning id`
  return new Set(inserted.map((r) => r.id))
}

function orderRow(order: Order) {
  return {
    id: order.id,
    channel: order.channel,
    shop: order.shop,
    order_id: order.orderId,
    version: order.version,
    state: order.state,
    transaction_id: order.snapshot?.transactionId ?? null,
    body: orderBody(order),
    items: order.items,
    allocations: order.allocations,
  }
}

async function updateOrders(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const rows = writes.filter((w) => w.before.version > 0 && w.order !== w.before).map((w) => orderRow(w.order))
  if (rows.length === 0) return
  await tx`
    update orders o set version = r.version, state = r.state, transaction_id = r.transaction_id, body = r.body,
      items = r.items, allocations = r.allocations, updated_at = now()
    from json_to_recordset(${jsonText(rows)}::text::json) as r
      (id bigint, version int, state text, transaction_id text, body json, items jsonb, allocations jsonb)
    where o.id = r.id`
}

async function insertTasks(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const rows = writes.flatMap((w) =>
    w.newTasks.map(({ task: t }) => ({
      id: t.taskId,
      order: w.order.id,
      node: t.node,
      lines: t.lines,
      ship_by: w.shipBy,
    })),
  )
  if (rows.length === 0) return
  await tx`
    insert into task (task_id, order_id, node, state, lines, ship_by)
    select id, "order", node, 'ready', lines, ship_by
    from json_to_recordset(${jsonText(rows)}::text::json) as r
      (id text, "order" bigint, node text, lines jsonb, ship_by bigint)`
}

async function updateTasks(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const rows = writes.flatMap((w) =>
    w.tasks
      .filter((t, i) => t !== w.tasksBefore[i])
      .map((t) => ({ id: t.taskId, state: t.state, intercept: t.interceptRequested, lines: t.lines })),
  )
  if (rows.length === 0) return
  // Where nothing left of it, what had been asked for is kept to be read.
  await tx`
    update task set state = r.state, intercept_requested = r.intercept, updated_at = now(),
      lines = case when r.state = 'cancelled' then task.lines else r.lines end
    from json_to_recordset(${jsonText(rows)}::text::json) as r (id text, state text, intercept boolean, lines jsonb)
    where task.task_id = r.id`
}

async function insertRecords(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const rows = writes.flatMap((w) => w.records.map((r) => ({ id: w.order.id, version: w.order.version, ...r })))
  if (rows.length === 0) return
  await tx`
    insert into decision (order_id, version, seq, outcome, trace)
    select id, version, seq, outcome, trace
    from json_to_recordset(${jsonText(rows)}::text::json) as r (id bigint, version int, seq bigint, outcome text, trace json)`
}

async function replaceBackorders(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const was = writes.filter((w) => w.before.allocations.some((a) => a.place === 'backordered')).map((w) => w.order.id)
  const rows = writes.flatMap((w) =>
    [...backordered(w.order)].map(([sku, quantity]) => ({ id: w.order.id, sku, quantity })),
  )
  const ids = new Set(rows.map((r) => r.id))
  const gone = was.filter((id) => !ids.has(id))
  const stays = was.filter((id) => ids.has(id))
  if (gone.length > 0) await tx`delete from backorder where order_id = any(${gone}::bigint[])`
  if (stays.length > 0) {
    await tx`
      delete from backorder b where order_id = any(${stays}::bigint[]) and not exists (
        select 1 from json_to_recordset(${jsonText(rows)}::text::json) as r (id bigint, sku text)
        where r.id = b.order_id and r.sku = b.sku)`
  }
  if (rows.length === 0) return
  await tx`
    insert into backorder (order_id, sku, quantity)
    select id, sku, quantity from json_to_recordset(${jsonText(rows)}::text::json) as r (id bigint, sku text, quantity int)
    on conflict (sku, order_id) do update set quantity = excluded.quantity`
}

function backordered(order: Order): Map<string, number> {
  const bySku = new Map<string, number>()
  for (const allocation of order.allocations) {
    if (allocation.place !== 'backordered') continue
    const { sku } = order.items[allocation.item]!
    bySku.set(sku, (bySku.get(sku) ?? 0) + allocation.quantity)
  }
  return bySku
}

async function raiseProblems(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const rows = writes.flatMap((w) =>
    w.problems.map((p) => ({ order: w.before.version === 0 && w.order === w.before ? null : w.order.id, ...p })),
  )
  if (rows.length === 0) return
  await tx`
    insert into exception (kind, ref, order_id, detail)
    select distinct on (kind, ref) kind, ref, "order", detail
    from json_to_recordset(${jsonText(rows)}::text::json) as r (kind text, ref text, "order" bigint, detail jsonb)
    on conflict do nothing`
}

async function settleEvents(tx: Transaction, writes: readonly DecisionWrite[]): Promise<void> {
  const seqs = writes.flatMap((w) => w.seqs)
  const settled = await tx`delete from pending where seq = any(${seqs}::bigint[]) returning seq`
  if (settled.length !== seqs.length) throw new Rollback({ outcome: 'settled_elsewhere' })
}

interface StockChange {
  readonly node: string
  readonly sku: string
  reserve: number
  release: number
}

async function moveStock(tx: Transaction, writes: readonly DecisionWrite[]): Promise<NodeDelta[]> {
  const releases = writes.flatMap((w) => w.releases)
  const changes = new Map<string, StockChange>()
  const change = (node: string, sku: string): StockChange => {
    const key = `${node}\u0000${sku}`
    let known = changes.get(key)
    if (known === undefined) {
      known = { node, sku, reserve: 0, release: 0 }
      changes.set(key, known)
    }
    return known
  }
  for (const write of writes) {
    for (const { task } of write.newTasks) for (const l of task.lines) change(task.node, l.sku).reserve += l.quantity
  }
  for (const release of releases) for (const l of release.lines) change(release.node, l.sku).release += l.quantity
  if (changes.size === 0) return []

  const deltas = await recordReleases(tx, releases)
  const rows = [...changes.values()].sort((a, b) => compare(a.node, b.node) || compare(a.sku, b.sku))
  const reserved = writes.flatMap((w) =>
    w.newTasks.map(({ task: t, reservationId }) => ({
      node: t.node,
      ref: reservationId,
      skus: t.lines.map((l) => l.sku),
      quantities: t.lines.map((l) => l.quantity),
    })),
  )
  const [moved] = await Promise.all([
    tx<{ node: string; sku: string }[]>`
      with change as materialized (
        select * from unnest(${rows.map((r) => r.node)}::text[], ${rows.map((r) => r.sku)}::text[],
          ${rows.map((r) => r.reserve)}::int[], ${rows.map((r) => r.release)}::int[]) as c (node, sku, reserve, release)
      ), locked as materialized (
        select s.node, s.sku from stock s join change using (node, sku) order by s.node, s.sku for update of s
      )
      update stock s set reserved = s.reserved + c.reserve - c.release
      from change c join locked using (node, sku)
      where s.node = c.node and s.sku = c.sku and (c.reserve = 0 or s.on_hand - s.safety - s.reserved >= c.reserve)
      returning s.node, s.sku`,
    reserved.length === 0
      ? []
      : tx`
          insert into stock_movement (node, kind, ref, skus, on_hand, reserved)
          select node, 'reserve', ref, skus, array_fill(0, array[cardinality(skus)]), quantities
          from json_to_recordset(${jsonText(reserved)}::text::json) as r (node text, ref text, skus text[], quantities int[])`,
  ])
  if (moved.length < rows.length) {
    const done = new Set(moved.map((r) => `${r.node}\u0000${r.sku}`))
    throw new Rollback({ outcome: 'stock_refused', short: rows.filter((r) => !done.has(`${r.node}\u0000${r.sku}`)) })
  }
  return deltas
}

/** Corrects what is on hand and writes the movements that Redis has to be told, numbered under the nodes' locks. */
async function recordReleases(tx: Transaction, releases: readonly Release[]): Promise<NodeDelta[]> {
  if (releases.length === 0) return []
  const perNode = new Map<string, number>()
  for (const release of releases) perNode.set(release.node, (perNode.get(release.node) ?? 0) + 1)
  const nodes = [...perNode.keys()].sort(compare)
  const numbered = await tx<{ node: string; seq: string }[]>`
    with locked as materialized (select node from node where node = any(${nodes}) order by node for update)
    update node n set seq = n.seq + c.count
    from unnest(${nodes}::text[], ${nodes.map((n) => perNode.get(n)!)}::int[]) as c (node, count) join locked using (node)
    where n.node = c.node returning n.node, n.seq`
  const next = new Map(numbered.map((r) => [r.node, Number(r.seq) - perNode.get(r.node)! + 1]))
  const deltas: NodeDelta[] = []
  const rows: {
    node: string
    seq: number
    kind: string
    ref: string
    skus: string[]
    on_hand: number[]
    reserved: number[]
  }[] = []
  for (const release of releases) {
    const gone = await correctOnHand(tx, release)
    const seq = next.get(release.node)!
    next.set(release.node, seq + 1)
    const skus = [...new Set([...release.lines.map((l) => l.sku), ...gone.keys()])]
    const given = skus.map((sku) => release.lines.find((l) => l.sku === sku)?.quantity ?? 0)
    const lost = skus.map((sku) => gone.get(sku) ?? 0)
    const kind = release.corrections.length > 0 ? 'correct' : 'release'
    rows.push({
      node: release.node,
      seq,
      kind,
      ref: release.taskId,
      skus,
      on_hand: lost.map((q) => -q),
      reserved: given.map((q) => -q),
    })
    deltas.push({ node: release.node, seq, lines: skus.map((sku, i) => ({ sku, delta: given[i]! - lost[i]! })) })
  }
  await tx`
    insert into stock_movement (node, node_seq, kind, ref, skus, on_hand, reserved)
    select node, seq, kind, ref, skus, on_hand, reserved
    from json_to_recordset(${jsonText(rows)}::text::json) as r
      (node text, seq bigint, kind text, ref text, skus text[], on_hand int[], reserved int[])`
  return deltas
}

/** Units by SKU that are not there after all. */
async function correctOnHand(tx: Transaction, release: Release): Promise<Map<string, number>> {
  const gone = new Map<string, number>()
  for (const correction of [...release.corrections].sort((a, b) => compare(a.sku, b.sku))) {
    const [row] = await tx<{ on_hand: number; reserved: number }[]>`
      select on_hand, reserved from stock where node = ${release.node} and sku = ${correction.sku} for update`
    if (row === undefined) continue
    const released = release.lines.find((l) => l.sku === correction.sku)?.quantity ?? 0
    const believed = correction.believeNothingLeft
      ? Math.min(row.on_hand - correction.missing, row.reserved - released)
      : row.on_hand - correction.missing
    const onHand = Math.max(0, believed)
    if (onHand === row.on_hand) continue
    await tx`update stock set on_hand = ${onHand} where node = ${release.node} and sku = ${correction.sku}`
    gone.set(correction.sku, row.on_hand - onHand)
  }
  return gone
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
