/**
 * For tests: a small network and orders that take the store's real way (inbox, decision, commit, pull), with the brain
 * told where to source instead of asked.
 */

import { createHash, randomUUID } from 'node:crypto'
import { decide } from '../../../router/decide.ts'
import type { Node } from '../../../router/node.ts'
import { newOrder, takeRefund, takeSnapshot } from '../../../router/order.ts'
import { place } from '../../../router/place.ts'
import type { NodeDelta, Release } from '../../../router/stock.ts'
import { type TakenBack, takingEffect } from '../../../router/take-back.ts'
import type { OrderKey, OrderSnapshot, RefundSnapshot, Sku, SkuQuantity, SnapshotLine } from '../../../router/types.ts'
import { putNodes, putSkus } from '../catalog/catalog.ts'
import { dayOf, type InboxEvent } from '../inbox/event.ts'
import { storeEvents } from '../inbox/store-events.ts'
import { commitDecisions, type DecisionWrite } from '../orders/commit.ts'
import { keyOf, type Loaded, loadByKeys } from '../orders/load.ts'
import type { Sql, Transaction } from '../postgres/connect.ts'
import { followSafety, type Posted, postStock } from '../stock/stock.ts'
import { type PulledTask, pullTasks } from '../tasks/tasks.ts'

export const atMs = Date.UTC(2026, 10, 11, 4)

export function keyFor(orderId: string): OrderKey {
  return { channel: 'tmall', shop: 'shop', orderId }
}

/** lines('a', 1, 'b', 2) */
export function lines(...flat: (string | number)[]): SkuQuantity[] {
  return flat.flatMap((sku, i) => (i % 2 === 0 ? [{ sku: String(sku), quantity: Number(flat[i + 1]) }] : []))
}

export function sha256(bytes: Uint8Array | string): Buffer {
  return createHash('sha256').update(bytes).digest()
}

export function eventOf(orderId: string, change: Partial<InboxEvent> = {}): InboxEvent {
  const body = change.body ?? Buffer.from(`{"order":${JSON.stringify(orderId)}}`)
  return {
    ...{ ...keyFor(orderId), eventId: randomUUID(), kind: 'order', occurredAt: atMs },
    ...change,
    ...{ body, bodyHash: sha256(body).toString('hex') },
  }
}

export function nodeOf(node: string, safetyStock: number): Node {
  return {
    ...{ node, name: node, kind: 'warehouse', adcode: null, point: { lat: 31, lng: 121 }, open: true },
    ...{ channels: null, regions: null, preferenceFen: 0, handlingFen: 0, safetyStock },
    freight: { bands: [{ kmMax: 20_100, firstFen: 500, stepFen: 100 }], firstGrams: 1000, stepGrams: 1000 },
  }
}

export function skuOf(sku: string, bundle: readonly SkuQuantity[] = []): Sku {
  return { sku, name: sku, weightGrams: 100, storageClass: 'normal', warehouseOnly: false, bundle }
}

const tables = [
  'inbox',
  'pending',
  'event_conflict',
  'orders',
  'backorder',
  'decision',
  'task',
  'parcel',
  'exception',
  'exception_act',
  'reconciliation',
  'track',
  'bill_row',
  'returns',
]
const stockTables = ['stock', 'stock_movement', 'stock_posting', 'node', 'sku']

/** Deletes, which for few rows takes a tenth of a truncate's time. */
export async function empty(sql: Sql): Promise<void> {
  const deletes = [...tables, ...stockTables].map((table) => `delete from ${table}`)
  await sql.unsafe([...deletes, 'update stock_epoch set epoch = 0'].join(';'))
}

export async function makeNetwork(
  sql: Sql,
  network: { readonly nodes: readonly string[]; readonly skus: readonly string[]; readonly safety?: number },
): Promise<void> {
  await putSkus(
    sql,
    network.skus.map((sku) => skuOf(sku)),
  )
  await putNodes(
    sql,
    network.nodes.map((node) => ({ node: nodeOf(node, network.safety ?? 0), apiKeyHash: sha256(node) })),
  )
}

/** As an operator sets it: in the node's settings and in its rows. */
export async function setSafety(sql: Sql, node: string, safety: number): Promise<NodeDelta | null> {
  return await sql.begin(async (tx) => {
    await tx`update node set detail = detail || jsonb_build_object('safetyStock', ${safety}::int) where node = ${node}`
    return await followSafety(tx, node)
  })
}

/** Each call is a posting of its own. `safety`: the node's setting from now on. */
export async function post(
  sql: Sql,
  node: string,
  kind: 'set' | 'add',
  given: readonly SkuQuantity[],
  safety?: number,
): Promise<Posted> {
  if (safety !== undefined) await setSafety(sql, node, safety)
  const bodyHash = sha256(JSON.stringify([kind, given]))
  return await postStock(sql, { node, ref: randomUUID(), kind, lines: given, bodyHash })
}

export function snapshotOf(
  orderId: string,
  given: readonly SkuQuantity[],
  change: Partial<OrderSnapshot> = {},
): OrderSnapshot {
  const told = given.map(({ sku, quantity }, i): SnapshotLine => {
    const refund = 'none'
    return {
      ...{ lineId: `${orderId}-${i}`, sku, platformSku: sku, title: sku, quantity, paidFen: 100 * quantity },
      ...{ gift: false, giftOf: null, refund, readyAt: null },
    }
  })
  const place = {
    province: '上海市',
    city: '上海市',
    district: '黄浦区',
    town: '',
    street: '',
    postalCode: '',
    oaid: '',
  }
  return {
    ...{ type: 'order', ...keyFor(orderId), platformState: 'ready', platformStateRaw: 'WAIT_SELLER_SEND_GOODS' },
    ...{ createdAt: atMs, paidAt: atMs, modifiedAt: atMs, fetchNumber: 0, shipBy: null, lines: told, freightFen: 0 },
    paidFen: told.reduce((sum, line) => sum + line.paidFen, 0),
    receiver: { name: '张**', phone: '138****0000', ...place, adcode: '310101', point: { lat: 31, lng: 121 } },
    ...{ buyerId: '', buyerMessage: '', sellerMemo: '', sellerFlag: 0, addressUnderReview: false, presale: null },
    transactionId: null,
    ...change,
  }
}

