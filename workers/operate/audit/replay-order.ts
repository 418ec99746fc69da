/**
 * One order decided again, version by version, from its stored events on. What is not the brain's to decide is taken from the
 * history as it stands: which parcels left, that the match closed it, what stock was known (the traces keep it), and which of a
 * plan's parcels got their goods. When a task was pulled stands nowhere: each decision is tried with its tasks waiting, in a
 * warehouse's hands, and handed back, unless its trace says which; one of these has to come to what was decided.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Loaded } from '../../../adapters/store/orders/load.ts'
import { explode } from '../../../router/bundle.ts'
import { readCommand } from '../../../router/commands.ts'
import { itemsOfPlan } from '../../../router/items-of-plan.ts'
import { newOrder, stateOf } from '../../../router/order.ts'
import { place } from '../../../router/place.ts'
import { reasonRules } from '../../../router/reasons.ts'
import { replay, type StoredTrace } from '../../../router/source/trace.ts'
import { splitByConstraint } from '../../../router/split.ts'
import { isOwned, type Package, ship, type Task, type TaskState } from '../../../router/task.ts'
import type { Item, Order, OrderState } from '../../../router/types.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { EventToDecide } from '../../decide/batch.ts'
import { type WorkContext, workOn } from '../../decide/take-events.ts'

export interface HistoryRow {
  readonly version: number
  /** The same for rows of one transaction. */
  readonly at: string
  readonly seq: string
  readonly outcome: string
  readonly trace: HistoryTrace
}

interface HistoryTrace {
  readonly event?: string
  readonly taskId?: string
  readonly packages?: readonly Package[]
  readonly sourcing?: readonly { readonly sourcing: StoredTrace }[]
  readonly tasks?: readonly string[]
  readonly holds?: readonly { readonly rule: string }[]
  readonly released?: readonly string[]
  readonly interceptRequested?: readonly string[]
  readonly interceptWithdrawn?: readonly string[]
}

export const notReplayedReasons = ['event_not_kept', 'settings_changed', 'history_not_known'] as const
/**
 * event_not_kept: the inbox has dropped the day of an event; settings_changed: goods, bundles or a shop's SKU map are others than
 * at the decision; history_not_known: a version of which no row, or no row that this version can read, says how it came.
 */
export type NotReplayed = (typeof notReplayedReasons)[number]

export interface OrderReplayed {
  /** Versions and looks that were decided again. */
  readonly decided: number
  /** Versions taken as the history tells them. */
  readonly facts: number
  /** What could not be replayed, with all that came after it. */
  readonly left: { readonly reason: NotReplayed; readonly steps: number } | null
  readonly difference: Readonly<Record<string, unknown>> | null
}

interface State {
  readonly order: Order
  readonly tasks: readonly Task[]
}

type Stepped = { readonly next: State } | { readonly difference: Readonly<Record<string, unknown>> } | NotReplayed

/** `history`: all rows, by version, then by time. `events`: those of them that are kept, by number. */
export function replayOrder(
  context: WorkContext,
  history: readonly HistoryRow[],
  events: ReadonlyMap<string, EventToDecide>,
  stored: Loaded,
): OrderReplayed {
  const steps = stepsOf(history)
  const known = new Map<string, Package[]>()
  let state: State = { order: newOrder(stored.order, stored.order.id), tasks: [] }
  let decided = 0
  let facts = 0
  const left = (reason: NotReplayed): OrderReplayed => {
    return { decided, facts, left: { reason, steps: steps.length - decided - facts }, difference: null }
  }
  if (hasOtherParts(context.catalog, stored.order)) return left('settings_changed')
  for (const rows of steps) {
    const isFact = rows[0]!.seq === '0'
    const stepped = isFact ? takeFact(state, rows[0]!, known) : decideStep(context, state, rows, events)
    if (typeof stepped === 'string') return left(stepped)
    if ('difference' in stepped)
      return { decided, facts, left: null, difference: { version: rows[0]!.version, ...stepped.difference } }
    state = stepped.next
    if (isFact) facts += 1
    else decided += 1
  }
  return { decided, facts, left: null, difference: differenceOf(endOf(state), endOf(stored)) }
}

