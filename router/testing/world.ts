/**
 * For tests: one order and its tasks in memory, with everything that acts on them. Events are decided as a thread decides
 * them (check, decide, place), warehouses act as the store lets them. Keeps its own account of what was shipped.
 */

import { type Command, stage } from '../commands.ts'
import type { Decision, Demand } from '../decide.ts'
import { newOrder, stateOf } from '../order.ts'
import { decideOrder, type Told as ToldToBrain } from '../order-decision.ts'
import { type PlannedTask, place } from '../place.ts'
import { defaultPolicy } from '../policy.ts'
import type { RejectReason, TakeBackReason } from '../reasons.ts'
import type { LineWord } from '../said-of-units.ts'
import type { Task } from '../task.ts'
import * as tasks from '../task.ts'
import type { Order, OrderSnapshot, RefundSnapshot, SkuQuantity } from '../types.ts'
import { catalog, key } from './orders.ts'

export type Told =
  | OrderSnapshot
  | RefundSnapshot
  | { readonly type: 'cancel' }
  | { readonly type: 'approve' }
  | { readonly type: 'restock' }
  | (LineWord & { readonly type: 'line' })
  | { readonly type: 'take_back'; readonly taskId: string; readonly why: TakeBackReason }

export type Sourcing = (
  demand: readonly Demand[],
  order: Order,
) => { readonly planned: readonly PlannedTask[]; readonly missing: readonly Demand[] }

export const allFromOneNode: Sourcing = (demand) => ({
  planned: demand.length === 0 ? [] : [{ node: 'N', units: demand }],
  missing: [],
})

/** No node has these SKUs. */
export function allBut(...skus: readonly string[]): Sourcing {
  return (demand, order) => {
    const lacks = ({ item }: Demand) => skus.includes(order.items[item]!.sku)
    const units = demand.filter((d) => !lacks(d))
    return { planned: units.length === 0 ? [] : [{ node: 'N', units }], missing: demand.filter(lacks) }
  }
}

// Behind every date.
const nowMs = Number.MAX_SAFE_INTEGER

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
  #parcels = 0

  constructor(source: Sourcing = allFromOneNode) {
    this.source = source
  }

  /** Decides all of it at once. */
  tell(...told: readonly Told[]): this {
    const { decision } = decideOrder({
      before: this.order,
      tasks: this.tasks,
      events: told.map((each) => ({ told: toldToBrain(each), storedAtMs: Number.MAX_SAFE_INTEGER })),
      catalog,
      skuMap: {},
      policy: defaultPolicy,
    })
    if (decision === null) return this
    this.decision = decision
    const { planned, missing } = this.source(this.decision.demand, this.decision.order)
    const placed = place(this.decision, planned, missing)
    this.order = { ...placed.order, version: this.order.version + 1 }
    this.tasks = [...this.decision.tasks, ...placed.newTasks]
    return this
  }

  /** Leases do not lapse here, but a pull by another node may come at any time: as if the lease were just over. */
  pull(taskId: string): boolean {
    const task = this.#task(taskId)
    return tasks.mayBePulled(task, false, nowMs) && this.#become(tasks.pulled(task))
  }

  accept(taskId: string): boolean {
    const done = tasks.accept(this.#task(taskId), true)
    return done.outcome === 'accepted' && this.#become(done.task)
  }

  /** `lines` absent: all that is left. */
  ship(taskId: string, lines?: readonly SkuQuantity[]): boolean {
    const task = this.#task(taskId)
    const packed = lines ?? task.lines.map((l) => ({ sku: l.sku, quantity: l.quantity - l.shipped }))
    const parcel = { carrier: 'c', waybill: `${++this.#parcels}`, lines: packed, shippedAt: 0 }
    const done = tasks.ship(task, [], [parcel], { change: task.change })
    if (!('task' in done)) return false
    for (const [sku, quantity] of done.leaving) {
      const of = `${taskId}/${sku}`
      if (quantity > 0) this.shipped.set(of, (this.shipped.get(of) ?? 0) + quantity)
    }
    this.#become(done.task)
    this.order = { ...this.order, state: stateOf(this.order, this.tasks) }
    return true
  }

  reject(taskId: string, why: RejectReason): boolean {
    return this.#giveBack(taskId, why, { state: 'rejected', reason: why, lines: [] })
  }

  intercept(taskId: string): boolean {
    return this.#giveBack(taskId, 'intercepted', { state: 'intercepted' })
  }

  #giveBack(taskId: string, why: TakeBackReason, how: tasks.GivenBackAs): boolean {
    const done = tasks.giveBack(this.#task(taskId), true, null, how)
    if (done.outcome !== 'given_back') return false
    this.handedBack.push({ type: 'take_back', taskId, why })
    return this.#become(done.task)
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

  #become(task: Task): true {
    this.tasks = this.tasks.map((t) => (t.taskId === task.taskId ? task : t))
    return true
  }
}

function toldToBrain(told: Told): ToldToBrain {
  if (told.type === 'order' || told.type === 'refund') return told
  const lines = told.type === 'take_back' ? { lines: [] } : {}
  return { type: 'command', command: { ...told, ...lines, actor: stage('test'), note: '' } as Command }
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
