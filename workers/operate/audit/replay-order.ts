/**
 * One order decided again from its first event to its last, version by version, and compared with what its history says of
 * each: what was taken of every event, state, holds, what was to be sourced, tasks made, released and called back. In the end
 * the order has to be the one that is stored.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Loaded } from '../../../adapters/store/orders/load.ts'
import { explode } from '../../../router/bundle.ts'
import { transportOf } from '../../../router/split.ts'
import type { OrderSnapshot } from '../../../router/types.ts'
import { type WorkContext, workOn } from '../../decide/take-events.ts'
import { type History, lastTakeBacks, type SourcedGroup, type Step, stepsOf } from './history.ts'
import { partsThatDiffer, type State, stepAgain } from './replay-step.ts'

/** Why an order is not decided again. */
export const notReplayedReasons = {
  events_gone: 'events of theirs are no longer in the inbox',
  history_incomplete: 'their history lacks a version, or has an entry that this version does not know',
  history_too_long: 'their history is too long',
  settings_changed: 'goods, bundles or the shop’s SKU map changed since, and the decision with them',
} as const
export type NotReplayed = keyof typeof notReplayedReasons

export type ReplayedOrder =
  | { readonly outcome: 'same'; readonly versions: number }
  /** `version`: the first that differs; null: the order as it is stored, after all of them. */
  | { readonly outcome: 'different'; readonly version: number | null; readonly differs: readonly string[] }
  | { readonly outcome: 'not_replayed'; readonly why: NotReplayed }

export function replayOrder(context: WorkContext, history: History): ReplayedOrder {
  const { order } = history.loaded
  const steps = stepsOf(history.entries, order.version)
  if (steps === null) return { outcome: 'not_replayed', why: 'history_incomplete' }
  const isGone = history.entries.some(({ seq }) => seq !== '0' && !history.events.has(seq))
  if (isGone) return { outcome: 'not_replayed', why: 'events_gone' }
  const found = firstDifference(context, history, steps)
  if (found === null) return { outcome: 'same', versions: order.version }
  if (areSettingsOther(context, history)) return { outcome: 'not_replayed', why: 'settings_changed' }
  return { outcome: 'different', ...found }
}

interface Difference {
  readonly version: number | null
  readonly differs: readonly string[]
}

function firstDifference(context: WorkContext, history: History, steps: readonly Step[]): Difference | null {
  const givenBack = lastTakeBacks(history, steps)
  let state: State
  for (const [at, step] of steps.entries()) {
    const givenBackOf = (taskId: string) => {
      const last = givenBack.get(taskId)
      return last !== undefined && last.ownedAt < at && at <= last.settledAt ? last : null
    }
    const done = stepAgain(context, history, step, state, givenBackOf)
    if (done.differs.length > 0) return { version: step.version, differs: done.differs }
    state = done.state
  }
  const differs = partsThatDiffer(comparable(state!), comparable(history.loaded))
  return differs.length === 0 ? null : { version: null, differs }
}

function comparable({ order, tasks }: Loaded) {
  const { id, version, state, items, allocations, taskCount, overruled, cancelledBy, excludedNodes } = order
  const holds = order.holds.map((h) => h.rule)
  const refunds = order.refunds.map((r) => [r.refundId, r.status, r.refundFen])
  return {
    ...{ id, version, state, holds, items, allocations, taskCount, refunds, overruled, cancelledBy, excludedNodes },
    // Of a cancelled task the row keeps what had been asked for.
    tasks: tasks
      .map(({ taskId, node, lines, state: s }) => ({ taskId, node, lines: s === 'cancelled' ? [] : lines }))
      .sort((a, b) => (a.taskId < b.taskId ? -1 : 1)),
  }
}

/** Rules that ask what the goods are: an order that was held by one may be let go by a SKU or bundle that was put right. */
const rulesOfGoods: ReadonlySet<string> = new Set(['unknown_sku', 'too_many_items', 'too_many_units', 'risky_quantity'])

/** What was known of the goods is not what the settings say now: its lines' SKUs, what bundles come to, what travels together. */
function areSettingsOther(context: WorkContext, history: History): boolean {
  const { catalog } = context
  const { loaded, entries } = history
  const groups = entries.flatMap(({ trace }) => trace.sourcing ?? [])
  const { snapshot, items } = loaded.order
  const wasHeld = entries.some(({ trace }) => (trace.holds ?? []).some((h) => rulesOfGoods.has(h.rule)))
  if (wasHeld || groups.some((group) => knowsOtherGoods(catalog, group))) return true
  if (snapshot === null) return false
  if (isMappedOtherwise(context, history, snapshot)) return true
  const unitsOf = (all: typeof items) => all.map((i) => `${i.line} ${i.quantity} ${i.sku}`).sort()
  return !isDeepStrictEqual(unitsOf(explode(snapshot.lines, catalog.sku)), unitsOf(items))
}

function knowsOtherGoods(catalog: WorkContext['catalog'], { transport, sourcing }: SourcedGroup): boolean {
  return sourcing.demand.some(([code, , grams, warehouseOnly]) => {
    const sku = catalog.sku(code)
    if (sku === undefined || sku.weightGrams !== grams || sku.warehouseOnly !== (warehouseOnly === 1)) return true
    return transportOf[sku.storageClass] !== transport
  })
}

/** The event that the stored snapshot came from, read again, has other SKUs in its lines. */
function isMappedOtherwise(context: WorkContext, { events }: History, stored: OrderSnapshot): boolean {
  const skus = new Map(stored.lines.map((line) => [line.lineId, line.sku]))
  for (const event of events.values()) {
    const again = workOn(context, [event], undefined).decision?.order.snapshot ?? null
    if (again?.modifiedAt !== stored.modifiedAt || again.fetchNumber !== stored.fetchNumber) continue
    if (again.lines.some((line) => (skus.get(line.lineId) ?? line.sku) !== line.sku)) return true
  }
  return false
}
