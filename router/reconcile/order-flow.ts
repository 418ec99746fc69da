/** The order flow: every unit went out, or was cancelled or returned, and the platform does not say otherwise. */
import { trackOf } from '../carrier.ts'
import { toldUnits } from '../line-units.ts'
import { placesBack } from '../returns/units.ts'
import { keyOf } from '../shipped-units.ts'
import type { Item, OrderSnapshot, SnapshotLine } from '../types.ts'
import { expectedPaidFen, hasRefund, isDepositKept, isFullyRefunded } from './refunds.ts'
import { matchReturns } from './returns.ts'
import type { OrderFlow, ReconcileException, ReconcileExceptionKind, ReconcileInput, ShippedTask } from './types.ts'

export function matchOrder(input: ReconcileInput, exceptions: ReconcileException[]): OrderFlow {
  const { order } = input
  const { snapshot } = order
  const before = exceptions.length
  const units = countUnits(input)
  const flow = {
    expectedUnits: units.expected,
    shippedUnits: units.shipped,
    cancelledUnits: units.cancelled,
    returnedUnits: units.returned,
  }
  if (snapshot === null) {
    const told = [...order.refunds.map((refund) => refund.modifiedAt), ...input.bills.map((row) => row.occurredAt)]
    const since = told.length > 0 ? Math.min(...told) : 0
    exceptions.push({ kind: 'order_unknown', of: '', since, detail: { refunds: order.refunds.length } })
    return { ...flow, agrees: false }
  }
  const raise = (kind: ReconcileExceptionKind, of: string, since: number, quantity: number) => {
    if (quantity > 0) exceptions.push({ kind, of, since, detail: { units: quantity } })
  }
  const readyAt = snapshot.paidAt ?? snapshot.createdAt
  raise('units_held', '', readyAt, units.held)
  raise('units_backordered', '', readyAt, units.backordered)
  for (const [taskId, { kind, quantity }] of units.behind) raise(kind, taskId, readyAt, quantity)
  for (const [sku, quantity] of units.beyond) raise('shipped_but_cancelled', sku, snapshot.modifiedAt, quantity)

  const went = units.shipped + units.returned
  raise('shipped_but_cancelled', '', snapshot.modifiedAt, unitsGoneAllTheSame(input) - units.returned)
  if (snapshot.platformState === 'unpaid') raise('shipped_but_unpaid', '', snapshot.createdAt, went)
  const ahead = unitsThatPlatformIsAhead(snapshot, units)
  raise('platform_ahead', '', snapshot.modifiedAt, ahead)
  for (const [line, kept] of units.keptByLine) {
    const told = snapshot.lines[line]!
    const all = kept.reduce((sum, units) => sum + units.quantity, 0)
    raise('shipped_but_cancelled', told.lineId, snapshot.modifiedAt, all - unitsWanted(order.items, line, told))
    if (!isFullyRefunded(snapshot, order.refunds, told)) continue
    // Refunded when he had the goods already: the shop let him keep them. Who is refunded first should not get them.
    const since = refundToldAt(input, told.lineId)
    const left = kept.filter(({ deliveredAt }) => deliveredAt === null || deliveredAt > since)
    const quantity = left.reduce((sum, units) => sum + units.quantity, 0)
    raise('shipped_but_refunded', told.lineId, since, quantity)
  }
  matchReturns(input, exceptions)
  for (const [line, quantity] of units.cancelledByLine) {
    const told = snapshot.lines[line]!
    if (told.paidFen === 0 || !owesRefund(snapshot) || hasRefund(snapshot, order.refunds, told)) continue
    raise('cancelled_but_not_refunded', told.lineId, snapshot.modifiedAt, quantity)
  }
  return { ...flow, agrees: exceptions.length === before }
}

/** Units of parcels that a person wanted stopped, and that had left. What the platform closed is raised as refunded. */
function unitsGoneAllTheSame({ order, tasks }: ReconcileInput): number {
  if (order.cancelledBy === null && !order.lineWords.some((word) => word.cancel > 0)) return 0
  const gone = tasks.flatMap(({ packages }) => packages.filter((p) => p.alreadyGone === true))
  return gone.reduce((sum, { lines }) => sum + lines.reduce((units, line) => units + line.quantity, 0), 0)
}

/** Units of the items of a line that the platform still wants. */
function unitsWanted(items: readonly Item[], line: number, told: SnapshotLine): number {
  let units = 0
  for (const item of items) if (item.line === line) units += (item.quantity / told.quantity) * toldUnits(told)
  return units
}

/** Something was paid, and not as a deposit that the buyer gave up. */
function owesRefund(snapshot: OrderSnapshot): boolean {
  return expectedPaidFen(snapshot) > 0 && !isDepositKept(snapshot)
}

function unitsThatPlatformIsAhead(snapshot: OrderSnapshot, units: Units): number {
  const notSent = units.expected - units.shipped - units.returned - units.cancelled
  const nothingSent = units.shipped + units.returned === 0
  switch (snapshot.platformState) {
    case 'shipped':
    case 'completed':
      return nothingSent ? units.expected : notSent
    case 'partly_shipped':
      return nothingSent ? units.expected : 0
    default:
      return 0
  }
}

