/**
 * Where the brain is entered: the events of one order, in the sequence in which they were stored, and what follows from
 * them. For each event it decides whether its time can be believed and takes it into the order; then it checks the
 * order and decides. A thread, a replay, a simulation and a test all call this.
 */

import type { Catalog } from './bundle.ts'
import { type CheckResult, check } from './check.ts'
import { believable } from './clock-rule.ts'
import { type Command, type TakeBack, takeCommand } from './commands.ts'
import { type Decision, decide, keepsItems } from './decide.ts'
import { linesChanged } from './lines-on-their-way.ts'
import { takeRefund, takeSnapshot } from './order.ts'
import type { Policy } from './policy.ts'
import { reasonRules } from './reasons.ts'
import { takingEffect } from './take-back.ts'
import type { Task } from './task.ts'
import type { Order, OrderSnapshot, RefundSnapshot } from './types.ts'

export type Told =
  | OrderSnapshot
  | RefundSnapshot
  | { readonly type: 'command'; readonly command: Command }
  /** Nothing can be taken from it: why, for the history. */
  | { readonly type: 'unintelligible'; readonly reason: string }

export interface ToldEvent {
  readonly told: Told
  /** When the event was stored, epoch milliseconds. */
  readonly storedAtMs: number
}

export interface DecisionInput {
  /** As it was stored. */
  readonly before: Order
  readonly tasks: readonly Task[]
  readonly events: readonly ToldEvent[]
  readonly catalog: Catalog
  readonly skuMap: Readonly<Record<string, string>>
  readonly policy: Policy
}

/** What became of one event. */
export interface Taken {
  readonly outcome: string
  /** Why, for the history; never personal data. */
  readonly reason?: string
  /** Who gave a command, and why in the actor's own words. */
  readonly given?: Pick<Command, 'actor' | 'note'>
  /** When it says that it happened, where that lies too far ahead to be believed. Epoch milliseconds. */
  readonly unbelievedAt?: number
}

export interface OrderDecision {
  /** One an event, in their sequence. */
  readonly events: readonly Taken[]
  /** null: nothing about the order changes. */
  readonly decision: Decision | null
  readonly checked: { readonly holds: readonly string[]; readonly passed: readonly string[] }
  /** Commands that took a task back, one a task. */
  readonly takenBack: readonly TakeBack[]
  /** Nodes where the order is not sourced in this decision. */
  readonly avoidedNodes: readonly string[]
}

const nothingChecked = { holds: [], passed: [] }

export function decideOrder(input: DecisionInput): OrderDecision {
  const { before, tasks, events, catalog } = input
  const outcomes: Taken[] = []
  const commands: TakeBack[] = []
  let order = before
  let moves = false
  for (const event of events) {
    const { order: after, moves: movesIt, takeBack, taken } = take(input, order, event)
    order = after
    moves ||= movesIt
    if (takeBack !== undefined) commands.push(takeBack)
    outcomes.push(taken)
  }
  if (!moves) return { events: outcomes, decision: null, checked: nothingChecked, takenBack: [], avoidedNodes: [] }
  const takenBack = takingEffect(tasks, commands)
  const decideOn = ({ holds, refusals }: CheckResult) =>
    decide({ order, before, tasks, takenBack, catalog, checkHolds: holds, refusals })
  const isKept = keepsItems(order)
  let checked = checkOrder(input, order, isKept)
  let decision = decideOn(checked)
  if (isKept && !keepsItems(decision.order)) {
    // All its tasks came back, so its items were made anew: what they come to was not looked at.
    checked = checkOrder(input, order, false)
    decision = decideOn(checked)
  }
  const { holds, passed } = checked
  return {
    events: outcomes,
    decision: excludeNodes(decision, nodesOf(takenBack, tasks, 'excluded')),
    checked: { holds: holds.map((h) => h.rule), passed },
    takenBack,
    avoidedNodes: nodesOf(takenBack, tasks, 'avoided'),
  }
}

function checkOrder({ catalog, policy, before }: DecisionInput, order: Order, isKept: boolean): CheckResult {
  const { snapshot, overruled } = order
  if (snapshot === null) return { holds: [], refusals: [], passed: [] }
  const keepsItems = isKept && (before.snapshot === null || !linesChanged(before.snapshot, snapshot))
  return check({ snapshot, catalog, overruled, limits: policy.check, keepsItems })
}

interface TakenIn {
  readonly order: Order
  /** Whether the order has to be decided anew. */
  readonly moves: boolean
  readonly takeBack?: TakeBack | undefined
  readonly taken: Taken
}

function take({ catalog, skuMap, policy }: DecisionInput, order: Order, { told, storedAtMs }: ToldEvent): TakenIn {
  switch (told.type) {
    case 'unintelligible':
      return { order, moves: false, taken: { outcome: 'unintelligible', reason: told.reason } }
    case 'command': {
      const { actor, note } = told.command
      const { order: after, moves, takeBack, ...taken } = takeCommand(order, told.command, { sku: catalog, skuMap })
      return { order: after, moves, takeBack, taken: { ...taken, given: { actor, note } } }
    }
    case 'order':
    case 'refund': {
      const believed = believable(told, storedAtMs, policy.clock)
      const after = believed.type === 'order' ? takeSnapshot(order, believed) : takeRefund(order, believed)
      const unbelieved = believed === told ? {} : { unbelievedAt: told.modifiedAt }
      return {
        order: after.order,
        moves: after.outcome === 'taken',
        taken: { outcome: after.outcome, ...unbelieved },
      }
    }
  }
}

/** Nodes of tasks that came back for a reason which says so of the node. */
function nodesOf(takenBack: readonly TakeBack[], tasks: readonly Task[], says: 'excluded' | 'avoided'): string[] {
  return takenBack
    .filter((c) => reasonRules[c.why].node === says)
    .flatMap((c) => tasks.filter((t) => t.taskId === c.taskId).map((t) => t.node))
}

function excludeNodes(decision: Decision, nodes: readonly string[]): Decision {
  if (nodes.length === 0) return decision
  const excludedNodes = [...new Set([...decision.order.excludedNodes, ...nodes])].sort()
  return { ...decision, order: { ...decision.order, excludedNodes } }
}
