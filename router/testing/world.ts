/**
 * For tests: one order and its tasks in memory, with everything that acts on them. Events are decided as a thread decides
 * them (check, decide, place), warehouses act as the store lets them. Keeps its own account of what was shipped.
 */
import { check, defaultLimits, overrulableRules } from '../check.ts'
import { type Decision, type Demand, decide, type PlannedTask, place } from '../decide.ts'
import { overrulableDesireRules } from '../desire.ts'
import { newOrder, stateOf, takeRefund, takeSnapshot } from '../order.ts'
import type { TakenBack } from '../take-back.ts'
import type { Order, OrderSnapshot, RefundSnapshot, SkuQuantity, TakeBackReason, Task } from '../types.ts'
import { catalog, key } from './orders.ts'

export type Told =
  | OrderSnapshot
  | RefundSnapshot
  | { readonly type: 'cancel' }
  | { readonly type: 'release' }
  | { readonly type: 'restock' }
  | { readonly type: 'take_back'; readonly taskId: string; readonly why: TakeBackReason }

export type Sourcing = (
  demand: readonly Demand[],
  order: Order,
) => { readonly planned: readonly PlannedTask[]; readonly missing: readonly Demand[] }

export const allFromOneNode: Sourcing = (demand) => ({
  planned: demand.length === 0 ? [] : [{ node: 'N', units: demand }],
  missing: [],
})

/** Nobody has these. */
export function allBut(...skus: readonly string[]): Sourcing {
  return (demand, order) => {
    const lacks = ({ item }: Demand) => skus.includes(order.items[item]!.sku)
    const units = demand.filter((d) => !lacks(d))
    return { planned: units.length === 0 ? [] : [{ node: 'N', units }], missing: demand.filter(lacks) }
  }
}

export class World {
  order: Order = newOrder(key, '1')
  tasks: readonly Task[] = []
  /** Of the last batch that moved something. */
  decision: Decision | null = null
  /** What warehouses handed back, undecided yet. */
  readonly handedBack: Told[] = []
  /** Units by task and SKU that left a house, ever. */
  readonly shipped = new Map<string, number>()
  source: Sourcing

  constructor(source: Sourcing = allFromOneNode) {
    this.source = source
  }

  /** Decides all of it at once. */
  tell(...told: readonly Told[]): this {
    const takenBack: TakenBack[] = []
    let { order } = this
    let moves = false
    for (const each of told) {
      const taken = take(order, each)
      if (each.type === 'take_back') takenBack.push(each)
      order = taken.order
      moves ||= taken.moves
    }
    if (!moves) return this
    const checked =
      order.snapshot === null
        ? { holds: [], refusals: [] }
        : check({ snapshot: order.snapshot, catalog, overruled: order.overruled, limits: defaultLimits })
    this.decision = decide({
      order,
      before: this.order,
      tasks: this.tasks,
      takenBack,
      catalog,
      checkHolds: checked.holds,
      refusals: checked.refusals,
    })
    const { planned, missing } = this.source(this.decision.demand, this.decision.order)
    const placed = place(this.decision, planned, missing)
    this.order = { ...placed.order, version: this.order.version + 1 }
    this.tasks = [...this.decision.tasks, ...placed.newTasks]
    return this
  }

  pull(taskId: string): boolean {
    const { state, interceptRequested, fence } = this.#task(taskId)
    if (!(state === 'ready' || state === 'pulled' || state === 'accepted') || interceptRequested) return false
    return this.#change(taskId, { state: 'pulled', fence: fence + 1 })
  }

  accept(taskId: string): boolean {
    const { state, interceptRequested } = this.#task(taskId)
    return state === 'pulled' && !interceptRequested && this.#change(taskId, { state: 'accepted' })
  }

  /** `lines` absent: all that is left. */
  ship(taskId: string, lines?: readonly SkuQuantity[]): boolean {
    const task = this.#task(taskId)
    if ((task.state !== 'pulled' && task.state !== 'accepted') || task.interceptRequested) return false
    const leaving = new Map(
      lines?.map((l) => [l.sku, l.quantity]) ?? task.lines.map((l) => [l.sku, l.quantity - l.shipped]),
    )
    const after = task.lines.map((l) => ({ ...l, shipped: l.shipped + (leaving.get(l.sku) ?? 0) }))
    if (after.some((l) => l.shipped > l.quantity)) return false
    for (const [sku, quantity] of leaving) {
      const of = `${taskId}/${sku}`
      if (quantity > 0) this.shipped.set(of, (this.shipped.get(of) ?? 0) + quantity)
    }
    this.#change(taskId, { lines: after, state: after.every((l) => l.shipped === l.quantity) ? 'shipped' : 'accepted' })
    this.order = { ...this.order, state: stateOf(this.order, this.tasks) }
    return true
  }

