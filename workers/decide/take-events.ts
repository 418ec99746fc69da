/**
 * From events to one piece of work an order: what each event says, taken into the order as it was stored, and the
 * decision that follows. Pure but for the catalog it is given; a bug here spoils one order, not its batch.
 */

import { type EventKind, Unintelligible } from '../../adapters/channels/channel.ts'
import { channels } from '../../adapters/channels/channels.ts'
import type { Loaded } from '../../adapters/store/orders/load.ts'
import type { Divisions } from '../../router/address.ts'
import { resolveReceiver } from '../../router/address.ts'
import { check, defaultLimits, overrulableRules } from '../../router/check.ts'
import { readCommand } from '../../router/command.ts'
import { type Decision, decide } from '../../router/decide.ts'
import { overrulableDesireRules } from '../../router/desire.ts'
import { newOrder, takeRefund, takeSnapshot } from '../../router/order.ts'
import { takingEffect } from '../../router/take-back.ts'
import type { ChannelName, Command, Order, OrderSnapshot, RefundSnapshot, Snapshot, Task } from '../../router/types.ts'
import { isChannelName } from '../../router/types.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { EventToDecide } from './batch.ts'

export interface EventOutcome {
  readonly event: EventToDecide
  readonly outcome: string
  /** Why the event was taken so, for the history; never personal data. */
  readonly reason?: string
  /** Who gave a command, and why in the actor's own words. */
  readonly given?: Pick<Command, 'actor' | 'note'>
  /** When it says that it happened, where that lies too far ahead to be believed. Epoch milliseconds. */
  readonly unbelievedAt?: number
}

type TakeBack = Extract<Command, { type: 'take_back' }>

export interface Work {
  readonly before: Order
  readonly tasksBefore: readonly Task[]
  readonly events: readonly EventOutcome[]
  /** Null: nothing about the order changes. */
  readonly decision: Decision | null
  readonly checked: { readonly holds: readonly string[]; readonly passed: readonly string[] }
  /** Commands that took a task back, one a task, with what the warehouse said is wrong with the goods. */
  readonly takenBack: readonly TakeBack[]
}

export interface WorkContext {
  readonly catalog: Catalog
  readonly divisions: Divisions
}

/** `events` are all of one order, in the order of their numbers. */
export function workOn(context: WorkContext, events: readonly EventToDecide[], loaded: Loaded | undefined): Work {
  const first = events[0]!
  const before =
    loaded?.order ??
    newOrder({ channel: first.channel as ChannelName, shop: first.shop, orderId: first.orderId }, first.seq)
  const tasksBefore = loaded?.tasks ?? []
  const outcomes: EventOutcome[] = []
  const commands: TakeBack[] = []
  let order = before
  let moves = false
  for (const event of events) {
    const { takeBack, moves: movesIt, order: after, ...outcome } = takeEvent(context, order, event)
    order = after
    if (takeBack !== undefined) commands.push(takeBack)
    moves ||= movesIt
    outcomes.push({ event, ...outcome })
  }
  if (!moves) return { before, tasksBefore, events: outcomes, decision: null, checked: nothingChecked, takenBack: [] }
  const takenBack = takingEffect(tasksBefore, commands)
  const checked = checkOrder(context, order)
  const decision = decide({
    order,
    before,
    tasks: tasksBefore,
    takenBack,
    catalog: context.catalog.sku,
    checkHolds: checked.holds,
    refusals: checked.refusals,
  })
  return {
    before,
    tasksBefore,
    events: outcomes,
    decision: excludeNodes(decision, takenBack, tasksBefore),
    checked: { holds: checked.holds.map((h) => h.rule), passed: checked.passed },
    takenBack,
  }
}

const nothingChecked = { holds: [], passed: [] }

function checkOrder({ catalog }: WorkContext, order: Order) {
  if (order.snapshot === null) return { holds: [], refusals: [], passed: [] }
  return check({
    snapshot: order.snapshot,
    catalog: catalog.sku,
    overruled: order.overruled,
    limits: defaultLimits,
  })
}

/** A node that says it is closed or overloaded is not asked again for this order. */
function excludeNodes(decision: Decision, takenBack: readonly TakeBack[], tasks: readonly Task[]): Decision {
  const nodes = takenBack
    .filter((c) => c.why === 'closed' || c.why === 'overloaded')
    .map((c) => tasks.find((t) => t.taskId === c.taskId)?.node)
    .filter((n) => n !== undefined)
  if (nodes.length === 0) return decision
  const excludedNodes = [...new Set([...decision.order.excludedNodes, ...nodes])].sort()
  return { ...decision, order: { ...decision.order, excludedNodes } }
}

