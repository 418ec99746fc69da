/**
 * One step of an order's history again: a shipment, a match, a decision, or a look that changed nothing, and in what it
 * differs from what the history says of it.
 *
 * A history does not keep when a warehouse pulled a task. What a task's state was before a decision follows from its
 * fence, from the command that took it back, and from what the decision's trace says it did with the task. Which stock
 * was there is the trace's word: plans are computed again from that.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Loaded } from '../../../adapters/store/orders/load.ts'
import type { Decision } from '../../../router/decide.ts'
import { itemsOfPlan } from '../../../router/items-of-plan.ts'
import { stateOf } from '../../../router/order.ts'
import { bookOutside } from '../../../router/outside.ts'
import { unshipped } from '../../../router/parcels.ts'
import { type PlannedTask, place } from '../../../router/place.ts'
import { reasonRules } from '../../../router/reasons.ts'
import { replay, type StoredTrace } from '../../../router/source/trace.ts'
import { type Group, splitByConstraint } from '../../../router/split.ts'
import type { Task } from '../../../router/task.ts'
import { addUp } from '../../../router/told-lines.ts'
import type { Order } from '../../../router/types.ts'
import type { EventToDecide } from '../../decide/batch.ts'
import { type EventOutcome, type WorkContext, workOn } from '../../decide/take-events.ts'
import { type Entry, type EntryTrace, type GivenBack, type History, type Step, takeBacksOf } from './history.ts'

/** In the last round an order keeps the parcels that it got; in each before, all or none. */
const lastRound = 8

/** The order on its way; undefined before its first event. */
export type State = Loaded | undefined

export interface Done {
  readonly state: State
  readonly differs: readonly string[]
}

export function stepAgain(
  context: WorkContext,
  history: History,
  step: Step,
  state: State,
  givenBackOf: (taskId: string) => GivenBack | null,
): Done {
  const [{ outcome, trace }] = step.entries as readonly [Entry]
  switch (step.kind) {
    case 'shipped':
      return shippedAgain(state, outcome, trace)
    case 'voided':
      return voidedAgain(state, trace)
    case 'outside':
      return outsideAgain(state, trace)
    case 'corrected':
      return { state: withOrder(state!, {}), differs: [] }
    case 'matched':
      return { state: withOrder(state!, { state: outcome === 'closed' ? 'closed' : 'shipped' }), differs: [] }
    case 'mended':
      return mendedAgain(state!, outcome)
    case 'looked':
      return lookedAgain(context, history, step.entries, state)
    case 'decided': {
      // A task that comes back in this step or later may have been given back by then, or not yet.
      const taking = (isBackYet: boolean) => {
        const before = state === undefined ? undefined : asItWas(history, step.entries, state, isBackYet, givenBackOf)
        return decidedAgain(context, history, step.entries, before)
      }
      const first = taking(false)
      if (first.differs.length === 0 || state === undefined) return first
      const second = taking(true)
      return second.differs.length === 0 ? second : first
    }
  }
}

function shippedAgain(state: State, outcome: string, { taskId, packages = [] }: EntryTrace): Done {
  const task = state?.tasks.find((t) => t.taskId === taskId)
  if (state === undefined || task === undefined) return { state, differs: ['shipped task'] }
  const leaving = packages.flatMap((p) => p.lines)
  const lines = task.lines.map((line) => {
    const units = leaving.filter((l) => l.sku === line.sku).reduce((sum, l) => sum + l.quantity, 0)
    return { ...line, shipped: line.shipped + units }
  })
  const isWhole = lines.every((l) => l.shipped === l.quantity)
  const after: Task = { ...task, state: isWhole ? 'shipped' : 'accepted', lines }
  const tasks = state.tasks.map((t) => (t === task ? after : t))
  const differs = outcome === (isWhole ? 'shipped' : 'partly_shipped') ? [] : ['outcome']
  return { state: withOrder({ ...state, tasks }, { state: stateOf(state.order, tasks) }), differs }
}

function voidedAgain(state: State, { voided = [] }: EntryTrace): Done {
  if (state === undefined) return { state, differs: ['voided parcel'] }
  const tasks = state.tasks.map((task) => {
    const packages = voided.filter(({ taskId }) => taskId === task.taskId).flatMap((v) => v.packages)
    return packages.length === 0 ? task : unshipped(task, addUp(packages.flatMap((p) => p.lines)))
  })
  return { state: withOrder({ ...state, tasks }, { state: stateOf(state.order, tasks) }), differs: [] }
}

function outsideAgain(state: State, { node = '', packages = [], released = [] }: EntryTrace): Done {
  if (state === undefined) return { state, differs: ['shipped outside'] }
  // What was not called back was a warehouse's by then.
  const tasks = state.tasks.map((task) => {
    return task.state === 'ready' && !released.includes(task.taskId) ? { ...task, state: 'accepted' as const } : task
  })
  const done = bookOutside(state.order, { tasks, packages: [] }, { ...packages[0]!, node })
  if (done.outcome !== 'booked') return { state, differs: ['shipped outside'] }
  return { state: withOrder({ order: done.order, tasks: done.tasks }, {}), differs: [] }
}

function withOrder({ order, tasks }: Loaded, change: Partial<Order>): Loaded {
  return { order: { ...order, ...change, version: order.version + 1 }, tasks }
}

/** What it was before is no decision's: something changed the stored order, and the audit put right what follows from its units. */
function mendedAgain(state: Loaded, outcome: string): Done {
  const computed = stateOf(state.order, state.tasks)
  return { state: withOrder(state, { state: computed }), differs: computed === outcome ? [] : ['state'] }
}

