/** The tables of sql/ as maps: what `MemoryStore` keeps, and what a simulation looks at. */
import type { BillRow } from '../../../router/bill.ts'
import type { Reconciliation } from '../../../router/reconcile/types.ts'
import type { Package, Task } from '../../../router/task.ts'
import type { Track } from '../../../router/track.ts'
import type { Order } from '../../../router/types.ts'

export interface InboxRow {
  readonly seq: string
  readonly day: string
  readonly channel: string
  readonly shop: string
  readonly eventId: string
  readonly orderId: string
  readonly kind: string
  readonly bodyHash: string
  readonly body: Uint8Array
  readonly storedAtMs: number
}

export interface TaskRow {
  task: Task
  readonly orderId: string
  readonly createdAt: number
  readonly shipBy: number | null
  leaseUntilMs: number | null
  packages: readonly Package[]
  reason: string | null
}

export interface StockRow {
  onHand: number
  reserved: number
  readonly safety: number
}

export interface MovementRow {
  readonly node: string
  /** null: Redis did it first. */
  readonly seq: number | null
  readonly kind: 'set' | 'add' | 'reserve' | 'release' | 'correct' | 'ship'
  readonly ref: string
  readonly lines: readonly {
    readonly sku: string
    readonly onHand: number
    readonly reserved: number
    readonly safety: number
  }[]
}

export interface DecisionRow {
  readonly orderId: string
  readonly version: number
  readonly seq: string
  readonly outcome: string
}

export interface NodeRow {
  readonly node: string
  readonly no: number
  seq: number
  readonly safety: number
}

/** What of an event is still to be done. */
export interface PendingRow extends InboxRow {
  attempts: number
  notBeforeMs: number
  lastError: string | null
}

export interface ExceptionRow {
  readonly id: number
  readonly kind: string
  readonly ref: string
  orderId: string | null
  detail: Readonly<Record<string, unknown>>
  readonly sinceMs: number
  resolvedAtMs: number | null
}

/** The mark that says which order is due is here, so that it lasts as long as what it was set for. */
export interface ReconciliationRow {
  state: 'open' | 'closed'
  /** Of the order, when it was last matched; null: never. */
  version: number | null
  isDue: boolean
  reconciliation: Reconciliation | null
}

export interface StoredBillRow extends BillRow {
  readonly id: string
  readonly source: string
  readonly account: string
}

export interface Tables {
  lastSeq: number
  /** By day, channel, shop and event id. */
  readonly inbox: Map<string, InboxRow>
  readonly pending: Map<string, PendingRow>
  /** By id. */
  readonly orders: Map<string, Order>
  /** `keyOf` → id. */
  readonly idByKey: Map<string, string>
  readonly tasks: Map<string, TaskRow>
  readonly tasksOf: Map<string, TaskRow[]>
  readonly decisions: DecisionRow[]
  readonly nodes: Map<string, NodeRow>
  /** Node → SKU → row. */
  readonly stock: Map<string, Map<string, StockRow>>
  readonly movements: MovementRow[]
  /** Node and reservation id of what decisions reserved. */
  readonly reserved: Set<string>
  readonly postings: Map<string, string>
  readonly exceptions: ExceptionRow[]
  /** Order id → SKU → units that wait. */
  readonly backorders: Map<string, ReadonlyMap<string, number>>
  /** Order id → its match. */
  readonly reconciliations: Map<string, ReconciliationRow>
  /** `pairKey(source and account, ref)` → row. */
  readonly bills: Map<string, StoredBillRow>
  /** `pairKey(carrier, waybill)` → the latest word. */
  readonly tracks: Map<string, Track & { readonly bodyHash: string }>
  /** Waybill → orders with a parcel of it. */
  readonly parcels: Map<string, Set<string>>
  epoch: number
}

export interface MemoryNetwork {
  readonly nodes: readonly { readonly node: string; readonly safety: number }[]
}

export function emptyTables({ nodes }: MemoryNetwork): Tables {
  return {
    ...{ lastSeq: 0, inbox: new Map(), pending: new Map(), orders: new Map(), idByKey: new Map(), tasks: new Map() },
    ...{ tasksOf: new Map(), decisions: [], movements: [], reserved: new Set(), postings: new Map(), epoch: 0 },
    ...{ exceptions: [], backorders: new Map(), reconciliations: new Map(), bills: new Map() },
    ...{ tracks: new Map(), parcels: new Map() },
    nodes: new Map(nodes.map(({ node, safety }, i) => [node, { node, no: i + 1, seq: 0, safety }])),
    stock: new Map(nodes.map(({ node }) => [node, new Map()])),
  }
}

export function pairKey(a: string, b: string): string {
  return `${a}\u0000${b}`
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The number of the node's next change. */
export function nextNodeSeq(tables: Tables, node: string): number {
  const row = tables.nodes.get(node)!
  row.seq += 1
  return row.seq
}
