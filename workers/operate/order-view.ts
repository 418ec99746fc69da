/** One order as a person or a program wants to see it: where every unit is, how it came there, and what is still open. */
import type { z } from 'zod'
import type { historyEntry } from '../../adapters/http/v1/history.ts'
import { orderFromRow } from '../../adapters/store/orders/order-row.ts'
import {
  decisionsOfOrder,
  findOrder,
  tasksOfOrder,
  type ViewedDecision,
  type ViewedTask,
} from '../../adapters/store/orders/view.ts'
import type { Sql } from '../../adapters/store/postgres/connect.ts'
import { returnsOf } from '../../adapters/store/returns/read.ts'
import { loadForReconcile } from '../../adapters/store/settle/reconcile.ts'
import { addUp } from '../../router/bundle.ts'
import { dueOf, severityOf } from '../../router/exceptions.ts'
import { defaultPolicy } from '../../router/policy.ts'
import { atTime, expectedName } from '../../router/reconcile/expectations.ts'
import type { ReconcileException } from '../../router/reconcile/types.ts'
import { reconcile } from '../../router/reconcile.ts'
import type { Return } from '../../router/returns/types.ts'
import { placesBack } from '../../router/returns/units.ts'
import { readPassed } from '../../router/rule-sets.ts'
import { keyOf } from '../../router/shipped-units.ts'
import { readTrace, type StoredTrace } from '../../router/source/trace.ts'
import type { Package, TaskState } from '../../router/task.ts'
import type { Order, OrderKey } from '../../router/types.ts'

export async function viewOrder(sql: Sql, key: OrderKey) {
  const row = await findOrder(sql, key)
  if (row === null) return null
  const [tasks, decisions, reconciliation, returns] = await Promise.all([
    tasksOfOrder(sql, row.id),
    decisionsOfOrder(sql, row.id),
    matchFlows(sql, row.id),
    returnsOf(sql, [row.id]),
  ])
  const order = orderFromRow(row)
  const { snapshot } = order
  return {
    channel: order.channel,
    shop: order.shop,
    orderId: order.orderId,
    state: order.state,
    version: order.version,
    platformState: snapshot?.platformStateRaw ?? null,
    paidFen: snapshot?.paidFen ?? null,
    freightFen: snapshot?.freightFen ?? null,
    paidAt: snapshot?.paidAt ?? null,
    shipBy: snapshot?.shipBy ?? null,
    holds: order.holds,
    lines: linesOf(order, tasks, returns.get(row.id) ?? []),
    tasks: tasks.map((t) => ({
      ...t,
      state: t.state as TaskState,
      leaseUntil: t.leaseUntil?.getTime() ?? null,
      notBefore: t.notBefore?.getTime() ?? null,
      changed: t.changed === true,
      packages: oneAWaybill(t.packages),
    })),
    trace: decisions.filter((d) => d.trace.sourcing !== undefined).map(shownTrace),
    reconciliation,
    history: decisions.map(shownHistory),
  }
}

/** A waybill that was told in several calls is one parcel. */
function oneAWaybill(told: readonly Package[]): Package[] {
  const parcels = new Map<string, Package>()
  for (const p of told) {
    const of = `${p.carrier} ${p.waybill}`
    const known = parcels.get(of)
    parcels.set(of, known === undefined ? p : { ...known, lines: addUp([...known.lines, ...p.lines]) })
  }
  return [...parcels.values()]
}

async function matchFlows(sql: Sql, id: string) {
  const [load] = await sql.begin('isolation level repeatable read read only', (tx) =>
    loadForReconcile(tx, [id], 'look'),
  )
  if (load === undefined) return null
  const timed = atTime(reconcile(load.input), load.nowMs, defaultPolicy.expectations)
  const { order, funds, logistics, state, exceptions, expected = [], accepted = [] } = timed
  const detailOf = ({ of, detail }: ReconcileException) => ({ ...detail, ...(of === '' ? {} : { of }) })
  const shown = (found: ReconcileException) => ({
    ...{ kind: found.kind, severity: severityOf(found.kind), since: found.since, detail: detailOf(found) },
    due: dueOf(found.kind, found.since, defaultPolicy.exceptions),
  })
  return {
    order: { ...order },
    funds: { writtenOffFen: 0, ...funds },
    logistics: { ...logistics },
    state,
    exceptions: exceptions.map(shown),
    expected: expected.map((found) => ({
      ...{ what: expectedName(found.kind), since: found.since, due: found.due, detail: detailOf(found) },
    })),
    accepted: accepted.map(shown),
  }
}