/** Events that change nothing; and the sweep's question after stock that did not come, which depends on the stock. */
function lookedAgain(context: WorkContext, history: History, entries: readonly Entry[], state: State): Done {
  const work = workOn(context, eventsOf(history, entries), state)
  const isRestock = work.events.every((e) => e.outcome === 'restocked')
  const differs = differentEvents(work.events, entries)
  return { state, differs: work.decision === null || isRestock ? differs : [...differs, 'changes the order'] }
}

function eventsOf({ events }: History, entries: readonly Entry[]): EventToDecide[] {
  return entries.map(({ seq }) => events.get(seq)!)
}

/** The tasks as they must have been before a decision, as far as its events and its trace tell. */
function asItWas(
  { loaded, events }: History,
  entries: readonly Entry[],
  { order, tasks }: Loaded,
  isBackYet: boolean,
  givenBackOf: (taskId: string) => GivenBack | null,
): Loaded {
  const { released = [] } = entries.at(-1)!.trace
  const takenBack = takeBacksOf(entries, events)
  const stateThen = (task: Task): Task['state'] => {
    if (task.state === 'shipped' || task.state === 'cancelled') return task.state
    // It was never pulled.
    if (loaded.tasks.find((t) => t.taskId === task.taskId)?.fence === 0) return 'ready'
    if (released.includes(task.taskId)) {
      const states = takenBack.filter((c) => c.taskId === task.taskId).map((c) => reasonRules[c.why].taskState)
      return states.find((s) => s !== 'ready') ?? 'ready'
    }
    const givenBack = isBackYet ? givenBackOf(task.taskId) : null
    return givenBack === null ? 'accepted' : reasonRules[givenBack.why].taskState
  }
  return { order, tasks: tasks.map((task) => ({ ...task, state: stateThen(task) })) }
}

function decidedAgain(context: WorkContext, history: History, entries: readonly Entry[], before: State): Done {
  const { outcome, trace } = entries.at(-1)!
  const work = workOn(context, eventsOf(history, entries), before)
  const differs = differentEvents(work.events, entries)
  const { decision } = work
  if (decision === null) return { state: before, differs: [...differs, 'decision'] }
  const placed = placedAgain(context, decision, trace)
  if (placed === null) return { state: decision, differs: [...differs, 'demand'] }
  const { order, newTasks } = placed
  const now = {
    state: order.state,
    holds: order.holds.map((h) => h.rule),
    released: sorted(decision.cancelled.map((t) => t.taskId)),
    interceptRequested: sorted(decision.interceptRequested),
    interceptWithdrawn: sorted(decision.interceptWithdrawn),
    tasks: newTasks.map((t) => t.taskId),
  }
  const then = {
    state: outcome,
    holds: (trace.holds ?? []).map((h) => h.rule),
    released: sorted(trace.released ?? []),
    interceptRequested: sorted(trace.interceptRequested ?? []),
    interceptWithdrawn: sorted(trace.interceptWithdrawn ?? []),
    tasks: trace.tasks ?? [],
  }
  const version = (before?.order.version ?? 0) + 1
  return {
    state: { order: { ...order, version }, tasks: [...decision.tasks, ...newTasks] },
    differs: [...differs, ...partsThatDiffer(now, then)],
  }
}

/** null: what had to be sourced is not what the trace says. */
function placedAgain({ catalog }: WorkContext, decision: Decision, { sourcing = [], rounds, tasks }: EntryTrace) {
  const { id, snapshot, items, taskCount } = decision.order
  const groups = snapshot === null ? [] : splitByConstraint(decision.demand, items, snapshot.lines, catalog.sku)
  if (groups.length !== sourcing.length || !groups.every((group, i) => wants(group, sourcing[i]!.sourcing))) return null
  const plans = groups.map((group, i) => itemsOfPlan(group, replay(sourcing[i]!.sourcing)))
  const planned: PlannedTask[] = plans.flatMap(({ parcels }) => parcels.map((p) => ({ node: p.node, units: p.items })))
  const isKept = (_: PlannedTask, i: number) => tasks === undefined || tasks.includes(`${id}-${taskCount + i + 1}`)
  const refused = rounds === lastRound ? planned.filter((plan, i) => !isKept(plan, i)) : []
  return place(
    decision,
    planned,
    plans.flatMap(({ missing }) => missing),
    new Set(refused),
  )
}

function wants({ demand }: Group, trace: StoredTrace): boolean {
  const units = demand.map(({ sku, quantity }) => [sku, quantity])
  const known = trace.demand.map(([sku, quantity]) => [sku, quantity])
  return isDeepStrictEqual(units, known)
}

/** Up to version 0.1.0 an approval was called a release. */
const formerWords: Readonly<Record<string, string>> = { released: 'approved', nothing_to_release: 'nothing_to_approve' }

function differentEvents(events: readonly EventOutcome[], entries: readonly Entry[]): string[] {
  return entries.flatMap(({ seq, trace }, i) => {
    const { outcome } = events[i]!
    const taken = trace.taken === undefined ? outcome : (formerWords[trace.taken] ?? trace.taken)
    // Up to version 0.1.0 an approval that overruled nothing was called one all the same.
    const isSame = taken === outcome || (taken === 'approved' && outcome === 'nothing_to_approve')
    return isSame ? [] : [`event ${seq}`]
  })
}

function sorted(ids: readonly string[]): string[] {
  return [...ids].sort()
}

/** The names of those parts that are not the same. */
export function partsThatDiffer<Parts extends object>(now: Parts, then: Parts): string[] {
  return Object.keys(now).filter((name) => !isDeepStrictEqual(now[name as keyof Parts], then[name as keyof Parts]))
}
