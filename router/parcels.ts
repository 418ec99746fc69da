/**
 * Parcels put right: a number or a carrier that was mistyped is corrected, and a parcel that was told by mistake and never left
 * is voided. Stores lock the order with its tasks and ask here.
 *
 * Of a void and a carrier's word the one that is known first wins: what has moved is not voided. When the word comes after
 * the void, the match names it (`voided_parcel_moved`), and the node tells the parcel again if it has left. Of a void and a
 * cancellation either may be first: the decision after the void calls the task back when nobody wants its units.
 */
import { carrierCode, trackOf } from './carrier.ts'
import type { Package, Task } from './task.ts'
import { addUp } from './told-lines.ts'
import type { Track, TrackState } from './track.ts'
import type { OrderState } from './types.ts'

export interface ParcelName {
  readonly carrier: string
  readonly waybill: string
}

/** What is kept of it with the task. */
export type PutRight =
  | { readonly corrected: { readonly from: ParcelName; readonly to: ParcelName } }
  | { readonly voided: Package }

export type ParcelWord =
  | { readonly kind: 'correct'; readonly from: ParcelName; readonly to: ParcelName }
  | { readonly kind: 'void'; readonly parcel: ParcelName }

/** A task with what was told of its parcels. */
export interface ToldTask {
  readonly task: Task
  readonly packages: readonly Package[]
  readonly putRight: readonly PutRight[]
}

export type PutRightOutcome =
  | { readonly outcome: 'unknown_parcel' }
  /** Said before. */
  | { readonly outcome: 'already_put_right' }
  | { readonly outcome: 'order_closed' }
  /** A return of the order is not refused or withdrawn: its goods have left. */
  | { readonly outcome: 'being_returned' }
  /** The task was handed back, and the decision about it is on its way. */
  | { readonly outcome: 'being_decided' }
  | { readonly outcome: 'parcel_moved'; readonly state: TrackState }
  | {
      readonly outcome: 'put_right'
      readonly after: ToldTask
      /** The parcels as they were told. */
      readonly told: readonly Package[]
      /** Units that are in the node again, by SKU. */
      readonly back: ReadonlyMap<string, number>
    }

export interface KnownAround {
  readonly tracks: readonly Track[]
  readonly orderState: OrderState
  readonly isBeingReturned: boolean
}

/** `tracks`: whatever is known under the waybills of the task's parcels. */
export function putRight(of: ToldTask, word: ParcelWord, known: KnownAround): PutRightOutcome {
  return word.kind === 'correct' ? corrected(of, word) : voided(of, word.parcel, known)
}

function corrected(of: ToldTask, { from, to }: Extract<ParcelWord, { kind: 'correct' }>): PutRightOutcome {
  const told = of.packages.filter((p) => isSame(p, from))
  const isKnown = of.putRight.some(
    (p) => 'corrected' in p && isSame(p.corrected.from, from) && isSame(p.corrected.to, to),
  )
  if (told.length === 0) return { outcome: isKnown ? 'already_put_right' : 'unknown_parcel' }
  if (from.carrier === to.carrier && from.waybill === to.waybill) return { outcome: 'already_put_right' }
  const packages = of.packages.map((p) => (isSame(p, from) ? { ...p, ...nameOf(to) } : p))
  const after = { ...of, packages, putRight: [...of.putRight, { corrected: { from: nameOf(from), to: nameOf(to) } }] }
  return { outcome: 'put_right', after, told, back: new Map() }
}

function voided(
  of: ToldTask,
  parcel: ParcelName,
  { tracks, orderState, isBeingReturned }: KnownAround,
): PutRightOutcome {
  const told = of.packages.filter((p) => isSame(p, parcel))
  if (told.length === 0) {
    const isKnown = of.putRight.some((p) => 'voided' in p && isSame(p.voided, parcel))
    return { outcome: isKnown ? 'already_put_right' : 'unknown_parcel' }
  }
  if (orderState === 'closed') return { outcome: 'order_closed' }
  if (isBeingReturned) return { outcome: 'being_returned' }
  if (of.task.state === 'rejected' || of.task.state === 'intercepted') return { outcome: 'being_decided' }
  const track = trackOf(tracks, told[0]!)
  if (track !== null && track.state !== 'created') return { outcome: 'parcel_moved', state: track.state }
  const back = addUp(told.flatMap((p) => p.lines))
  const packages = of.packages.filter((p) => !isSame(p, parcel))
  const kept = told.map((p) => ({ voided: p }))
  const after = { task: unshipped(of.task, back), packages, putRight: [...of.putRight, ...kept] }
  return { outcome: 'put_right', after, told, back }
}

/**
 * Units that had not left after all are in the task again. Whoever had it has to pull it again: with his fence he could tell the
 * same parcel once more without meaning it.
 */
export function unshipped(task: Task, back: ReadonlyMap<string, number>): Task {
  const lines = task.lines.map((l) => ({ ...l, shipped: l.shipped - (back.get(l.sku) ?? 0) }))
  return { ...task, state: 'accepted', fence: task.fence + 1, lines }
}

/** What is said of several tasks of one order: a refusal before what is done, and what is done before what was said before. */
export function together(
  outcomes: readonly PutRightOutcome[],
): Exclude<PutRightOutcome, { outcome: 'put_right' }> | null {
  const refusals: readonly string[] = ['order_closed', 'being_returned', 'being_decided', 'parcel_moved']
  const refusal = outcomes.find((o) => refusals.includes(o.outcome))
  if (refusal !== undefined) return refusal as Exclude<PutRightOutcome, { outcome: 'put_right' }>
  if (outcomes.some((o) => o.outcome === 'put_right')) return null
  return { outcome: outcomes.some((o) => o.outcome === 'already_put_right') ? 'already_put_right' : 'unknown_parcel' }
}

/**
 * A parcel that a warehouse tells again under the number that was corrected since. Only of a task that nobody has in hand: an
 * owner may well use the other number for the rest.
 */
export function asCorrected(told: Package, known: readonly PutRight[]): Package {
  let parcel = told
  for (const p of known)
    if ('corrected' in p && isSame(p.corrected.from, parcel)) parcel = { ...parcel, ...p.corrected.to }
  return parcel
}

export function voidedPackages(known: readonly PutRight[]): readonly Package[] {
  return known.flatMap((p) => ('voided' in p ? [p.voided] : []))
}

function isSame(a: ParcelName, b: ParcelName): boolean {
  return a.waybill === b.waybill && carrierCode(a.carrier) === carrierCode(b.carrier)
}

function nameOf({ carrier, waybill }: ParcelName): ParcelName {
  return { carrier, waybill }
}
