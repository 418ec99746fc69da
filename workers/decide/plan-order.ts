/** The plan of one order on the availability, and what is to be reserved for it. */

import type { ReserveRequest } from '../../adapters/stock/counters.ts'
import type { Decision, Demand } from '../../router/decide.ts'
import { itemsOfPlan } from '../../router/items-of-plan.ts'
import { type PlannedTask, place } from '../../router/place.ts'
import type { Network } from '../../router/source/network.ts'
import { sourceOrder } from '../../router/source/search.ts'
import { describeSourcing, type SourcingTrace } from '../../router/source/trace.ts'
import type { Group } from '../../router/split.ts'
import type { Availability } from '../catalog/availability.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { StockKeeper } from '../counters/stock-keeper.ts'

export interface GroupTrace {
  readonly transport: string
  readonly readyAt: number | null
  readonly sourcing: SourcingTrace
}

export interface PlacingContext {
  readonly catalog: Catalog
  readonly availability: Availability
  readonly keeper: StockKeeper
  /** Epoch milliseconds. */
  readonly now: () => number
  /** By order id: nodes where it is not sourced this time. */
  readonly avoided: ReadonlyMap<string, readonly string[]>
}

export interface Planned {
  readonly tasks: readonly PlannedTask[]
  readonly missing: readonly Demand[]
  readonly traces: readonly GroupTrace[]
  readonly placed: ReturnType<typeof place>
  readonly requests: readonly ReserveRequest[]
}

export function planOrder(
  context: PlacingContext,
  network: Network,
  decision: Decision,
  groups: readonly Group[],
  round: number,
): Planned {
  const { order } = decision
  const tasks: PlannedTask[] = []
  const missing: Demand[] = []
  const traces: GroupTrace[] = []
  for (const group of groups) {
    const request = {
      demand: group.demand,
      point: order.snapshot?.receiver.point ?? null,
      adcode: order.snapshot?.receiver.adcode ?? null,
      channel: order.channel,
      excludedNodes: [...order.excludedNodes, ...(context.avoided.get(order.id) ?? [])],
    }
    const { plan: chosen, candidates, offers } = sourceOrder(request, network)
    const { parcels, missing: lacking } = itemsOfPlan(group, chosen)
    for (const parcel of parcels) tasks.push({ node: parcel.node, units: parcel.items })
    missing.push(...lacking)
    traces.push({
      transport: group.transport,
      readyAt: group.readyAt,
      sourcing: describeSourcing(group.demand, candidates, chosen, offers),
    })
    // The next order, in this batch or in another thread, shall not count on the same units.
    for (const { node, lines } of chosen.parcels) {
      for (const { line, quantity } of lines) addAvailable(context, node, group.demand[line]!.sku, -quantity)
    }
  }
  const placed = place(decision, tasks, missing)
  const requests = placed.newTasks.map((task) => ({
    node: task.node,
    reservationId: `${task.taskId}@${order.attempt + round}.${context.keeper.owner}`,
    lines: task.lines.map(({ sku, quantity }) => ({ sku, quantity })),
  }))
  return { tasks, missing, traces, placed, requests }
}

export function addAvailable(
  { catalog, availability }: PlacingContext,
  node: string,
  sku: string,
  change: number,
): void {
  const index = catalog.nodeIndex.get(node)
  if (index !== undefined) availability.add(catalog.nodeNo(index), catalog.skuNo(sku), change)
}

export function setAvailable(
  { catalog, availability }: PlacingContext,
  node: string,
  sku: string,
  available: number,
): void {
  const index = catalog.nodeIndex.get(node)
  if (index !== undefined) availability.set(catalog.nodeNo(index), catalog.skuNo(sku), available)
}
