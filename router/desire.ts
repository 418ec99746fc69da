/**
 * What should happen to the units of each line of an order now: ship, hold, or cancel them. Follows from what the platform and
 * the operator last said and from the check, never from how the order got here.
 *
 * When the platform contradicts itself the line is held: a parcel that leaves late can still be sent, a parcel that
 * left by mistake does not come back by itself.
 *
 * The holds of this file: `refund_requested`, `refunded_in_part`, `platform_ahead`. Those of the order's content:
 * ./check.ts.
 */
import { type Catalog, isVirtual } from './bundle.ts'
import { allOf, atLeast, desires, divided, type LineUnits, mildestOf, toldUnits, unitsOfAmount } from './line-units.ts'
import { shippedUnits } from './shipped-units.ts'
import { isOwned, type Task } from './task.ts'
import type { Hold, Order, OrderSnapshot, RefundSnapshot, SnapshotLine } from './types.ts'

export interface Desires {
  /** One a line of the snapshot. */
  readonly lines: readonly LineUnits[]
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
// Both readings are possible: the buyer keeps all units and pays less for them, or does not want some of them.
const refundedInPart = {
  rule: 'refunded_in_part',
  reason:
    'a part of what was paid for a line is refunded, and the amount does not tell how many units: approve to ship all of them, or say for the line how many units ship',
}
const heldByPerson = {
  rule: 'held_by_person',
  reason: 'a person holds units of a line: say for the line how many units ship, or cancel',
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
  told: Order,
  tasks: readonly Task[],
  checkHolds: readonly Hold[],
  refusals: readonly Hold[],
  catalog: Catalog,
): Desires {
  const order = withoutAfterSales(told, tasks)
  const { snapshot } = order
  if (snapshot === null) return { lines: [], holds: [] }
  const whole = refundOfWholeOrder(order, snapshot)
  const cancelled =
    order.cancelledBy !== null || snapshot.platformState === 'closed' || refusals.length > 0 || whole === 'refunded'
  if (cancelled) return { lines: snapshot.lines.map((line) => allOf('cancel', line)), holds: [] }

  const holds = [...checkHolds]
  if (whole === 'requested') holds.push(refundRequested)
  if (isPlatformAhead(snapshot, tasks, catalog) && !order.overruled.includes(platformAhead.rule))
    holds.push(platformAhead)
  const isOrderHeld = holds.length > 0
  const own = snapshot.lines.map((line): LineUnits => {
    const { cancel, held, hold } = unitsGivenBack(order, snapshot, line)
    if (hold !== null && !holds.some((h) => h.rule === hold.rule)) holds.push(hold)
    const unwanted = line.quantity - toldUnits(line)
    return divided(line, unwanted + cancel, isOrderHeld ? line.quantity : held)
  })
  return { lines: followMainLines(snapshot, own), holds }
}

/**
 * A refund of goods that the buyer has is about units that left: of the line's other units it says nothing. Where nothing
 * of the line has left by us, it counts like any other, so that nothing is sent that the buyer has been paid back for.
 */
function withoutAfterSales(told: Order, tasks: readonly Task[]): Order {
  const { refunds, snapshot } = told
  if (snapshot === null || !refunds.some((refund) => refund.afterReceipt === true)) return told
  const left = new Set(shippedUnits(told, tasks).map(({ lineId }) => lineId))
  const isOfLeft = ({ afterReceipt, lineId }: RefundSnapshot): boolean =>
    afterReceipt === true && lineId !== null && left.has(lineId)
  const others = refunds.filter((refund) => !isOfLeft(refund))
  // The order's word on the line is the same refund.
  const lines = snapshot.lines.map((line): SnapshotLine => {
    const isSame = refunds.some((r) => isOfLeft(r) && r.lineId === line.lineId)
    return isSame ? { ...line, refund: 'none' } : line
  })
  return { ...told, refunds: others, snapshot: { ...snapshot, lines } }
}

interface GivenBack {
  /** Units that are not wanted any more. */
  readonly cancel: number
  /** Of the others, those that wait. */
  readonly held: number
  /** Why. */
  readonly hold: Hold | null
}

/**
 * A unit may be given back by the platform's word and by a person's, and each means the same unit: the greater number
 * counts, not the sum.
 */
function unitsGivenBack(order: Order, snapshot: OrderSnapshot, line: SnapshotLine): GivenBack {
  const quantity = toldUnits(line)
  const word = order.lineWords.find((w) => w.lineId === line.lineId)
  const refunded = refundedUnits(order, line)
  const cancel = Math.max(refunded ?? 0, word?.cancel ?? 0)
  if (cancel >= quantity) return { cancel: quantity, held: 0, hold: null }
  const asks = (hold: Hold): GivenBack | null =>
    order.overruled.includes(hold.rule) ? null : { cancel, held: quantity, hold }
  // While the buyer asks for some units the others wait with them, so that they leave in one parcel.
  if (isRefundRequested(order, snapshot, line)) return asks(lineRefundRequested) ?? { cancel, held: 0, hold: null }
  if (refunded === null && word === undefined) return asks(refundedInPart) ?? { cancel, held: 0, hold: null }
  const held = word?.hold ?? 0
  return { cancel, held, hold: held > 0 ? heldByPerson : null }
}

/**
 * How many units the platform says are refunded: by its own count, else by the amounts of the line's refunds, else by the
 * order's word for the line. null: a part of the money is refunded, and the amount does not tell.
 */
function refundedUnits(order: Order, line: SnapshotLine): number | null {
  const quantity = toldUnits(line)
  const done = refundedOf(order.refunds, line.lineId)
  if (line.refundUnits !== undefined && done.count === 0) return line.refundUnits.refunded
  if (line.refund === 'refunded' && done.count === 0) return quantity
  if (done.count === 0) return 0
  if (done.fen >= line.paidFen) return quantity
  const units = unitsOfAmount({ quantity, paidFen: line.paidFen }, done.fen)
  // The order says that all of the line is refunded, and the amount is less.
  return units === 0 && line.refund === 'refunded' ? null : units
}

/**
 * False when a node has pulled a task: it may have shipped and be about to tell us. False after our first parcel: the
 * rest follows. False where there is nothing to send.
 */
function isPlatformAhead(snapshot: OrderSnapshot, tasks: readonly Task[], catalog: Catalog): boolean {
  const { platformState } = snapshot
  if (platformState !== 'partly_shipped' && platformState !== 'shipped' && platformState !== 'completed') return false
  if (snapshot.lines.every((line) => isVirtual(line.sku, catalog))) return false
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
    if (refundedFen >= snapshot.paidFen - snapshot.freightFen - (snapshot.serviceFen ?? 0)) return 'refunded'
  }
  return isRequested ? 'requested' : 'none'
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
 * all that was paid for is cancelled. While some units of its main line go, it goes. What is said of the gift itself may
 * only be stricter.
 */
function followMainLines(snapshot: OrderSnapshot, own: readonly LineUnits[]): readonly LineUnits[] {
  const { lines } = snapshot
  if (!lines.some((l) => l.gift) || lines.every((l) => l.gift)) return own
  const mildest = desires.find((d) => own.some((units, i) => !lines[i]!.gift && mildestOf(units) === d)) ?? 'cancel'
  return own.map((units, i) => {
    const { gift, giftOf } = lines[i]!
    if (!gift) return units
    const main = giftOf === null ? -1 : lines.findIndex((l) => l.lineId === giftOf)
    return atLeast(main === -1 ? mildest : mildestOf(own[main]!), units)
  })
}
