/**
 * What should happen to each line of an order now: ship it, hold it, or cancel it. Follows from what the platform and
 * the operator last said and from the check, never from how the order got here.
 */
import type { Hold, Order, OrderSnapshot, RefundStatus, SnapshotLine } from './types.ts'

export type Desire = 'ship' | 'hold' | 'cancel'

export interface Desires {
  /** One a line of the snapshot. */
  readonly lines: readonly Desire[]
  /** Why lines are held; empty when none is. */
  readonly holds: readonly Hold[]
}

export function desiresOf(order: Order, checkHolds: readonly Hold[], refusals: readonly Hold[]): Desires {
  const { snapshot } = order
  if (snapshot === null) return { lines: [], holds: [] }
  const cancelled =
    order.cancelledBy !== null ||
    snapshot.platformState === 'closed' ||
    refusals.length > 0 ||
    refundOfWholeOrder(order) === 'refunded'
  if (cancelled) return { lines: snapshot.lines.map(() => 'cancel'), holds: [] }

  const holds = [...checkHolds]
  if (refundOfWholeOrder(order) === 'requested') {
    holds.push({
      rule: 'refund_requested',
      reason: 'the buyer asks for a refund of the whole order: settle it on the platform',
    })
  }
  // Somebody shipped it without us: to source it as well would ship it twice.
  if ((snapshot.platformState === 'shipped' || snapshot.platformState === 'completed') && order.taskCount === 0) {
    holds.push({
      rule: 'platform_ahead',
      reason: 'the platform says that it is shipped, and we shipped nothing: check who did',
    })
  }
  const whole: Desire = holds.length > 0 ? 'hold' : 'ship'
  const own = snapshot.lines.map((line) => desireOfLine(order, snapshot, line, whole))
  const lines = followMainLines(snapshot, own)
  if (lines.includes('hold') && holds.length === 0) {
    holds.push({ rule: 'refund_requested', reason: 'the buyer asks for a refund of a line: settle it on the platform' })
  }
  return { lines, holds }
}

function refundOfWholeOrder(order: Order): RefundStatus {
  let status: RefundStatus = 'none'
  let refundedFen = 0
  for (const refund of order.refunds) {
    if (refund.lineId !== null) continue
    if (refund.status === 'requested') status = 'requested'
    if (refund.status === 'refunded') refundedFen += refund.refundFen
  }
  // A part of the money given back is a rebate: the goods still go out.
  const paidFen = order.snapshot?.paidFen ?? 0
  const freightFen = order.snapshot?.freightFen ?? 0
  if (order.refunds.some((r) => r.lineId === null && r.status === 'refunded') && refundedFen >= paidFen - freightFen) {
    return 'refunded'
  }
  return status
}

function desireOfLine(order: Order, snapshot: OrderSnapshot, line: SnapshotLine, whole: Desire): Desire {
  if (line.refund === 'refunded') return 'cancel'
  let refundedFen = 0
  let refunded = false
  let latest: { status: RefundStatus; at: number } = { status: line.refund, at: snapshot.modifiedAt }
  for (const refund of order.refunds) {
    if (refund.lineId !== line.lineId) continue
    if (refund.status === 'refunded') {
      refunded = true
      refundedFen += refund.refundFen
    }
    if (refund.modifiedAt >= latest.at) latest = { status: refund.status, at: refund.modifiedAt }
  }
  if (refunded && refundedFen >= line.paidFen) return 'cancel'
  return latest.status === 'requested' ? 'hold' : whole
}

/** A gift goes with its main line, and with nothing when everything that was paid for is cancelled. */
function followMainLines(snapshot: OrderSnapshot, desires: readonly Desire[]): Desire[] {
  const main = desires.filter((_, i) => !snapshot.lines[i]!.gift)
  const nothingLeft = main.length > 0 && main.every((d) => d === 'cancel')
  return desires.map((desire, i) => {
    const line = snapshot.lines[i]!
    if (!line.gift || desire === 'cancel') return desire
    if (nothingLeft) return 'cancel'
    const mainLine = line.giftOf === null ? -1 : snapshot.lines.findIndex((l) => l.lineId === line.giftOf)
    return mainLine === -1 ? desire : desires[mainLine]!
  })
}
