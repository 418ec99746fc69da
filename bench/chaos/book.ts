/**
 * The ledger of a run: what the service answered the platforms, the warehouses and the operator. They write it down
 * themselves, and nothing in it comes from the service's tables. After a run it is compared with the tables
 * (checks.ts).
 */
import type { SkuQuantity } from '../../router/types.ts'
import type { TestOrder } from '../../workers/e2e/testing/orders.ts'
import { ledgerKey } from '../../workers/faults/testing/ledger.ts'

export interface OrderEntry {
  readonly key: string
  /** The newest version that was acknowledged. */
  order: TestOrder
  /** Names of the events that were acknowledged, as the platform names them. */
  readonly events: Set<string>
  /** A second body of an event was acknowledged too. */
  conflicting: boolean
  /** A warehouse gave a task of it back and will not be asked again. */
  rejected: boolean
}

export interface ShipmentEntry {
  readonly taskId: string
  readonly orderKey: string
  readonly node: string
  /** By waybill, what was confirmed to have left. */
  readonly packages: Map<string, readonly SkuQuantity[]>
}

export interface Odd {
  /** The latest fault by then. */
  readonly after: string
  readonly who: string
  readonly status: number
  readonly body: string
}

/** Redis promised otherwise than Postgres had it, the sweep found that twice, and loaded the counters anew. */
export interface DriftMended {
  readonly node: string
  readonly detail: unknown
  readonly since: Date
}

export class Book {
  readonly orders = new Map<string, OrderEntry>()
  readonly shipments = new Map<string, ShipmentEntry>()
  /** Tasks whose interception was confirmed. */
  readonly intercepted = new Set<string>()
  /** node/sku → units that were put on the shelf, the opening included. */
  readonly shelves = new Map<string, number>()
  /** Acknowledgements of events; pulled tasks; confirmed shipments. What a run waits for between two faults. */
  acknowledged = 0
  pulled = 0
  shipped = 0
  refused = 0
  driftsMended: readonly DriftMended[] = []
  unanswered = 0
  /** Answers that no protocol has: none is ever expected. */
  readonly odd: Odd[] = []
  /** For `odd`: the latest fault. */
  fault = 'none yet'
  /** Orders of which an event was acknowledged since the last look at this set. */
  readonly fresh = new Set<OrderEntry>()

  acknowledge(order: TestOrder, eventName: string, conflicting: boolean): void {
    const key = ledgerKey(order)
    const known = this.orders.get(key)
    const entry = known ?? { key, order, events: new Set(), conflicting: false, rejected: false }
    if (known === undefined) this.orders.set(key, entry)
    if (order.at > entry.order.at) entry.order = order
    entry.events.add(eventName)
    if (conflicting) entry.conflicting = true
    this.acknowledged += 1
    this.fresh.add(entry)
  }

  wonder(who: string, { status, body }: { readonly status: number; readonly body: string }): void {
    this.odd.push({ after: this.fault, who, status, body })
  }

  ship(shipment: Omit<ShipmentEntry, 'packages'>, waybill: string, lines: readonly SkuQuantity[]): void {
    const entry = this.shipments.get(shipment.taskId) ?? { ...shipment, packages: new Map() }
    this.shipments.set(shipment.taskId, entry)
    entry.packages.set(waybill, lines)
    this.shipped += 1
  }

  shelve(node: string, lines: readonly SkuQuantity[]): void {
    for (const { sku, quantity } of lines) {
      const place = `${node}/${sku}`
      this.shelves.set(place, (this.shelves.get(place) ?? 0) + quantity)
    }
  }
}
