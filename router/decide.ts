/**
 * The decision on one order: from what is desired and where its units are to what has to move.
 *
 * Units that should not ship are called back: an unpulled task is cancelled at once, a pulled one is flagged for
 * intercept and keeps its units until its owner answers. Which tasks: ./unwanted.ts. Free units then go where they belong:
 * held, cancelled, or to sourcing.
 *
 * The order keeps its holds (./check.ts, ./desire.ts) only while units of it are held: see `isAnythingHeld`.
 */
import { type Catalog, explode } from './bundle.ts'
import { type Desires, desiresOf } from './desire.ts'
import { desires as strictness, unitsOfItem } from './line-units.ts'
import { asTold, isAnyKept, keepUnitsInTasks, linesChanged } from './lines-on-their-way.ts'
import { shareByLargestRemainder } from './money.ts'
import { stateOf } from './order.ts'
import { type TakenBack, takingEffect } from './take-back.ts'
import { changed as changedTask, flagged, type Task, takenBack } from './task.ts'
import { dateOf } from './task-date.ts'
import type { Allocation, Hold, Item, Order, OrderSnapshot, Receiver, SnapshotLine } from './types.ts'
import { unwantedTasks } from './unwanted.ts'

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
}

export interface DecideInput {
  readonly order: Order
  readonly before: Order
  readonly tasks: readonly Task[]
  readonly takenBack: readonly TakenBack[]
  readonly catalog: Catalog
  readonly checkHolds: readonly Hold[]
  readonly refusals: readonly Hold[]
}

export function decide(input: DecideInput): Decision {
  const taken = takeChangedLines(input)
  const desired = desiresOf(taken, input.tasks, input.checkHolds, input.refusals, input.catalog)
  const recalled = recall(input, taken, desired)
  const { order, desires } = renewItems(freeUnitsOf(taken, recalled.cancelled, desired), desired, input.catalog)
  const { allocations, demand } = settleFreeUnits(order, desires, input.catalog)
  const holds = isAnythingHeld(order, allocations, recalled.tasks, desires) ? desires.holds : []
  const decided = { ...order, allocations, holds }
  return { ...recalled, order: { ...decided, state: stateOf(decided, recalled.tasks) }, demand }
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
    if (a.taskId === null || (desires.lines[order.items[a.item]!.line]?.hold ?? 0) === 0) return false
    return tasks.some((t) => t.taskId === a.taskId && t.interceptRequested)
  })
}

/** Lines that change before a warehouse has a task are simply other lines: unpulled tasks are called back for them. */
function takeChangedLines({ order, before, tasks, catalog }: DecideInput): Order {
  const { snapshot } = order
  if (snapshot === null || before.snapshot === null || snapshot === before.snapshot) return order
  const isOnItsWay = isAnyOutOfHands(tasks) && linesChanged(before.snapshot, snapshot)
  if (!isOnItsWay && !isAnyKept(before.snapshot.lines)) return order
  return keepUnitsInTasks({ ...order, snapshot }, before.snapshot, catalog)
}

function isAnyOutOfHands(tasks: readonly Task[]): boolean {
  return tasks.some((t) => t.state !== 'ready' && t.state !== 'cancelled')
}

interface Recalled {
  readonly tasks: readonly Task[]
  readonly cancelled: readonly Task[]
  readonly interceptRequested: readonly string[]
  readonly interceptWithdrawn: readonly string[]
}