/** An undecided command about the order, in the transaction that makes it needed. */
export async function storeCommand(tx: Transaction, { channel, shop, orderId }: OrderKey): Promise<void> {
  const row = { day: dayOf(atMs), channel, shop, event_id: randomUUID(), order_id: orderId, kind: 'command' }
  const [stored] = await tx<{ seq: string }[]>`
    insert into inbox ${tx({ ...row, body_hash: sha256(''), body: Buffer.alloc(0) })} returning seq`
  await tx`insert into pending ${tx({ ...row, seq: stored!.seq })}`
}

export interface Step {
  /** What comes in. A task taken back is named as the inbox's command would. */
  readonly told?: OrderSnapshot | RefundSnapshot
  readonly takenBack?: readonly (TakenBack & Pick<Release, 'corrections'>)[]
  /** Where everything that has to be sourced goes; absent: backordered. Its reservation's name is made of the task's. */
  readonly node?: string
}

/** Stores an event and decides it on what the database holds now; nothing is committed yet. */
export async function decided(sql: Sql, orderId: string, step: Step): Promise<DecisionWrite> {
  const [stored] = await storeEvents(sql, [eventOf(orderId)])
  if (stored?.outcome !== 'new') throw new Error('the event is known')
  return await decidedOn(sql, orderId, stored.seq, step)
}

export async function decidedOn(sql: Sql, orderId: string, seq: string, step: Step): Promise<DecisionWrite> {
  const key = keyFor(orderId)
  return writeOn((await loadByKeys(sql, [key])).get(keyOf(key)), orderId, seq, step)
}

/** The decision on an order as it was loaded; undefined when the order is not stored yet. */
export function writeOn(loaded: Loaded | undefined, orderId: string, seq: string, step: Step): DecisionWrite {
  const key = keyFor(orderId)
  const before = loaded?.order ?? newOrder(key, seq)
  const tasksBefore = loaded?.tasks ?? []
  const { told, takenBack = [], node } = step
  const taken =
    told === undefined ? before : (told.type === 'order' ? takeSnapshot(before, told) : takeRefund(before, told)).order
  const decision = decide({
    ...{ order: taken, before, tasks: tasksBefore, takenBack, catalog: (sku) => skuOf(sku) },
    ...{ checkHolds: [], refusals: [] },
  })
  const planned = node === undefined || decision.demand.length === 0 ? [] : [{ node, units: decision.demand }]
  const placed = place(decision, planned, node === undefined ? decision.demand : [])
  const order = { ...placed.order, version: before.version + 1 }
  return {
    ...{ seqs: [seq], before, order, tasksBefore, tasks: decision.tasks, problems: [], shipBy: null },
    newTasks: placed.newTasks.map((task) => ({ task, reservationId: `${task.taskId}@0` })),
    releases: decision.cancelled.map((task) => ({
      ...{ taskId: task.taskId, node: task.node },
      lines: task.lines
        .filter((l) => l.quantity > l.shipped)
        .map((l) => ({ sku: l.sku, quantity: l.quantity - l.shipped })),
      corrections: takingEffect(tasksBefore, takenBack).find((t) => t.taskId === task.taskId)?.corrections ?? [],
    })),
    records: [{ seq, outcome: order.state, trace: { event: seq } }],
  }
}

/** Decides and commits one order; throws when it was not committed. Gives what Redis had to be told. */
export async function commitStep(sql: Sql, orderId: string, step: Step, epoch = 0): Promise<readonly NodeDelta[]> {
  const done = await commitDecisions(sql, epoch, [await decided(sql, orderId, step)])
  if (done.outcome !== 'committed' || done.conflicts.length > 0) throw new Error(JSON.stringify(done))
  return done.deltas
}

/** A routed order with one task at the node. */
export async function route(sql: Sql, orderId: string, node: string, given: readonly SkuQuantity[]): Promise<void> {
  await commitStep(sql, orderId, { told: snapshotOf(orderId, given), node })
}

/** Leases the node's only due task. */
export async function pullOne(sql: Sql, node: string, leaseSeconds = 60): Promise<PulledTask> {
  const [task, ...more] = await pullTasks(sql, node, 10, leaseSeconds)
  if (task === undefined || more.length > 0) throw new Error(`${node} has not exactly one task`)
  return task
}

/** Its leases are over. */
export async function lapse(sql: Sql, taskId: string): Promise<void> {
  await sql`update task set lease_until = now() - interval '1 second' where task_id = ${taskId}`
}

export interface Figures {
  readonly onHand: number
  readonly reserved: number
  readonly safety: number
}

export async function figures(sql: Sql, node: string, sku: string): Promise<Figures> {
  const [row] = await sql<
    Figures[]
  >`select on_hand as "onHand", reserved, safety from stock where node = ${node} and sku = ${sku}`
  if (row === undefined) throw new Error(`no stock of ${sku} at ${node}`)
  return row
}

/** Resolves when a connection of that application waits for a lock. */
export async function waits(sql: Sql, applicationName: string): Promise<void> {
  for (;;) {
    const waiting = await sql`
      select from pg_stat_activity where application_name = ${applicationName} and wait_event_type = 'Lock'`
    if (waiting.count > 0) return
  }
}
