/**
 * The decision on one order: from what is desired and where its units are to what has to move.
 *
 * Units that should not ship are called back: an unpulled task is cancelled at once, a pulled one is flagged for
 * intercept and keeps its units until its owner answers. A task is called back whole, never in part: one unwanted line
 * calls back all of it, and what the order still wants of it is sourced again. Free units then go where they belong:
 * held, cancelled, or to sourcing.
 *
 * The order keeps its holds (./check.ts, ./desire.ts) only while units of it are held: see `isAnythingHeld`.
 */
import { explode } from './bundle.ts'
import { type Desire, type Desires, desiresOf } from './desire.ts'
import { shareByLargestRemainder } from './money.ts'
import { stateOf } from './order.ts'
import { type TakenBack, takingEffect } from './take-back.ts'
import { flagged, isOwned, type Task, takenBack } from './task.ts'
import { dateOf } from './task-date.ts'
import type { Allocation, Hold, Item, Order, OrderSnapshot, Sku, SnapshotLine } from './types.ts'

/** Some units of an item that have to be sourced. */
export interface Demand {
  readonly item: number
  readonly quantity: number
}

export interface Decision {
  readonly order: Order
  /** All tasks as they are after this decision. */
  readonly tasks: readonly Task[]
  /** Tasks whose units are free from now on: their reservations are released. */
  readonly cancelled: readonly Task[]
  readonly interceptRequested: readonly string[]
  readonly interceptWithdrawn: readonly string[]
  /** Not yet placed: what sourcing has to find a node for. */
  readonly demand: readonly Demand[]
  readonly problems: readonly Problem[]
}

/** Wants a person: becomes an exception of this kind on the order. */
export interface Problem {
  readonly kind: 'lines_changed_after_pull' | 'address_changed_after_pull'
}

export interface DecideInput {
  readonly order: Order
  readonly before: Order
  readonly tasks: readonly Task[]
  readonly takenBack: readonly TakenBack[]
  readonly catalog: (sku: string) => Sku | undefined
  readonly checkHolds: readonly Hold[]
  readonly refusals: readonly Hold[]
}

export function decide(input: DecideInput): Decision {
  const problems: Problem[] = []
  const taken = keepLinesThatAreOnTheirWay(input, problems)
  const desires = desiresOf(taken, input.tasks, input.checkHolds, input.refusals)
  const recalled = recall(input, taken, desires, problems)
  const order = renewItems(freeUnitsOf(taken, recalled.cancelled, desires), input.catalog)
  const { allocations, demand } = settleFreeUnits(order, desires)
  const holds = isAnythingHeld(order, allocations, recalled.tasks, desires) ? desires.holds : []
  const decided = { ...order, allocations, holds }
  return { ...recalled, order: { ...decided, state: stateOf(decided, recalled.tasks) }, demand, problems }
}

/** A pulled task that is flagged for intercept counts as held too: an approval takes the flag back. */
function isAnythingHeld(
  order: Order,
  allocations: readonly Allocation[],
  tasks: readonly Task[],
  desires: Desires,
): boolean {
  return allocations.some((a) => {
    if (a.place === 'held') return true
    if (a.taskId === null || desires.lines[order.items[a.item]!.line] !== 'hold') return false
    return tasks.some((t) => t.taskId === a.taskId && t.interceptRequested)
  })
}

/**
 * Lines that change while a task of theirs is out of our hands are a person's matter: the order keeps the lines that
 * its tasks were made of, with the money that they add up to, and learns only their refunds.
 */
function keepLinesThatAreOnTheirWay(input: DecideInput, problems: Problem[]): Order {
  const { order, before, tasks } = input
  if (order.snapshot === null || before.snapshot === null || !linesChanged(before.snapshot, order.snapshot))
    return order
  if (!tasks.some((t) => t.state !== 'ready' && t.state !== 'cancelled')) return order
  problems.push({ kind: 'lines_changed_after_pull' })
  const told = new Map(order.snapshot.lines.map((l) => [l.lineId, l.refund]))
  const lines = before.snapshot.lines.map((l) => ({ ...l, refund: told.get(l.lineId) ?? l.refund }))
  const { paidFen, freightFen } = before.snapshot
  return { ...order, snapshot: { ...order.snapshot, lines, paidFen, freightFen } }
}

function linesChanged(before: OrderSnapshot, after: OrderSnapshot): boolean {
  return (
    before.lines.length !== after.lines.length ||
    before.lines.some((line, i) => {
      const now = after.lines[i]!
      return line.lineId !== now.lineId || line.sku !== now.sku || line.quantity !== now.quantity
    })
  )
}

interface Recalled {
  readonly tasks: readonly Task[]
  readonly cancelled: readonly Task[]
  readonly interceptRequested: readonly string[]
  readonly interceptWithdrawn: readonly string[]
}

