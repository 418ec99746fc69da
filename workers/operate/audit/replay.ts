/**
 * Decides again what was decided: each plan from its trace, and each order version by version from its stored events on
 * (./replay-order.ts). Promise 7 says that both come to the same. What cannot be replayed is counted, with the reason.
 */

import { isDeepStrictEqual } from 'node:util'
import { loadDivisions } from '../../../adapters/divisions/load.ts'
import { type Loaded, loadByKeys } from '../../../adapters/store/orders/load.ts'
import type { Sql, Transaction } from '../../../adapters/store/postgres/connect.ts'
import { defaultPolicy } from '../../../router/policy.ts'
import { replay, type StoredTrace } from '../../../router/source/trace.ts'
import type { OrderKey } from '../../../router/types.ts'
import { readCatalog } from '../../catalog/catalog.ts'
import type { EventToDecide } from '../../decide/batch.ts'
import type { WorkContext } from '../../decide/take-events.ts'
import { type HistoryRow, type NotReplayed, replayOrder } from './replay-order.ts'

export interface Replayed {
  /** Plans computed again from what their traces say was known. */
  readonly traces: number
  /** Orders of which all versions were replayed. */
  readonly orders: number
  /** Decisions made again. */
  readonly decisions: number
  /** Versions taken as the history tells them: parcels that left, closings. */
  readonly facts: number
  /** Versions that could not be replayed, by the reason. */
  readonly notReplayed: Readonly<Partial<Record<NotReplayed, number>>>
  readonly different: readonly Readonly<Record<string, unknown>>[]
}

/** Orders that are in memory together, with their events. Each time the inbox is read whole: it is found by its day and id only. */
const chunk = 500

/** About `count` orders, drawn at random. */
export async function replayDecisions(sql: Sql, count: number): Promise<Replayed> {
  const context: WorkContext = { catalog: await readCatalog(sql), divisions: loadDivisions(), policy: defaultPolicy }
  const different: Record<string, unknown>[] = []
  const notReplayed: Partial<Record<NotReplayed, number>> = {}
  let [traces, orders, decisions, facts] = [0, 0, 0, 0]
  for (let left = await draw(sql, count); left.length > 0; left = left.slice(chunk)) {
    for (const { stored, history, events } of await read(sql, left.slice(0, chunk))) {
      const { id } = stored.order
      for (const { version, trace } of history) {
        for (const { sourcing } of trace.sourcing ?? []) {
          traces += 1
          const difference = differenceOfPlan(sourcing)
          if (difference !== null) different.push({ order: id, version, ...difference })
        }
      }
      const replayed = replayOrder(context, history, events, stored)
      decisions += replayed.decided
      facts += replayed.facts
      if (replayed.left !== null)
        notReplayed[replayed.left.reason] = (notReplayed[replayed.left.reason] ?? 0) + replayed.left.steps
      else orders += 1
      if (replayed.difference !== null)
        different.push({ order: id, version: stored.order.version, ...replayed.difference })
    }
  }
  return { traces, orders, decisions, facts, notReplayed, different }
}

async function draw(sql: Sql, count: number): Promise<string[]> {
  const [size] = await sql<{ orders: number }[]>`select count(*)::float8 as orders from orders`
  const percent = Math.min(100, (200 * count) / Math.max(1, size!.orders))
  const rows = await sql<{ id: string }[]>`
    select id from orders tablesample bernoulli (${percent}::float8) order by random() limit ${count}`
  return rows.map((r) => r.id)
}

interface Known {
  readonly stored: Loaded
  readonly history: HistoryRow[]
  readonly events: Map<string, EventToDecide>
}

/** As one moment sees them: a service may be at work. */
async function read(sql: Sql, orderIds: readonly string[]): Promise<readonly Known[]> {
  return (await sql.begin('isolation level repeatable read read only', async (tx) => {
    const keys = await tx<OrderKey[]>`
      select channel, shop, order_id as "orderId" from orders where id = any(${orderIds as string[]}::bigint[])`
    const byId = new Map<string, Known>()
    for (const stored of (await loadByKeys(tx, keys)).values())
      byId.set(stored.order.id, { stored, history: [], events: new Map() })
    await readHistories(tx, [...byId.keys()], byId)
    await readEvents(tx, [...byId.keys()], byId)
    return [...byId.values()]
  })) as readonly Known[]
}

async function readHistories(tx: Transaction, ids: string[], byId: ReadonlyMap<string, Known>): Promise<void> {
  const rows = await tx<(HistoryRow & { order_id: string })[]>`
    select order_id, version, at::text as at, seq, outcome, trace::json as trace from decision
    where order_id = any(${ids}::bigint[]) order by order_id, version, decision.at, seq`
  for (const { order_id, ...row } of rows) byId.get(order_id)!.history.push(row)
}

async function readEvents(tx: Transaction, ids: string[], byId: ReadonlyMap<string, Known>): Promise<void> {
  const rows = await tx<(EventToDecide & { id: string })[]>`
    select o.id, i.seq, i.channel, i.shop, i.event_id as "eventId", i.order_id as "orderId", i.kind, i.body,
      floor(extract(epoch from i.received_at) * 1000)::float8 as "storedAtMs"
    from orders o join decision d on d.order_id = o.id and d.seq > 0
    join inbox i on i.seq = d.seq and i.channel = o.channel and i.shop = o.shop and i.order_id = o.order_id
    where o.id = any(${ids}::bigint[])`
  for (const { id, ...event } of rows) byId.get(id)!.events.set(event.seq, event)
}

function differenceOfPlan(trace: StoredTrace): Record<string, unknown> | null {
  const plan = replay(trace)
  const parcels = plan.parcels.map(({ node, costFen, lines }) => [
    node,
    costFen,
    ...lines.map((l) => [l.line, l.quantity]),
  ])
  const missing = plan.missing.map((m) => [m.line, m.quantity])
  const again = { parcels, missing, costFen: plan.costFen }
  const then = { parcels: trace.parcels, missing: trace.missing, costFen: trace.costFen }
  return isDeepStrictEqual(again, then) ? null : { plan: again, was: then }
}
