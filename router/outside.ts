/**
 * A parcel that left outside of any task: a person or a shop's own system sent it, or a warehouse had handed its task back though
 * the parcel was gone already. It is booked as a task of its own that is shipped.
 *
 * Its units are taken from where nobody can send them any more by then: first those that are held or wait for goods, then those of
 * tasks that no warehouse has pulled, which are called back whole, then cancelled ones. What a warehouse has in hand is not
 * taken: it could ship as well, so it has to give its task back first.
 */
import { carrierCode } from './carrier.ts'
import { stateOf } from './order.ts'
import { isOwned, type Package, type Task, takenBack } from './task.ts'
import { addUp, unfitSku } from './told-lines.ts'
import type { Allocation, Order, SkuQuantity } from './types.ts'

export interface OutsideParcel {
  readonly node: string
  readonly carrier: string
  readonly waybill: string
  /** null: all that is still to leave. */
  readonly lines: readonly SkuQuantity[] | null
  /** Epoch milliseconds, ours. */
  readonly shippedAt: number
  /** A warehouse says it of a task that it handed back. */
  readonly alreadyGone?: true
}

export type BookedOutside =
  /** The node told this parcel of the order before. */
  | { readonly outcome: 'already_booked' }
  | { readonly outcome: 'nothing_open' }
  /** A warehouse has them in hand. */
  | { readonly outcome: 'units_in_hand'; readonly sku: string }
  | { readonly outcome: 'lines_do_not_match'; readonly sku: string }
  | {
      readonly outcome: 'booked'
      readonly order: Order
      /** All of the order's, the new one last. */
      readonly tasks: readonly Task[]
      readonly task: Task
      readonly parcel: Package
      /** As they were: their units are free from now on. */
      readonly cancelled: readonly Task[]
    }

export interface ToldTasks {
  readonly tasks: readonly Task[]
  /** What was told of parcels, with the node of the task. */
  readonly packages: readonly { readonly node: string; readonly parcel: Package }[]
  /** The task that a warehouse speaks of, with what had been asked for: no more can have left. Absent: a person speaks. */
  readonly of?: Task | undefined
}

export function bookOutside(order: Order, { tasks, packages, of }: ToldTasks, told: OutsideParcel): BookedOutside {
  const isKnown = packages.some(({ node, parcel }) => node === told.node && isSame(parcel, told))
  if (isKnown) return { outcome: 'already_booked' }
  const rankOf = (a: Allocation): number => rank(a, tasks)
  const wanted = told.lines === null ? openUnits(order, rankOf) : addUp(told.lines)
  const inHand = order.allocations.find((a) => isInHand(a, tasks))
  if (wanted.size === 0)
    return inHand === undefined
      ? { outcome: 'nothing_open' }
      : { outcome: 'units_in_hand', sku: order.items[inHand.item]!.sku }
  const unfit = of === undefined ? null : unfitSku(of.lines, wanted)
  if (unfit !== null) return { outcome: 'lines_do_not_match', sku: unfit }
  const taskId = `${order.id}-${order.taskCount + 1}`
  const left = new Map(wanted)
  const taken = new Map<Allocation, number>()
  const sorted = order.allocations.filter((a) => rankOf(a) < never).sort((a, b) => rankOf(a) - rankOf(b))
  for (const a of sorted) {
    const { sku } = order.items[a.item]!
    const units = Math.min(a.quantity, left.get(sku) ?? 0)
    if (units === 0) continue
    taken.set(a, units)
    left.set(sku, left.get(sku)! - units)
  }
  for (const [sku, units] of left) {
    if (units === 0) continue
    const isHeldByNode = order.allocations.some((a) => order.items[a.item]!.sku === sku && isInHand(a, tasks))
    return { outcome: isHeldByNode ? 'units_in_hand' : 'lines_do_not_match', sku }
  }
  const touched = new Set([...taken.keys()].map((a) => a.taskId))
  const cancelled = tasks.filter((task) => task.state === 'ready' && touched.has(task.taskId))
  const lines = [...wanted].map(([sku, quantity]) => ({ sku, quantity }))
  const task: Task = {
    ...{ taskId, node: told.node, state: 'shipped', fence: 1, interceptRequested: false, notBefore: null },
    ...{ change: 0, changeTaken: 0, lines: lines.map((l) => ({ ...l, shipped: l.quantity })) },
  }
  const after = [...tasks.map((t) => (cancelled.includes(t) ? takenBack(t) : t)), task]
  const moved = {
    ...order,
    allocations: movedTo(order.allocations, taken, cancelled, taskId),
    taskCount: order.taskCount + 1,
  }
  const { carrier, waybill, shippedAt, alreadyGone } = told
  const parcel = { carrier, waybill, lines, shippedAt, ...(alreadyGone === undefined ? {} : { alreadyGone }) }
  return { outcome: 'booked', order: { ...moved, state: stateOf(moved, after) }, tasks: after, task, parcel, cancelled }
}

const never = 9

/** Lower is taken first; `never`: not at all. */
function rank({ place, taskId }: Allocation, tasks: readonly Task[]): number {
  if (place === 'held') return 0
  if (place === 'backordered') return 1
  if (place === 'cancelled') return 3
  return place === 'task' && tasks.find((t) => t.taskId === taskId)?.state === 'ready' ? 2 : never
}

/** All that is still to leave; where nothing is, what was cancelled. */
function openUnits(order: Order, rankOf: (a: Allocation) => number): ReadonlyMap<string, number> {
  const unitsOf = (ranks: readonly number[]) =>
    addUp(
      order.allocations
        .filter((a) => ranks.includes(rankOf(a)))
        .map(({ item, quantity }) => ({ sku: order.items[item]!.sku, quantity })),
    )
  const open = unitsOf([0, 1, 2])
  return open.size > 0 ? open : unitsOf([3])
}

function isInHand({ taskId }: Allocation, tasks: readonly Task[]): boolean {
  const task = tasks.find((t) => t.taskId === taskId)
  return task !== undefined && (isOwned(task) || task.state === 'rejected' || task.state === 'intercepted')
}

/** What is left of tasks that are called back is held until the decision that follows. */
function movedTo(
  allocations: readonly Allocation[],
  taken: ReadonlyMap<Allocation, number>,
  cancelled: readonly Task[],
  taskId: string,
): Allocation[] {
  const free = new Set(cancelled.map((task) => task.taskId))
  const after: Allocation[] = []
  for (const a of allocations) {
    const units = taken.get(a) ?? 0
    const rest = a.quantity - units
    if (rest > 0)
      after.push(
        free.has(a.taskId ?? '') ? { ...a, quantity: rest, place: 'held', taskId: null } : { ...a, quantity: rest },
      )
    if (units > 0) after.push({ item: a.item, quantity: units, place: 'task', taskId })
  }
  return after
}

function isSame(a: Pick<Package, 'carrier' | 'waybill'>, b: Pick<Package, 'carrier' | 'waybill'>): boolean {
  return a.waybill === b.waybill && carrierCode(a.carrier) === carrierCode(b.carrier)
}