function recall(input: DecideInput, order: Order, desires: Desires, problems: Problem[]): Recalled {
  if (input.tasks.length === 0) return { tasks: [], cancelled: [], interceptRequested: [], interceptWithdrawn: [] }
  const cancelled: Task[] = []
  const interceptRequested: string[] = []
  const interceptWithdrawn: string[] = []
  const effective = takingEffect(input.tasks, input.takenBack)
  const old = input.before.snapshot
  const moved = old !== null && order.snapshot !== null && old.receiver.adcode !== order.snapshot.receiver.adcode
  const changed = old !== null && order.snapshot !== null && linesChanged(old, order.snapshot)
  const tasks = input.tasks.map((task) => {
    const isBack = effective.some((t) => t.taskId === task.taskId)
    const unwanted = isUnwanted(order, task, desires)
    if (isBack || (task.state === 'ready' && (unwanted || moved || changed))) {
      cancelled.push(task)
      return takenBack(task)
    }
    const after = flagged(withDate(order, task), unwanted)
    if (after.interceptRequested !== task.interceptRequested)
      (unwanted ? interceptRequested : interceptWithdrawn).push(task.taskId)
    return after
  })
  if (tasks.some(isOwned) && receiverChanged(old, order.snapshot)) problems.push({ kind: 'address_changed_after_pull' })
  return { tasks, cancelled, interceptRequested, interceptWithdrawn }
}

/** An unpulled task follows the dates of its lines, and waits for the last of them. */
function withDate(order: Order, task: Task): Task {
  if (task.state !== 'ready') return task
  const own = order.allocations.filter((a) => a.taskId === task.taskId)
  const notBefore = dateOf(
    order,
    own.map((a) => a.item),
  )
  return notBefore === task.notBefore ? task : { ...task, notBefore }
}

function isUnwanted(order: Order, task: Task, desires: Desires): boolean {
  return order.allocations.some((a) => a.taskId === task.taskId && desires.lines[order.items[a.item]!.line] !== 'ship')
}

function receiverChanged(before: OrderSnapshot | null, after: OrderSnapshot | null): boolean {
  return before !== null && after !== null && JSON.stringify(before.receiver) !== JSON.stringify(after.receiver)
}

export function keepsItems({ allocations }: Order): boolean {
  return allocations.some((a) => a.place === 'task' || a.place === 'returned')
}

/**
 * Items follow the snapshot's lines and the catalog for as long as nothing is in a task; then only their money does.
 */
function renewItems(order: Order, catalog: (sku: string) => Sku | undefined): Order {
  const { snapshot, items } = order
  if (snapshot === null) return order
  if (!keepsItems(order)) {
    return { ...order, items: explode(snapshot.lines, catalog), allocations: [] }
  }
  const sumsFen = snapshot.lines.map(() => 0)
  for (const item of items) sumsFen[item.line]! += item.paidFen
  if (snapshot.lines.every((line, i) => line.paidFen === sumsFen[i])) return order
  return { ...order, items: reprice(items, snapshot.lines) }
}

function reprice(items: readonly Item[], lines: readonly SnapshotLine[]): Item[] {
  return lines.flatMap((line, i) => {
    const own = items.filter((item) => item.line === i)
    const sharesFen = shareByLargestRemainder(
      line.paidFen,
      own.map((item) => item.quantity),
    )
    return own.map((item, j) => ({ ...item, paidFen: sharesFen[j]! }))
  })
}

const wantedFirst: readonly Desire[] = ['ship', 'hold', 'cancel']

/**
 * Takes the units of cancelled tasks out of them, but for those that were shipped. Of two lines of one SKU the shipped
 * unit is the one that is still wanted: the other way round its buyer would be sent another.
 */
function freeUnitsOf(order: Order, cancelled: readonly Task[], desires: Desires): Order {
  if (cancelled.length === 0) return order
  const shipped = new Map<string, number>()
  for (const { taskId, lines } of cancelled) {
    for (const line of lines) shipped.set(`${taskId}/${line.sku}`, line.shipped)
  }
  const desireOf = ({ item }: Allocation) => desires.lines[order.items[item]!.line] ?? 'cancel'
  const stays = new Map<Allocation, number>()
  for (const desire of wantedFirst) {
    for (const allocation of order.allocations) {
      const of = `${allocation.taskId}/${order.items[allocation.item]!.sku}`
      const left = shipped.get(of)
      if (left === undefined || desireOf(allocation) !== desire) continue
      const quantity = Math.min(allocation.quantity, left)
      shipped.set(of, left - quantity)
      stays.set(allocation, quantity)
    }
  }
  const allocations: Allocation[] = []
  for (const allocation of order.allocations) {
    const quantity = stays.get(allocation) ?? allocation.quantity
    if (quantity > 0) allocations.push(quantity === allocation.quantity ? allocation : { ...allocation, quantity })
  }
  return { ...order, allocations }
}

function settleFreeUnits(
  order: Order,
  desires: Desires,
): { allocations: readonly Allocation[]; demand: readonly Demand[] } {
  const kept = order.allocations.filter((a) => a.place === 'task' || a.place === 'returned')
  const placed = order.items.map(() => 0)
  for (const allocation of kept) placed[allocation.item]! += allocation.quantity
  const allocations = [...kept]
  const demand: Demand[] = []
  order.items.forEach((item, i) => {
    const free = item.quantity - placed[i]!
    if (free === 0) return
    const desire: Desire = desires.lines[item.line] ?? 'cancel'
    if (desire === 'ship') demand.push({ item: i, quantity: free })
    else allocations.push({ item: i, quantity: free, place: desire === 'hold' ? 'held' : 'cancelled', taskId: null })
  })
  return { allocations, demand }
}
