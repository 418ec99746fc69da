/**
 * Decides again what was decided: the plans from their traces, and orders that were decided once from their stored events
 * on. Promise 7 says that both come to the same. Settings that changed since (goods, bundles, a shop's SKU map) may change
 * an order's decision: such orders are left out.
 */

import { isDeepStrictEqual } from 'node:util'
import { loadDivisions } from '../../../adapters/divisions/load.ts'
import { type Loaded, loadByKeys } from '../../../adapters/store/orders/load.ts'
import type { Sql } from '../../../adapters/store/postgres/connect.ts'
import { itemsOfPlan } from '../../../router/items-of-plan.ts'
import { place } from '../../../router/place.ts'
import { defaultPolicy } from '../../../router/policy.ts'
import { replay, type StoredTrace } from '../../../router/source/trace.ts'
import { splitByConstraint } from '../../../router/split.ts'
import type { ChannelName } from '../../../router/types.ts'
import { type Catalog, readCatalog } from '../../catalog/catalog.ts'
import type { EventToDecide } from '../../decide/batch.ts'
import { type WorkContext, workOn } from '../../decide/take-events.ts'

export interface Replayed {
  /** Plans computed again from what their traces say was known. */
  readonly traces: number
  /** Orders decided again from their events. */
  readonly orders: number
  readonly skipped: number
  readonly different: readonly Readonly<Record<string, unknown>>[]
}

interface Decided {
  readonly order_id: string
  readonly version: number
  readonly outcome: string
  readonly trace: {
    readonly sourcing?: readonly { readonly transport: string; readonly sourcing: StoredTrace }[]
    readonly rounds?: number
    readonly holds?: readonly { readonly rule: string }[]
  }
}

/** The last round keeps part of a plan: what it got is not what the trace planned. */
const roundsMax = 8
const chunk = 200

/** About `count` decisions, drawn at random. */
export async function replayDecisions(sql: Sql, count: number): Promise<Replayed> {
  const context: WorkContext = { catalog: await readCatalog(sql), divisions: loadDivisions(), policy: defaultPolicy }
  const different: Record<string, unknown>[] = []
  let traces = 0
  let orders = 0
  let skipped = 0
  for (let left = await draw(sql, count); left.length > 0; left = left.slice(chunk)) {
    const decided = await decisionsOf(sql, left.slice(0, chunk))
    for (const { order_id, version, trace } of decided) {
      for (const { sourcing } of trace.sourcing ?? []) {
        traces += 1
        const difference = differenceOfPlan(sourcing)
        if (difference !== null) different.push({ order: order_id, version, ...difference })
      }
    }
    // Ordered by version: those that were decided once have their whole way in the events of that decision.
    const last = new Map(decided.map((d) => [d.order_id, d]))
    const once = [...last.values()].filter((d) => d.version === 1)
    const known = await eventsAndOrders(
      sql,
      once.map((d) => d.order_id),
    )
    for (const one of once) {
      const { events, loaded } = known.get(one.order_id) ?? { events: [], loaded: undefined }
      const outcome = loaded === undefined ? 'skipped' : decideAgain(context, one, events, loaded)
      if (outcome === 'skipped') skipped += 1
      else orders += 1
      if (outcome !== null && outcome !== 'skipped')
        different.push({ order: one.order_id, version: one.version, ...outcome })
    }
  }
  return { traces, orders, skipped, different }
}

async function draw(sql: Sql, count: number): Promise<string[]> {
  const [size] = await sql<{ orders: number }[]>`select count(*)::float8 as orders from orders`
  const percent = Math.min(100, (200 * count) / Math.max(1, size!.orders))
  const rows = await sql<{ id: string }[]>`
    select id from orders tablesample bernoulli (${percent}::float8) order by random() limit ${count}`
  return rows.map((r) => r.id)
}

async function decisionsOf(sql: Sql, orderIds: readonly string[]): Promise<Decided[]> {
  return await sql<Decided[]>`
    select order_id, version, outcome, trace::json from decision
    where order_id = any(${orderIds as string[]}::bigint[]) and seq > 0 order by order_id, version, seq`
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

async function eventsAndOrders(sql: Sql, orderIds: readonly string[]) {
  const rows = await sql<(EventToDecide & { id: string })[]>`
    select o.id, i.seq, i.channel, i.shop, i.event_id as "eventId", i.order_id as "orderId", i.kind, i.body,
      floor(extract(epoch from i.received_at) * 1000)::float8 as "storedAtMs"
    from orders o join decision d on d.order_id = o.id and d.version = 1 and d.seq > 0
    join inbox i on i.seq = d.seq and i.channel = o.channel and i.shop = o.shop and i.order_id = o.order_id
    where o.id = any(${orderIds as string[]}::bigint[]) order by i.seq`
  const found = new Map<string, { events: EventToDecide[]; loaded: Loaded | undefined }>()
  for (const { id, ...event } of rows) {
    const known = found.get(id) ?? { events: [], loaded: undefined }
    known.events.push(event)
    found.set(id, known)
  }
  const keys = rows.map((r) => ({ channel: r.channel as ChannelName, shop: r.shop, orderId: r.orderId }))
  for (const loaded of (await loadByKeys(sql, keys)).values()) {
    const known = found.get(loaded.order.id)
    if (known !== undefined) known.loaded = loaded
  }
  return found
}

/** null: the same. */
function decideAgain(
  context: WorkContext,
  { trace }: Decided,
  events: readonly EventToDecide[],
  { order, tasks }: Loaded,
): 'skipped' | Record<string, unknown> | null {
  const sourcing = trace.sourcing ?? []
  // A warehouse that shipped or gave back has changed the order since.
  if (events.length === 0 || order.version !== 1 || trace.rounds === roundsMax) return 'skipped'
  const { decision } = workOn(context, events, undefined)
  if (decision === null) return { decided: 'nothing', was: order.state }
  if (sourcing.some(({ sourcing: s }) => isOlderThanSettings(context.catalog, s))) return 'skipped'
  const { snapshot, items } = decision.order
  const groups = snapshot === null ? [] : splitByConstraint(decision.demand, items, snapshot.lines, context.catalog.sku)
  if (groups.length !== sourcing.length) return { groups: groups.length, were: sourcing.length }
  const plans = groups.map((group, i) => itemsOfPlan(group, replay(sourcing[i]!.sourcing)))
  const placed = place(
    decision,
    plans.flatMap(({ parcels }) => parcels.map((parcel) => ({ node: parcel.node, units: parcel.items }))),
    plans.flatMap(({ missing }) => missing),
  )
  const again = {
    ...{ state: placed.order.state, items: placed.order.items, allocations: placed.order.allocations },
    tasks: placed.newTasks.map((t) => ({ taskId: t.taskId, node: t.node, lines: t.lines })),
  }
  const then = {
    ...{ state: order.state, items: order.items, allocations: order.allocations },
    tasks: tasks.map((t) => ({ taskId: t.taskId, node: t.node, lines: t.lines })),
  }
  const parts = (Object.keys(again) as (keyof typeof again)[]).filter((k) => !isDeepStrictEqual(again[k], then[k]))
  return parts.length === 0 ? null : { differs: parts }
}

/** What the trace knew of the goods is not what the settings say now. */
function isOlderThanSettings(catalog: Catalog, { demand }: StoredTrace): boolean {
  return demand.some(([code, , grams, warehouseOnly]) => {
    const sku = catalog.sku(code)
    return sku === undefined || sku.weightGrams !== grams || sku.warehouseOnly !== (warehouseOnly === 1)
  })
}
