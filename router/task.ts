/**
 * The life of a task (发货单): what may be pulled, accepted, extended, shipped, handed back and called back, by whom, and
 * what the task is then. Stores lock the task and ask here; they write what they are told.
 *
 *   ready ─pull▶ pulled ─accept▶ accepted ─ship▶ shipped
 *     │            ├──────────────┼─ reject ▶ rejected ───────────────────┐
 *     │            ├──────────────┼─ intercept confirmed ▶ intercepted ───┴▶ (decided) cancelled
 *     │            └──────────────┴─ lease lapsed: the state stays, any pull may take it ▶ pulled, with a new fence
 *     └─ called back ▶ cancelled
 *
 *   shipped ─ a parcel voided that had not left ▶ accepted, without a lease and with a higher fence: any pull may take it
 *
 * A pull gives a lease and a fence. Every other verb carries the fence: an owner whose lease went to another has a
 * lower one.
 *
 * No process ends a lease. It is over when `lease_until` has passed, and each question compares that anew: the verbs
 * below take the answer as `isLeased` from the store (adapters/store/tasks/tasks.ts, `lockOwned`). The pull alone does
 * not lock and ask here: its query says `mayBePulled` and `pulled` once more in SQL (`pullTasks`), and
 * adapters/store/tasks/pull.test.ts holds both against each other. A task that is to be stopped is not pulled again;
 * when its lease has lapsed, the sweep hands it back (workers/fulfil/lapsed-intercepts.ts).
 */
import type { RejectReason } from './reasons.ts'
import { addUp, notToldBefore, unfitSku } from './told-lines.ts'
import type { SkuQuantity } from './types.ts'

export const taskStates = ['ready', 'pulled', 'accepted', 'shipped', 'rejected', 'intercepted', 'cancelled'] as const
/** `rejected` and `intercepted` still hold their reservation until the decision that takes them back. */
export type TaskState = (typeof taskStates)[number]

export interface TaskLine extends SkuQuantity {
  readonly shipped: number
}

export interface Task {
  readonly taskId: string
  readonly node: string
  readonly state: TaskState
  readonly fence: number
  readonly interceptRequested: boolean
  /** Epoch milliseconds before which no warehouse may have it: presale goods. null: at once. */
  readonly notBefore: number | null
  /** How often the receiver changed while a warehouse had the task, and the last such change that its owner took. */
  readonly change: number
  readonly changeTaken: number
  readonly lines: readonly TaskLine[]
}

/** One parcel that left the node. */
export interface Package {
  readonly carrier: string
  readonly waybill: string
  readonly lines: readonly SkuQuantity[]
  /** Epoch milliseconds, ours. */
  readonly shippedAt: number
  /** It was to be stopped, and had left. */
  readonly alreadyGone?: true
}

/**
 * Why a verb was refused. `unknown_task` is said of another node's task too: that node's work is no business of the
 * caller.
 */
export type TaskRefusal =
  | { readonly outcome: 'unknown_task' }
  | { readonly outcome: 'stale_fence' }
  | { readonly outcome: 'lease_lapsed' }
  | { readonly outcome: 'wrong_state'; readonly state: TaskState }
  | { readonly outcome: 'intercepted' }
  | { readonly outcome: 'not_intercepted' }
  /** What the owner has is not what is wanted now: he pulls again, and takes the change or hands the task back. */
  | { readonly outcome: 'changed'; readonly change: number }
  | { readonly outcome: 'lines_do_not_match'; readonly sku: string }
  | { readonly outcome: 'waybill_used_for_other_lines'; readonly waybill: string }

/** States in which a node has the task in hand. */
export const ownedStates: readonly TaskState[] = ['pulled', 'accepted']

export function isOwned({ state }: Task): boolean {
  return ownedStates.includes(state)
}

/** A task whose date has come and that was never pulled, or whose owner let the lease lapse; never one that is to be stopped. */
export function mayBePulled(task: Task, isLeased: boolean, nowMs: number): boolean {
  if (task.interceptRequested) return false
  return task.state === 'ready' ? (task.notBefore ?? 0) <= nowMs : isOwned(task) && !isLeased
}

