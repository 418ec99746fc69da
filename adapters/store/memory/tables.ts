/** The tables of sql/ as maps: what `MemoryStore` keeps, and what a simulation looks at. */
import type { BillRow } from '../../../router/bill.ts'
import type { SettledAs } from '../../../router/exceptions.ts'
import type { PutRight } from '../../../router/parcels.ts'
import type { WriteOff } from '../../../router/reconcile/types.ts'
import type { Return } from '../../../router/returns/types.ts'
import type { Package, Task } from '../../../router/task.ts'
import type { Track, TrackWord } from '../../../router/track.ts'
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

/** An event that is not decided yet. */
export interface PendingRow extends InboxRow {
  attempts: number
  notBeforeMs: number
  lastError: string | null
}

export interface ExceptionRow {
  readonly kind: string
  readonly ref: string
  orderId: string | null
  detail: Readonly<Record<string, unknown>>
  readonly since: number
  /** null: it is open. */
  resolvedAt: number | null
  /** What a person said when he ended it. */
  resolvedAs: SettledAs | null
  /** A person ended it, and its fact lasts. */
  accepted: boolean
}

/** What a person wrote off. */
export interface WriteOffRow extends WriteOff {
  readonly orderId: string | null
  readonly of: ExceptionRow
}

export interface ParcelRow {
  readonly carrier: string
  readonly taskId: string
  readonly orderId: string
}

export interface TrackRow {
  readonly track: Track
  /** sha256 of the push, lower-case hex. */
  readonly bodyHash: string
  /** Final words on older parcels with this number. */
  readonly earlier: readonly TrackWord[]
}

export interface StoredBillRow {
  readonly id: number
  readonly hash: string
  readonly row: BillRow
}

export interface ReconciliationRow {
  state: 'open' | 'closed'
  /** JSON text. */
  detail: string
  /** Minus infinity: the order is due. */
  updatedAtMs: number
  /** When something expected will be missing. */
  dueAtMs: number | null
}

export interface TaskRow {
  task: Task
  readonly orderId: string
  readonly createdAt: number
  readonly createdAtMs: number
  readonly shipBy: number | null
  leaseUntilMs: number | null
  packages: readonly Package[]
  putRight: readonly PutRight[]
  reason: string | null
}

export interface StockRow {
  onHand: number
  reserved: number
  readonly safety: number
  /** When it was counted last; null: never. */
  readonly countedAtMs: number | null
}

export interface MovementRow {
  readonly node: string
  /** null: Redis did it first. */
  readonly seq: number | null
  readonly kind: 'set' | 'add' | 'reserve' | 'release' | 'correct' | 'ship' | 'return'
  readonly ref: string
  readonly lines: readonly {
    readonly sku: string
    readonly onHand: number
    readonly reserved: number
    readonly safety: number
  }[]
  readonly atMs: number
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

export interface Tables {
  lastSeq: number
  /** By day, channel, shop and event id. */
  readonly inbox: Map<string, InboxRow>
  readonly pending: Map<string, PendingRow>
  /** Other bodies under an event's id, by the key of the inbox and the body's hash. */
  readonly eventConflicts: Map<string, Uint8Array>
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
  /** In the sequence in which they were opened. */
  readonly exceptions: ExceptionRow[]
  /** Those that a person ended while their fact lasts. */
  readonly acceptedExceptions: Set<ExceptionRow>
  readonly writeOffs: WriteOffRow[]
  /** Those that are open, by kind and ref. */
  readonly openExceptions: Map<string, ExceptionRow>
  /** SKU → id of the order that waits for it → units. */
  readonly backorders: Map<string, Map<string, number>>
  /** By waybill. */
  readonly parcels: Map<string, ParcelRow[]>
  /** Waybill → carrier → its latest word. */
  readonly tracks: Map<string, Map<string, TrackRow>>
  /** By `exceptionRef`: source, account and ref. */
  readonly bills: Map<string, StoredBillRow>
  lastBillId: number
  /** By the order's id. */
  readonly reconciliations: Map<string, ReconciliationRow>
  /** By id, in the sequence in which they came. */
  readonly returns: Map<string, Return>
  epoch: number
}

export interface MemoryNetwork {
  readonly nodes: readonly { readonly node: string; readonly safety: number }[]
}

export function emptyTables({ nodes }: MemoryNetwork): Tables {
  return {
    ...{ lastSeq: 0, inbox: new Map(), pending: new Map(), orders: new Map(), idByKey: new Map(), tasks: new Map() },
    ...{ tasksOf: new Map(), decisions: [], movements: [], reserved: new Set(), postings: new Map(), epoch: 0 },
    ...{ returns: new Map() },
    ...{
      exceptions: [],
      acceptedExceptions: new Set(),
      writeOffs: [],
      openExceptions: new Map(),
      backorders: new Map(),
      parcels: new Map(),
      tracks: new Map(),
    },
    ...{ bills: new Map(), lastBillId: 0, eventConflicts: new Map(), reconciliations: new Map() },
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