function recall(input: DecideInput, order: Order, desires: Desires): Recalled {
  if (input.tasks.length === 0) return { tasks: [], cancelled: [], interceptRequested: [], interceptWithdrawn: [] }
  const cancelled: Task[] = []
  const interceptRequested: string[] = []
  const interceptWithdrawn: string[] = []
  const effective = takingEffect(input.tasks, input.takenBack)
  const called = unwantedTasks(order, input.tasks, desires)
  const old = input.before.snapshot
  const moved = old !== null && order.snapshot !== null && old.receiver.adcode !== order.snapshot.receiver.adcode
  const changed =
    old !== null && order.snapshot !== null && !isAnyOutOfHands(input.tasks) && linesChanged(old, order.snapshot)
  const isOther = receiverChanged(old, order.snapshot)
  const tasks = input.tasks.map((task) => {
    const isBack = effective.some((t) => t.taskId === task.taskId)
    const unwanted = called.has(task.taskId)
    if (isBack || (task.state === 'ready' && (unwanted || moved || changed))) {
      cancelled.push(task)
      return takenBack(task)
    }
    const known = isOther ? changedTask(task) : task
    const after = flagged(withDate(order, known), unwanted)
    if (after.interceptRequested !== task.interceptRequested)
      (unwanted ? interceptRequested : interceptWithdrawn).push(task.taskId)
    return after
  })
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

/** In the platform's own words: what we make of them may change without them. */
function receiverChanged(before: OrderSnapshot | null, after: OrderSnapshot | null): boolean {
  if (before === null || after === null || before.receiver === after.receiver) return false
  const words = ({ adcode: _, point: __, ...told }: Receiver): string => JSON.stringify(Object.entries(told).sort())
  return words(before.receiver) !== words(after.receiver)
}

export function keepsItems({ allocations }: Order): boolean {
  return allocations.some(inATask)
}

/**
 * Items follow the snapshot's lines and the catalog for as long as nothing is in a task; then only their money does.
 */
function renewItems(order: Order, desires: Desires, catalog: Catalog): { order: Order; desires: Desires } {
  const { snapshot, items } = order
  if (snapshot === null) return { order, desires }
  if (!keepsItems(order)) {
    const told = asTold(snapshot.lines, desires.lines)
    const renewed = { ...snapshot, lines: told.lines }
    const fresh = { ...order, snapshot: renewed, items: explode(told.lines, catalog), allocations: [] }
    return { order: fresh, desires: { ...desires, lines: told.units } }
  }
  const sumsFen = snapshot.lines.map(() => 0)
  for (const item of items) sumsFen[item.line]! += item.paidFen
  if (snapshot.lines.every((line, i) => line.paidFen === sumsFen[i])) return { order, desires }
  return { order: { ...order, items: reprice(items, snapshot.lines) }, desires }
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
  const of = ({ taskId, item }: Allocation) => `${taskId}/${order.items[item]!.sku}`
  const lines = order.snapshot?.lines ?? []
  const stays = new Map<Allocation, number>()
  for (const desire of strictness) {
    // What would have been cancelled and has left all the same stays where it is.
    const room = order.items.map((item) =>
      desire === 'cancel' ? item.quantity : unitsOfItem(item, lines, desires.lines, desire),
    )
    if (desire === 'ship') {
      for (const a of order.allocations) if (inATask(a) && !shipped.has(of(a))) room[a.item]! -= a.quantity
    }
    for (const allocation of order.allocations) {
      const { item, quantity } = allocation
      const stayed = stays.get(allocation) ?? 0
      const left = shipped.get(of(allocation)) ?? 0
      const units = Math.min(quantity - stayed, left, room[item]!)
      if (units <= 0) continue
      shipped.set(of(allocation), left - units)
      room[item]! -= units
      stays.set(allocation, stayed + units)
    }
  }
  const allocations: Allocation[] = []
  for (const allocation of order.allocations) {
    const quantity = shipped.has(of(allocation)) ? (stays.get(allocation) ?? 0) : allocation.quantity
    if (quantity > 0) allocations.push(quantity === allocation.quantity ? allocation : { ...allocation, quantity })
  }
  return { ...order, allocations }
}
function inATask({ place }: Allocation): boolean {
  return place === 'task' || place === 'returned'
}

/**
 * Units in tasks count as those that are to ship; what is left of these is to be sourced. The others are cancelled, and
 * beyond that held.
 */
function settleFreeUnits(
  order: Order,
  desires: Desires,
  catalog: Catalog,
): { allocations: readonly Allocation[]; demand: readonly Demand[] } {
  const lines = order.snapshot?.lines ?? []
  const allocations = order.allocations.filter(inATask)
  const placed = order.items.map(() => 0)
  for (const allocation of allocations) placed[allocation.item]! += allocation.quantity
  const demand: Demand[] = []
  order.items.forEach((item, i) => {
    let free = item.quantity - placed[i]!
    const take = (wanted: number): number => {
      const units = Math.max(0, Math.min(free, wanted))
      free -= units
      return units
    }
    const wanted = take(unitsOfItem(item, lines, desires.lines, 'ship') - placed[i]!)
    const cancelled = take(unitsOfItem(item, lines, desires.lines, 'cancel'))
    const isVirtual = wanted > 0 && catalog(item.sku)?.requiresShipping === false
    if (isVirtual) allocations.push({ item: i, quantity: wanted, place: 'virtual', taskId: null })
    else if (wanted > 0) demand.push({ item: i, quantity: wanted })
    if (cancelled > 0) allocations.push({ item: i, quantity: cancelled, place: 'cancelled', taskId: null })
    if (free > 0) allocations.push({ item: i, quantity: free, place: 'held', taskId: null })
  })
  return { allocations, demand }
}
