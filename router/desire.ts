/**
 * What should happen to each line of an order now: ship it, hold it, or cancel it. Follows from what the platform and
 * the operator last said and from the check, never from how the order got here.
 *
 * When the platform contradicts itself the line is held: a parcel that leaves late can still be sent, a parcel that
 * left by mistake does not come back by itself.
 *
 * The holds of this file: `refund_requested`, `refunded_in_part`, `platform_ahead`. Those of the order's content:
 * ./check.ts.
 */
import { isOwned, type Task } from './task.ts'
import type { Hold, Order, OrderSnapshot, RefundSnapshot, SnapshotLine } from './types.ts'

/** In the order of strictness. */
const desires = ['ship', 'hold', 'cancel'] as const
export type Desire = (typeof desires)[number]

export interface Desires {
  /** One a line of the snapshot. */
  readonly lines: readonly Desire[]
  /** Why lines are held. Not always empty when no line is: ./decide.ts then leaves them out. */
  readonly holds: readonly Hold[]
}

const refundRequested = {
  rule: 'refund_requested',
  reason: 'the buyer asks for a refund of the whole order: settle it on the platform',
}
const lineRefundRequested = {
  rule: 'refund_requested',
  reason: 'the buyer asks for a refund of a line: settle it on the platform',
}
const refundedInPart = {
  rule: 'refunded_in_part',
  reason: 'the order says that a line is refunded, its refunds are less than was paid: look, then approve or cancel',
}
// The shop shipped the order without us: if we sourced it as well, it would ship twice.
const platformAhead = {
  rule: 'platform_ahead',
  reason: 'the platform says that it is shipped, and we shipped nothing: find out who did, then cancel or approve',
}

/** Rules of this file that an approval overrules: no platform will ever say more about them. */
export const overrulableDesireRules: readonly string[] = [platformAhead.rule, refundedInPart.rule]

/** `tasks` are the order's tasks as they are before anything is done about it. */
export function desiresOf(
  order: Order,
  tasks: readonly Task[],
  checkHolds: readonly Hold[],
  refusals: readonly Hold[],
): Desires {
  const { snapshot } = order
  if (snapshot === null) return { lines: [], holds: [] }
  const whole = refundOfWholeOrder(order, snapshot)
  const cancelled =
    order.cancelledBy !== null || snapshot.platformState === 'closed' || refusals.length > 0 || whole === 'refunded'
  if (cancelled) return { lines: snapshot.lines.map(() => 'cancel'), holds: [] }

  const holds = [...checkHolds]
  if (whole === 'requested') holds.push(refundRequested)
  if (isPlatformAhead(snapshot, tasks) && !order.overruled.includes(platformAhead.rule)) holds.push(platformAhead)
  const others: Desire = holds.length > 0 ? 'hold' : 'ship'
  const own = snapshot.lines.map((line): Desire => {
    const refund = refundOfLine(order, snapshot, line)
    if (refund === 'refunded') return 'cancel'
    const hold = refund === 'requested' ? lineRefundRequested : refund === 'in_part' ? refundedInPart : null
    if (hold === null || order.overruled.includes(hold.rule)) return others
    if (!holds.some((h) => h.rule === hold.rule)) holds.push(hold)
    return 'hold'
  })
  return { lines: followMainLines(snapshot, own), holds }
}

/**
 * False when a node has pulled a task: it may have shipped and be about to tell us. False after our first parcel: the
 * rest follows.
 */
function isPlatformAhead(snapshot: OrderSnapshot, tasks: readonly Task[]): boolean {
  const { platformState } = snapshot
  if (platformState !== 'partly_shipped' && platformState !== 'shipped' && platformState !== 'completed') return false
  return !tasks.some((t) => isOwned(t) || t.lines.some((l) => l.shipped > 0))
}

function refundOfWholeOrder(order: Order, snapshot: OrderSnapshot): 'none' | 'requested' | 'refunded' {
  let isRequested = false
  let isRefunded = false
  let refundedFen = 0
  for (const refund of order.refunds) {
    // A refund of a line that the order does not show (any more) counts too: a person should look before it ships.
    const isOfOrder = refund.lineId === null
    if (!isOfOrder && snapshot.lines.some((l) => l.lineId === refund.lineId)) continue
    if (refund.status === 'requested') isRequested = true
    if (!isOfOrder || refund.status !== 'refunded') continue
    isRefunded = true
    refundedFen += refund.refundFen
  }
  if (isRefunded) {
    for (const line of snapshot.lines) refundedFen += Math.min(line.paidFen, refundedOf(order.refunds, line.lineId).fen)
    // A part of the money given back is a rebate: the goods still go out.
    if (refundedFen >= snapshot.paidFen - snapshot.freightFen) return 'refunded'
  }
  return isRequested ? 'requested' : 'none'
}

/** `in_part`: the order says refunded, and the refunds that we know are less than what was paid. */
function refundOfLine(
  order: Order,
  snapshot: OrderSnapshot,
  line: SnapshotLine,
): 'none' | 'requested' | 'in_part' | 'refunded' {
  const done = refundedOf(order.refunds, line.lineId)
  if (done.count > 0 && done.fen >= line.paidFen) return 'refunded'
  if (line.refund === 'refunded' && done.count === 0) return 'refunded'
  if (isRefundRequested(order, snapshot, line)) return 'requested'
  return line.refund === 'refunded' ? 'in_part' : 'none'
}

/** The later word counts. An order that says nothing of a refund takes back nothing that the refund itself said. */
function isRefundRequested(order: Order, snapshot: OrderSnapshot, line: SnapshotLine): boolean {
  const own = order.refunds.filter((r) => r.lineId === line.lineId)
  if (line.refund === 'requested') {
    return own.every((r) => r.modifiedAt < snapshot.modifiedAt) || own.some((r) => r.status === 'requested')
  }
  return own.some((r) => r.status === 'requested' && (line.refund === 'none' || r.modifiedAt >= snapshot.modifiedAt))
}

function refundedOf(refunds: readonly RefundSnapshot[], lineId: string): { fen: number; count: number } {
  let fen = 0
  let count = 0
  for (const refund of refunds) {
    if (refund.lineId !== lineId || refund.status !== 'refunded') continue
    fen += refund.refundFen
    count++
  }
  return { fen, count }
}

/**
 * A gift goes with its main line; where none is named, with whichever goes first: never alone, and with nothing when
 * all that was paid for is cancelled. What is said of the gift itself may only be stricter.
 */
function followMainLines(snapshot: OrderSnapshot, own: readonly Desire[]): readonly Desire[] {
  const { lines } = snapshot
  if (!lines.some((l) => l.gift) || lines.every((l) => l.gift)) return own
  const mildest = desires.find((d) => own.some((desire, i) => desire === d && !lines[i]!.gift))!
  return own.map((desire, i) => {
    const { gift, giftOf } = lines[i]!
    if (!gift) return desire
    const main = giftOf === null ? -1 : lines.findIndex((l) => l.lineId === giftOf)
    return stricter(desire, main === -1 ? mildest : own[main]!)
  })
}

function stricter(a: Desire, b: Desire): Desire {
  return desires.indexOf(a) > desires.indexOf(b) ? a : b
}
