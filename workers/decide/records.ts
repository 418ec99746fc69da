/** What a decided and placed piece of work writes: the order's next version, its tasks, its releases, and why. */

import { isDeepStrictEqual } from 'node:util'
import { refOf } from '../../adapters/store/exception-refs.ts'
import type { DecisionWrite } from '../../adapters/store/orders/commit.ts'
import { describePassed } from '../../router/check.ts'
import type { TakeBack } from '../../router/commands.ts'
import { correctionsOf } from '../../router/reasons.ts'
import type { Release } from '../../router/stock.ts'
import type { Task } from '../../router/task.ts'
import type { Order, SkuQuantity } from '../../router/types.ts'
import type { Placed } from './source-and-reserve.ts'
import type { EventOutcome, Work } from './take-events.ts'

export function writeOf(work: Work, placed: Placed | null, epoch: number): DecisionWrite {
  const seqs = work.events.map((e) => e.event.seq)
  const { decision, before, tasksBefore } = work
  const ofEvents = [
    ...work.events.filter((e) => e.outcome === 'unintelligible').map(problemOfEvent),
    ...work.events.filter((e) => e.unbelievedAt !== undefined).map((e) => problemOfTime(before, e)),
  ]
  if (decision === null || placed === null || isRestockInVain(work, placed)) {
    // An order that is not known yet gets no row for an event that says nothing about it.
    const records =
      before.version === 0
        ? []
        : work.events.map((e) => ({ seq: e.event.seq, outcome: e.outcome, trace: traceOfEvent(e) }))
    return {
      seqs,
      before,
      order: before,
      tasksBefore,
      tasks: tasksBefore,
      newTasks: [],
      releases: [],
      records,
      problems: ofEvents,
      shipBy: null,
    }
  }
  const order: Order = { ...placed.order, version: before.version + 1 }
  const releases = decision.cancelled.map((task) => releaseOf(task, work.takenBack))
  const last = work.events.at(-1)!
  const records = work.events.map((e) => ({
    seq: e.event.seq,
    outcome: e === last ? order.state : e.outcome,
    trace: e === last ? { ...traceOfEvent(e), ...traceOfDecision(work, placed, epoch, releases) } : traceOfEvent(e),
  }))
  return {
    seqs,
    before,
    order,
    tasksBefore,
    tasks: decision.tasks,
    newTasks: placed.newTasks,
    releases,
    records,
    problems: ofEvents,
    shipBy: order.snapshot?.shipBy ?? null,
  }
}

/**
 * Nothing of the order has changed, and only our own sweep asked: that it looked is one short row, not another
 * version of the order with all its figures. Thousands may wait for goods that do not come.
 */
function isRestockInVain({ events, decision, before, tasksBefore }: Work, { order, newTasks }: Placed): boolean {
  if (newTasks.length > 0 || !events.every((e) => e.outcome === 'restocked')) return false
  if (decision!.cancelled.length > 0 || decision!.tasks.some((task, i) => task !== tasksBefore[i])) return false
  // What comes from the database has its keys in another order.
  const said = ({ state, items, allocations, holds }: Order) => [state, items, allocations, holds]
  return isDeepStrictEqual(said(order), said(before))
}

function traceOfEvent({ event, outcome, reason, given }: EventOutcome) {
  return {
    event: event.eventId,
    kind: event.kind,
    taken: outcome,
    ...(reason === undefined ? {} : { reason }),
    ...(given === undefined ? {} : { actor: given.actor }),
    ...(given === undefined || given.note === '' ? {} : { note: given.note }),
  }
}

function traceOfDecision(work: Work, placed: Placed, epoch: number, releases: readonly Release[]) {
  const { decision, checked } = work
  return {
    ...(decision!.order.holds.length > 0 ? { holds: decision!.order.holds } : {}),
    passed: describePassed(checked.passed),
    ...(releases.length > 0 ? { released: releases.map((r) => r.taskId) } : {}),
    ...(decision!.interceptRequested.length > 0 ? { interceptRequested: decision!.interceptRequested } : {}),
    ...(decision!.interceptWithdrawn.length > 0 ? { interceptWithdrawn: decision!.interceptWithdrawn } : {}),
    ...(placed.sourcing.length > 0
      ? { sourcing: placed.sourcing, epoch, rounds: placed.rounds, tasks: placed.newTasks.map((t) => t.task.taskId) }
      : {}),
  }
}

function problemOfEvent({ event, reason }: EventOutcome) {
  return {
    kind: 'unintelligible_event',
    ref: refOf(event.channel, event.shop, event.eventId),
    detail: {
      channel: event.channel,
      shop: event.shop,
      orderId: event.orderId,
      eventId: event.eventId,
      why: reason ?? '',
    },
  }
}

/** The event counts, as if it had happened when it came. Who sends such times has a clock that wants a person. */
function problemOfTime(order: Order, { event, unbelievedAt }: EventOutcome) {
  const detail = { ...keyOfOrder(order), eventId: event.eventId, modifiedAt: unbelievedAt }
  return { kind: 'event_from_the_future', ref: order.id, detail }
}

function keyOfOrder({ channel, shop, orderId }: Order) {
  return { channel, shop, orderId }
}

function releaseOf(task: Task, takenBack: readonly TakeBack[]): Release {
  const lines: SkuQuantity[] = []
  for (const { sku, quantity, shipped } of task.lines) {
    if (quantity > shipped) lines.push({ sku, quantity: quantity - shipped })
  }
  const command = takenBack.find((c) => c.taskId === task.taskId)
  return {
    taskId: task.taskId,
    node: task.node,
    lines,
    corrections: command === undefined ? [] : correctionsOf(command.why, command.lines, lines),
  }
}