  reject(taskId: string, why: TakeBackReason): boolean {
    const { state } = this.#task(taskId)
    if (state !== 'pulled' && state !== 'accepted') return false
    this.handedBack.push({ type: 'take_back', taskId, why })
    return this.#change(taskId, { state: 'rejected' })
  }

  intercept(taskId: string): boolean {
    const { state, interceptRequested } = this.#task(taskId)
    if ((state !== 'pulled' && state !== 'accepted') || !interceptRequested) return false
    this.handedBack.push({ type: 'take_back', taskId, why: 'intercepted' })
    return this.#change(taskId, { state: 'intercepted' })
  }

  decideHandedBack(): this {
    return this.tell(...this.handedBack.splice(0))
  }

  /** Like `A×2 task ready, B×1 held`: by SKU, with tasks' states instead of their ids, `!` for an intercept. */
  get where(): string {
    const units = new Map<string, number>()
    for (const { item, quantity, place, taskId } of this.order.allocations) {
      const task = this.tasks.find((t) => t.taskId === taskId)
      const state = task === undefined ? place : `${task.state}${task.interceptRequested ? '!' : ''}`
      const at = `${this.order.items[item]!.sku} ${state}`
      units.set(at, (units.get(at) ?? 0) + quantity)
    }
    return [...units]
      .map(([at, quantity]) => at.replace(' ', `×${quantity} `))
      .sort()
      .join(', ')
  }

  get holds(): string {
    return this.order.holds.map((h) => h.rule).join(' ')
  }

  #task(taskId: string): Task {
    return this.tasks.find((t) => t.taskId === taskId)!
  }

  #change(taskId: string, change: Partial<Task>): true {
    this.tasks = this.tasks.map((t) => (t.taskId === taskId ? { ...t, ...change } : t))
    return true
  }
}

function take(order: Order, told: Told): { readonly order: Order; readonly moves: boolean } {
  switch (told.type) {
    case 'order': {
      const taken = takeSnapshot(order, told)
      return { order: taken.order, moves: taken.outcome === 'taken' }
    }
    case 'refund': {
      const taken = takeRefund(order, told)
      return { order: taken.order, moves: taken.outcome === 'taken' }
    }
    case 'cancel':
      return { order: { ...order, cancelledBy: 'operator' }, moves: order.cancelledBy === null }
    case 'release': {
      const mayBeOverruled = [...overrulableRules, ...overrulableDesireRules]
      const overruled = order.holds.map((h) => h.rule).filter((rule) => mayBeOverruled.includes(rule))
      return { order: { ...order, overruled: [...new Set([...order.overruled, ...overruled])].sort() }, moves: true }
    }
    case 'restock':
    case 'take_back':
      return { order, moves: true }
  }
}

/** Everything that must hold after every step, said as what is wrong. */
export function wrongIn({ order, tasks, shipped }: World): string[] {
  const wrong: string[] = []
  const perItem = order.items.map(() => 0)
  const allocated = new Map<string, number>()
  for (const { item, quantity, place, taskId } of order.allocations) {
    if (!(quantity > 0)) wrong.push(`an allocation of ${quantity}`)
    if ((place === 'task') !== (taskId !== null)) wrong.push(`${place} with task ${taskId}`)
    perItem[item]! += quantity
    const of = `${taskId}/${order.items[item]!.sku}`
    if (taskId !== null) allocated.set(of, (allocated.get(of) ?? 0) + quantity)
  }
  order.items.forEach(({ quantity }, i) => {
    if (perItem[i] !== quantity) wrong.push(`item ${i}: ${perItem[i]} of ${quantity} are somewhere`)
  })
  for (const { taskId, state, lines } of tasks) {
    for (const { sku, quantity, shipped: left } of state === 'cancelled' ? [] : lines) {
      const of = `${taskId}/${sku}`
      if (allocated.get(of) !== quantity) wrong.push(`${of}: task ${quantity}, order ${allocated.get(of)}`)
      if (left !== (shipped.get(of) ?? 0)) wrong.push(`${of}: ${left} shipped, ${shipped.get(of)} left the house`)
      allocated.delete(of)
    }
  }
  for (const [of, quantity] of allocated) wrong.push(`${of}: ${quantity} in no task`)
  for (const [of, quantity] of shipped) {
    const [taskId, sku] = of.split('/')
    const known = tasks.find((t) => t.taskId === taskId && t.state !== 'cancelled')?.lines.find((l) => l.sku === sku)
    if (known?.shipped !== quantity) wrong.push(`${of}: ${quantity} shipped are forgotten`)
  }
  order.snapshot?.lines.forEach((told, i) => {
    const itemsFen = order.items.filter((item) => item.line === i).reduce((sum, item) => sum + item.paidFen, 0)
    if (itemsFen !== told.paidFen) wrong.push(`line ${i}: paid ${told.paidFen}, items carry ${itemsFen}`)
  })
  return wrong
}