export function pulled(task: Task): Task {
  return { ...task, state: 'pulled', fence: task.fence + 1, changeTaken: task.change }
}

/** An owner is told of an intercept or a change for as long as the lease lasts; after that the sweep or a pull acts. */
export function isToldOfNews(task: Task, isLeased: boolean): boolean {
  return isOwned(task) && isLeased && (task.interceptRequested || isChanged(task))
}

/** The receiver changed, and the owner has not taken it. A later pull gives what is wanted then. */
export function isChanged(task: Task): boolean {
  return isOwned(task) && task.change > task.changeTaken
}

/** A change that the owner does not know of yet. */
export function changed(task: Task): Task {
  return isOwned(task) ? { ...task, change: task.change + 1 } : task
}

/** `change`: the one that the owner says he takes. Of an older one he does not know what is wanted now. */
function takingChange(task: Task, change: number | undefined): Task {
  return change === task.change && isChanged(task) ? { ...task, changeTaken: change } : task
}

export function isInterceptLapsed(task: Task, isLeased: boolean): boolean {
  return isOwned(task) && task.interceptRequested && !isLeased
}

/** Whether a caller may speak for a task; null: it may. `task`: undefined when the node has no such task. */
export function refusedClaim(
  task: Pick<Task, 'fence'> | undefined,
  fence: number,
): Extract<TaskRefusal, { outcome: 'unknown_task' | 'stale_fence' }> | null {
  if (task === undefined) return { outcome: 'unknown_task' }
  return task.fence === fence ? null : { outcome: 'stale_fence' }
}

/** `change`: what changed after the pull and is taken with this. */
export function accept(
  task: Task,
  isLeased: boolean,
  change?: number,
): TaskRefusal | { readonly outcome: 'already_accepted' } | { readonly outcome: 'accepted'; readonly task: Task } {
  const taking = takingChange(task, change)
  if (!isOwned(task)) return { outcome: 'wrong_state', state: task.state }
  if (isChanged(taking)) return { outcome: 'changed', change: task.change }
  if (task.state === 'accepted' && taking === task) return { outcome: 'already_accepted' }
  if (!isLeased) return { outcome: 'lease_lapsed' }
  if (task.interceptRequested) return { outcome: 'intercepted' }
  return { outcome: 'accepted', task: { ...taking, state: 'accepted' } }
}

/** Also of a task that is to be stopped: its owner may need time to find the parcel. */
export function extend(task: Task, isLeased: boolean): TaskRefusal | { readonly outcome: 'extended' } {
  if (!isOwned(task)) return { outcome: 'wrong_state', state: task.state }
  return isLeased ? { outcome: 'extended' } : { outcome: 'lease_lapsed' }
}

export type ShipOutcome =
  | TaskRefusal
  | { readonly outcome: 'already_shipped' }
  | {
      readonly outcome: 'shipped' | 'partly_shipped'
      readonly task: Task
      /** Those that were not told before. */
      readonly fresh: readonly Package[]
      /** Units that leave now, by SKU. */
      readonly leaving: ReadonlyMap<string, number>
    }

/** What a warehouse says beside the packages. */
export interface ShipWords {
  /** The parcel had left before the intercept or the change reached the owner: it is told all the same. */
  readonly alreadyGone?: boolean
  /** The change after the pull that the parcel goes by. */
  readonly change?: number
}

/**
 * May be told in several calls; each unit leaves once. `known`: packages that were told before.
 *
 * The lease is not asked: a parcel that left after it lapsed has left. As long as the fence is the caller's no other
 * owner has the task.
 */