function stepsOf(history: readonly HistoryRow[]): (readonly HistoryRow[])[] {
  const steps: HistoryRow[][] = []
  for (const row of history) {
    const last = steps.at(-1)
    if (last !== undefined && last[0]!.version === row.version && last[0]!.at === row.at) last.push(row)
    else steps.push([row])
  }
  return steps
}

/** Items are made of lines by the catalog of their time. */
function hasOtherParts(catalog: Catalog, { snapshot, items }: Order): boolean {
  const parts = (all: readonly Item[]) => all.map(({ line, sku, quantity }) => [line, sku, quantity])
  if (snapshot === null) return false
  try {
    return !isDeepStrictEqual(parts(explode(snapshot.lines, catalog.sku)), parts(items))
  } catch (error) {
    if (error instanceof RangeError) return true
    throw error
  }
}

function takeFact(
  { order, tasks }: State,
  { version, outcome, trace }: HistoryRow,
  known: Map<string, Package[]>,
): Stepped {
  if (version !== order.version + 1) return 'history_not_known'
  const next = (state: OrderState, after = tasks): Stepped => ({
    next: { order: { ...order, version, state }, tasks: after },
  })
  if (trace.event === 'reconcile') return next(outcome === 'closed' ? 'closed' : 'shipped')
  if (trace.event === 'audit') return next(outcome as OrderState)
  const task = tasks.find((t) => t.taskId === trace.taskId)
  if (trace.event !== 'ship' || task === undefined || trace.packages === undefined) return 'history_not_known'
  const before = known.get(task.taskId) ?? []
  // What left was in its warehouse's hands, and not to be stopped.
  const done = ship({ ...inHands(task), interceptRequested: false }, true, before, trace.packages)
  if (!('task' in done)) return { difference: { ship: done.outcome, was: outcome } }
  known.set(task.taskId, [...before, ...done.fresh])
  const after = tasks.map((t) => (t === task ? done.task : t))
  return next(stateOf(order, after), after)
}

function inHands(task: Task): Task {
  return isOwned(task) ? task : { ...task, state: 'pulled', fence: Math.max(1, task.fence) }
}

function decideStep(
  context: WorkContext,
  state: State,
  rows: readonly HistoryRow[],
  kept: ReadonlyMap<string, EventToDecide>,
): Stepped {
  const events = rows.flatMap((row) => kept.get(row.seq) ?? [])
  if (events.length < rows.length) return 'event_not_kept'
  const { trace, version } = rows.at(-1)!
  if (version !== state.order.version && version !== state.order.version + 1) return 'history_not_known'
  if ((trace.sourcing ?? []).some(({ sourcing }) => isOlderThanSettings(context.catalog, sourcing)))
    return 'settings_changed'
  let first: Stepped | null = null
  for (const unless of ['ready', 'pulled', 'rejected'] as const) {
    const tasks = state.tasks.map((task) => asItWas(task, events, trace, unless))
    const stepped = decideWith(context, { ...state, tasks }, rows, events)
    if (typeof stepped === 'string' || 'next' in stepped) return stepped
    first ??= stepped
  }
  return first!
}

/** In which state the decision found the task, where its trace tells; else `unless`. */
function asItWas(task: Task, events: readonly EventToDecide[], trace: HistoryTrace, unless: TaskState): Task {
  const { released = [], interceptRequested = [], interceptWithdrawn = [] } = trace
  if (task.state === 'shipped' || task.state === 'cancelled') return task
  if (released.includes(task.taskId)) {
    const why = events.flatMap((event) => {
      const command =
        event.kind === 'command' ? readCommand(JSON.parse(Buffer.from(event.body).toString('utf8'))) : null
      return command?.type === 'take_back' && command.taskId === task.taskId ? command.why : []
    })
    // Of a count and a rejection that waited together only the rejection says what became of it.
    const told = why.find((w) => w !== 'shortage') ?? why[0]
    return { ...task, state: told === undefined ? 'ready' : reasonRules[told].taskState }
  }
  if ([...interceptRequested, ...interceptWithdrawn].includes(task.taskId)) return inHands(task)
  if (unless === 'ready') return task
  return unless === 'pulled' ? inHands(task) : { ...task, state: unless }
}