interface Taken extends Omit<EventOutcome, 'event'> {
  readonly order: Order
  /** Whether the order has to be decided anew. */
  readonly moves: boolean
  readonly takeBack?: TakeBack
}

function takeEvent(context: WorkContext, order: Order, event: EventToDecide): Taken {
  if (event.kind === 'command')
    return takeCommand(context, order, readCommand(JSON.parse(Buffer.from(event.body).toString('utf8'))))
  const snapshot = readSnapshot(context, event)
  if ('unintelligible' in snapshot)
    return { order, outcome: 'unintelligible', moves: false, reason: snapshot.unintelligible }
  if (snapshot.type === 'notification')
    return { order, outcome: 'unintelligible', moves: false, reason: 'a notification holds no order' }
  const told = believable(snapshot, event.storedAtMs)
  const taken = told.type === 'order' ? takeSnapshot(order, told) : takeRefund(order, told)
  return {
    order: taken.order,
    outcome: taken.outcome,
    moves: taken.outcome === 'taken',
    ...(told === snapshot ? {} : { unbelievedAt: snapshot.modifiedAt }),
  }
}

const aheadMsMax = 24 * 3_600_000

/** Nothing happened later than it came. A time far ahead would outdate everything that the platform still has to tell. */
function believable<T extends OrderSnapshot | RefundSnapshot>(told: T, storedAtMs: number): T {
  return told.modifiedAt > storedAtMs + aheadMsMax ? { ...told, modifiedAt: storedAtMs } : told
}

function readSnapshot(
  { catalog, divisions }: WorkContext,
  event: EventToDecide,
): Snapshot | { readonly unintelligible: string } {
  if (event.kind === 'unintelligible') return { unintelligible: 'the body is not what the platform documents' }
  if (!isChannelName(event.channel)) return { unintelligible: 'unknown channel' }
  const skuMap = catalog.shop(event.channel, event.shop)?.skuMap ?? {}
  try {
    const snapshot = channels[event.channel].normalise(event.kind as EventKind, event.body, {
      shop: event.shop,
      skuMap,
    })
    if (snapshot.orderId !== event.orderId) return { unintelligible: 'the order id is not the one it was stored under' }
    if (snapshot.type !== 'order') return snapshot
    const fetchNumber = channels[event.channel].fetchNumberOf?.(event.eventId) ?? 0
    return { ...snapshot, fetchNumber, receiver: resolveReceiver(divisions, snapshot.receiver) }
  } catch (error) {
    if (error instanceof Unintelligible) return { unintelligible: error.message }
    throw error
  }
}

const mayBeOverruled = new Set([...overrulableRules, ...overrulableDesireRules])

function takeCommand(context: WorkContext, order: Order, command: Command): Taken {
  const { actor, note } = command
  return { ...takeOrdered(context, order, command), given: { actor, note } }
}

function takeOrdered({ catalog }: WorkContext, order: Order, command: Command): Taken {
  switch (command.type) {
    case 'approve': {
      if (order.holds.length === 0) return { order, outcome: 'nothing_to_approve', moves: false }
      // What a person lets go is what was found wrong now, not whatever may be found later. What nobody may let go is
      // looked at again: the SKU may be known by now.
      const found = order.holds.map((h) => h.rule).filter((rule) => mayBeOverruled.has(rule))
      const overruled = [...new Set([...order.overruled, ...found])].sort()
      return { order: { ...order, overruled, snapshot: mapAgain(catalog, order) }, outcome: 'approved', moves: true }
    }
    case 'cancel':
      if (order.cancelledBy !== null) return { order, outcome: 'unchanged', moves: false }
      return { order: { ...order, cancelledBy: 'operator' }, outcome: 'cancelled', moves: true }
    case 'take_back':
      return { order, outcome: 'taken_back', moves: true, reason: command.why, takeBack: command }
    case 'restock':
      return { order, outcome: 'restocked', moves: order.allocations.some((a) => a.place === 'backordered') }
  }
}

/** The shop's skuMap may have learned codes since the order came. */
function mapAgain(catalog: Catalog, order: Order): OrderSnapshot | null {
  const { snapshot } = order
  if (snapshot === null) return null
  const skuMap = new Map(Object.entries(catalog.shop(order.channel, order.shop)?.skuMap ?? {}))
  const lines = snapshot.lines.map((line) => {
    if (catalog.sku(line.sku) !== undefined) return line
    return { ...line, sku: skuMap.get(line.sku) ?? skuMap.get(line.platformSku) ?? line.sku }
  })
  return { ...snapshot, lines }
}