export function ship(
  task: Task,
  known: readonly Package[],
  told: readonly Package[],
  { alreadyGone = false, change }: ShipWords = {},
): ShipOutcome {
  const fresh: Package[] = []
  for (const p of told) {
    const lines = notToldBefore(
      known.filter((k) => waybillOf(k) === waybillOf(p)).flatMap((k) => k.lines),
      p.lines,
    )
    if (lines === null) return { outcome: 'waybill_used_for_other_lines', waybill: p.waybill }
    if (lines.length > 0) fresh.push({ ...p, lines, ...(task.interceptRequested ? { alreadyGone: true } : {}) })
  }
  if (fresh.length === 0) return { outcome: 'already_shipped' }
  if (task.interceptRequested && !alreadyGone) return { outcome: 'intercepted' }
  if (!isOwned(task)) return { outcome: 'wrong_state', state: task.state }
  const taking = takingChange(task, change)
  if (isChanged(taking) && !alreadyGone) return { outcome: 'changed', change: task.change }
  const leaving = addUp(fresh.flatMap((p) => p.lines))
  const unfit = unfitSku(task.lines, leaving)
  if (unfit !== null) return { outcome: 'lines_do_not_match', sku: unfit }
  const lines = task.lines.map((l) => ({ ...l, shipped: l.shipped + (leaving.get(l.sku) ?? 0) }))
  const isWhole = lines.every((l) => l.shipped === l.quantity)
  // What has left whole is not to be stopped any more.
  const interceptRequested = task.interceptRequested && !isWhole
  const after: Task = { ...taking, state: isWhole ? 'shipped' : 'accepted', lines, interceptRequested }
  return { outcome: isWhole ? 'shipped' : 'partly_shipped', task: after, fresh, leaving }
}

/** How a task comes back. lapsed: the lease has run out and the sweep speaks for its silent owner. */
export type GivenBackAs =
  | { readonly state: 'rejected'; readonly reason: RejectReason; readonly lines: readonly SkuQuantity[] }
  | { readonly state: 'intercepted'; readonly lapsed?: true }

/** The reason that a task keeps once it was handed back. */
export function reasonOf(how: GivenBackAs): RejectReason | 'intercepted' {
  return how.state === 'rejected' ? how.reason : 'intercepted'
}

export type GiveBackOutcome =
  | TaskRefusal
  | { readonly outcome: 'already_given_back' }
  | { readonly outcome: 'given_back'; readonly task: Task; readonly reason: string }

/** The units stay reserved until the decision that takes them back. `reason`: of an earlier hand-back, if any. */
export function giveBack(task: Task, isLeased: boolean, reason: string | null, how: GivenBackAs): GiveBackOutcome {
  if (!isOwned(task)) {
    return reason === reasonOf(how) ? { outcome: 'already_given_back' } : { outcome: 'wrong_state', state: task.state }
  }
  const speaksForSilent = how.state === 'intercepted' && how.lapsed === true
  if (isLeased === speaksForSilent) return { outcome: 'lease_lapsed' }
  if (how.state === 'intercepted' && !task.interceptRequested) return { outcome: 'not_intercepted' }
  if (how.state === 'rejected') {
    const unfit = unfitSku(task.lines, addUp(how.lines))
    if (unfit !== null) return { outcome: 'lines_do_not_match', sku: unfit }
  }
  return { outcome: 'given_back', task: { ...task, state: how.state }, reason: reasonOf(how) }
}

/** Called back before any node has it, or after its owner handed it back: what has left already stays shipped. */
export function takenBack(task: Task): Task {
  const lines = task.lines.filter((l) => l.shipped > 0).map((l) => ({ ...l, quantity: l.shipped }))
  return { ...task, state: lines.length > 0 ? 'shipped' : 'cancelled', lines, interceptRequested: false }
}

/** Flagged for its owner when it is not wanted any more, and free of the flag when it is wanted again. */
export function flagged(task: Task, isUnwanted: boolean): Task {
  return !isOwned(task) || isUnwanted === task.interceptRequested ? task : { ...task, interceptRequested: isUnwanted }
}

function waybillOf({ carrier, waybill }: Package): string {
  return `${carrier} ${waybill}`
}