function refundToldAt(input: ReconcileInput, lineId: string): number {
  const told = input.order.refunds.filter(
    (refund) => refund.status === 'refunded' && (refund.lineId === null || refund.lineId === lineId),
  )
  if (told.length === 0) return input.order.snapshot!.modifiedAt
  return Math.min(...told.map((refund) => refund.modifiedAt))
}

interface Kept {
  readonly quantity: number
  /** null: not delivered, or not all of it. */
  readonly deliveredAt: number | null
}

interface Units {
  expected: number
  shipped: number
  cancelled: number
  returned: number
  held: number
  backordered: number
  /** Tasks that have not sent all that is allocated to them. */
  readonly behind: Map<string, { kind: 'task_open' | 'task_missing' | 'short_shipped'; quantity: number }>
  /** Units that went out though the order no longer wants them, by SKU. */
  readonly beyond: Map<string, number>
  /** Units that went out and did not come back, by line. */
  readonly keptByLine: Map<number, Kept[]>
  readonly cancelledByLine: Map<number, number>
}

function countUnits(input: ReconcileInput): Units {
  const { items, allocations } = input.order
  const units: Units = {
    ...{ expected: 0, shipped: 0, cancelled: 0, returned: 0, held: 0, backordered: 0 },
    behind: new Map(),
    beyond: new Map(),
    keptByLine: new Map(),
    cancelledByLine: new Map(),
  }
  const tasks = new Map(input.tasks.map((task) => [task.taskId, task]))
  const sent = new Map<string, Map<string, number>>()
  for (const task of input.tasks) {
    const bySku = new Map<string, number>()
    for (const line of task.lines) add(bySku, line.sku, line.shipped)
    sent.set(task.taskId, bySku)
  }
  const returned = new Map<string, number>()
  const back = new Map(placesBack(input.returns ?? []).returned)
  for (const { item: index, quantity, place, taskId } of allocations) {
    const item = items[index]!
    units.expected += quantity
    if (place === 'held') units.held += quantity
    else if (place === 'backordered') units.backordered += quantity
    else if (place === 'virtual') units.shipped += quantity
    else if (place === 'cancelled') {
      units.cancelled += quantity
      add(units.cancelledByLine, item.line, quantity)
    } else if (place === 'returned') {
      units.returned += quantity
      add(returned, item.sku, quantity)
    } else {
      const task = tasks.get(taskId!)
      const left = sent.get(taskId!)
      const went = Math.min(quantity, left?.get(item.sku) ?? 0)
      if (left !== undefined) add(left, item.sku, -went)
      const came = cameBack(input, back, item, went)
      units.shipped += went - came
      units.returned += came
      const end = went > came ? endOf(input, task!, item.sku) : 'came_back'
      if (end !== 'came_back') {
        const kept = units.keptByLine.get(item.line) ?? []
        units.keptByLine.set(item.line, [...kept, { quantity: went - came, deliveredAt: end }])
      }
      if (went < quantity) {
        const kind = kindOfTask(task)
        const quantitySoFar = units.behind.get(taskId!)?.quantity ?? 0
        units.behind.set(taskId!, { kind, quantity: quantitySoFar + quantity - went })
      }
    }
  }
  for (const bySku of sent.values()) for (const [sku, quantity] of bySku) add(units.beyond, sku, quantity)
  for (const [sku, quantity] of returned) add(units.beyond, sku, -quantity)
  return units
}

/** Of units of an item that went, those that a node has again: taken from `back`. */
function cameBack({ order }: ReconcileInput, back: Map<string, number>, item: Item, went: number): number {
  if (back.size === 0) return 0
  const key = keyOf({ lineId: order.snapshot?.lines[item.line]?.lineId ?? '', sku: item.sku })
  const came = Math.min(went, back.get(key) ?? 0)
  if (came > 0) add(back, key, 0 - came)
  return came
}

function kindOfTask(task: ShippedTask | undefined): 'task_open' | 'task_missing' | 'short_shipped' {
  if (task === undefined || task.state === 'cancelled') return 'task_missing'
  return task.state === 'shipped' ? 'short_shipped' : 'task_open'
}

/**
 * What became of the parcels in which the task sent this SKU: all are back at the sender; or each has arrived here or
 * there, the last at the buyer at this instant; null: some are on their way.
 */
function endOf(input: ReconcileInput, task: ShippedTask, sku: string): 'came_back' | number | null {
  const parcels = task.packages.filter((parcel) => parcel.lines.some((line) => line.sku === sku))
  if (parcels.length === 0) return null
  const tracks = parcels.map((parcel) => trackOf(input.tracks, parcel))
  const delivered = tracks.flatMap((track) => (track?.state === 'delivered' ? [track.occurredAt] : []))
  const returned = tracks.filter((track) => track?.state === 'returned')
  if (returned.length === tracks.length) return 'came_back'
  return delivered.length + returned.length === tracks.length ? Math.max(...delivered) : null
}

function add<Key>(map: Map<Key, number>, key: Key, quantity: number): void {
  map.set(key, (map.get(key) ?? 0) + quantity)
}