function linesOf(order: Order, tasks: readonly ViewedTask[], returns: readonly Return[]) {
  const back = placesBack(returns)
  const comeBack = (
    [
      ['returned', back.returned],
      ['on_its_way_back', back.onTheirWay],
      ['missing', back.missing],
    ] as const
  ).map(([place, units]) => ({ place, units: new Map(units) }))
  const shippedTasks = new Set(tasks.filter((t) => t.state === 'shipped').map((t) => t.taskId))
  return (order.snapshot?.lines ?? []).map((line, index) => {
    const places = order.allocations
      .filter((a) => order.items[a.item]?.line === index)
      .map((a) => ({
        sku: order.items[a.item]!.sku,
        place: a.taskId !== null && shippedTasks.has(a.taskId) ? 'shipped' : a.place,
        quantity: a.quantity,
        taskId: a.taskId,
      }))
      .flatMap((p) => (p.taskId === null || returns.length === 0 ? [p] : parted(p, line.lineId, comeBack)))
    const states = new Set(places.map((p) => p.place))
    return {
      lineId: line.lineId,
      sku: line.sku,
      title: line.title,
      quantity: line.quantity,
      paidFen: line.paidFen,
      gift: line.gift,
      state: states.size === 1 ? [...states][0]! : states.size === 0 ? 'held' : 'mixed',
      places,
    }
  })
}

interface PlacedUnits {
  readonly sku: string
  readonly place: string
  readonly quantity: number
  readonly taskId: string | null
}

/** Units that left, and where they are now: each that comes back is taken from `comeBack`. */
function parted(
  left: PlacedUnits,
  lineId: string,
  comeBack: readonly { readonly place: string; readonly units: Map<string, number> }[],
): PlacedUnits[] {
  const key = keyOf({ lineId, sku: left.sku })
  const parts: PlacedUnits[] = []
  let rest = left.quantity
  for (const { place, units } of comeBack) {
    const quantity = Math.min(rest, units.get(key) ?? 0)
    if (quantity === 0) continue
    units.set(key, units.get(key)! - quantity)
    rest -= quantity
    parts.push({ ...left, place, quantity })
  }
  return rest > 0 ? [{ ...left, quantity: rest }, ...parts] : parts
}

interface StoredGroup {
  readonly transport: string
  readonly readyAt: number | null
  readonly sourcing: StoredTrace
}

function shownTrace({ at, version, trace }: ViewedDecision) {
  const groups = trace.sourcing as readonly StoredGroup[]
  return {
    at: at.getTime(),
    version,
    stockEpoch: trace.epoch,
    rounds: trace.rounds,
    tasks: trace.tasks,
    groups: groups.map(({ transport, readyAt, sourcing }) => ({ transport, readyAt, ...readTrace(sourcing) })),
  }
}

/** What the entries of a history hold beside when, of what and with what outcome: adapters/http/v1/history.ts has all. */
type EntryDetail = Omit<z.input<typeof historyEntry>, 'at' | 'version' | 'seq' | 'outcome' | 'passed'>
type StoredEntry = EntryDetail & { readonly sourcing?: unknown; readonly passed?: Parameters<typeof readPassed>[0] }

function shownHistory({ at, version, seq, outcome, trace }: ViewedDecision) {
  const { sourcing: _, passed, holds, ...rest } = trace as StoredEntry
  // A decision has both, an event that was only noted has none.
  const checked = passed === undefined ? {} : { holds: holds ?? [], passed: readPassed(passed) }
  return { at: at.getTime(), version, seq, outcome, ...rest, ...checked }
}