function decideWith(
  context: WorkContext,
  state: State,
  rows: readonly HistoryRow[],
  events: readonly EventToDecide[],
): Stepped {
  const { order, tasks } = state
  const { decision, events: outcomes } = workOn(context, events, { order, tasks })
  const { version, trace, outcome } = rows.at(-1)!
  const changes = version > order.version
  const again = outcomes.map((e) => e.outcome)
  const then = rows.map((row) => row.outcome)
  // The last one of a decision tells the order's state.
  const told = changes ? -1 : rows.length
  if (!isDeepStrictEqual(again.slice(0, told), then.slice(0, told)))
    return { difference: { events: again, were: then } }
  if (!changes) {
    // The sweep asked, and nothing had come.
    const isInVain = decision === null || again.every((o) => o === 'restocked')
    return isInVain ? { next: state } : { difference: { decided: decision.order.state, was: 'nothing' } }
  }
  if (decision === null) return { difference: { decided: 'nothing', was: outcome } }
  const holds = decision.order.holds.map((h) => h.rule)
  const held = (trace.holds ?? []).map((h) => h.rule)
  // A SKU that was not known then, or is not now.
  if (holds.includes('unknown_sku') !== held.includes('unknown_sku')) return 'settings_changed'
  const placed = placeAsThen(context, decision, trace)
  if ('groups' in placed) return { difference: placed }
  const difference = differenceOf(
    {
      ...{ state: placed.order.state, holds, released: decision.cancelled.map((t) => t.taskId) },
      ...{ interceptRequested: decision.interceptRequested, interceptWithdrawn: decision.interceptWithdrawn },
      tasks: placed.newTasks.map((t) => t.taskId),
    },
    {
      ...{ state: outcome, holds: held, released: trace.released ?? [] },
      ...{ interceptRequested: trace.interceptRequested ?? [], interceptWithdrawn: trace.interceptWithdrawn ?? [] },
      tasks: trace.tasks ?? [],
    },
  )
  if (difference !== null) return { difference }
  return { next: { order: { ...placed.order, version }, tasks: [...decision.tasks, ...placed.newTasks] } }
}

/** Parcels that the plan had and the history has not were refused: somebody else took their goods first. */
function placeAsThen(
  { catalog }: WorkContext,
  decision: NonNullable<ReturnType<typeof workOn>['decision']>,
  { sourcing = [], tasks = [] }: HistoryTrace,
) {
  const { id, snapshot, items, taskCount } = decision.order
  const groups = snapshot === null ? [] : splitByConstraint(decision.demand, items, snapshot.lines, catalog.sku)
  const wanted = groups.map(({ demand }) => demand.map((d) => [d.sku, d.quantity]))
  const was = sourcing.map(({ sourcing: s }) => s.demand.map(([sku, quantity]) => [sku, quantity]))
  if (!isDeepStrictEqual(wanted, was)) return { groups: wanted, were: was }
  const plans = groups.map((group, i) => itemsOfPlan(group, replay(sourcing[i]!.sourcing)))
  const planned = plans.flatMap(({ parcels }) => parcels.map((p) => ({ node: p.node, units: p.items })))
  const refused = new Set(planned.filter((_, i) => !tasks.includes(`${id}-${taskCount + i + 1}`)))
  return place(
    decision,
    planned,
    plans.flatMap(({ missing }) => missing),
    refused,
  )
}

/** What the trace knew of the goods is not what the settings say now. */
function isOlderThanSettings(catalog: Catalog, { demand }: StoredTrace): boolean {
  return demand.some(([code, , grams, warehouseOnly]) => {
    const sku = catalog.sku(code)
    return sku === undefined || sku.weightGrams !== grams || sku.warehouseOnly !== (warehouseOnly === 1)
  })
}

/** A cancelled task keeps in its row what it once held. */
function endOf({ order, tasks }: State | Loaded) {
  const lines = (task: Task) => (task.state === 'cancelled' ? [] : task.lines)
  return {
    ...{ version: order.version, state: order.state, items: order.items, allocations: order.allocations },
    tasks: tasks
      .map((t) => ({ taskId: t.taskId, node: t.node, lines: lines(t) }))
      .sort((a, b) => (a.taskId < b.taskId ? -1 : 1)),
  }
}

function differenceOf<Outcome extends object>(again: Outcome, then: Outcome): Record<string, unknown> | null {
  const parts = (Object.keys(again) as (keyof Outcome)[]).filter((k) => !isDeepStrictEqual(again[k], then[k]))
  return parts.length === 0 ? null : { differs: parts }
}
