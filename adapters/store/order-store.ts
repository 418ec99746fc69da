/**
 * What the way of an order needs of Postgres, as verbs, by matter. `PostgresStore` answers them from a database, `MemoryStore`
 * from plain maps with the same meaning: versions, guarded stock, all or nothing, the epoch lock. The same tests run on both.
 * A stage of workers/ names the matters that it needs, and nothing else of the database.
 *
 * What fails for want of Postgres throws with a `code` that `isRetryable` knows; whether it took effect is unknown then.
 */

import type { BillRow } from '../../router/bill.ts'
import type { OutsideParcel } from '../../router/outside.ts'
import type { ParcelWord } from '../../router/parcels.ts'
import type { MissingUnits } from '../../router/shortage.ts'
import type { NodeDelta } from '../../router/stock.ts'
import type { GivenBackAs, Package, ShipWords, TaskRefusal } from '../../router/task.ts'
import type { Track } from '../../router/track.ts'
import type { Order, OrderKey, StockKey } from '../../router/types.ts'
import type { PersonsWord, Settled } from './exception-acts.ts'
import type { ExceptionEntry } from './exceptions.ts'
import type { InboxEvent, Stored } from './inbox/event.ts'
import type { PendingEvent } from './inbox/pending.ts'
import type { Backorder } from './orders/backorders.ts'
import type { CommitOutcome, DecisionWrite } from './orders/commit.ts'
import type { LoadedSome } from './orders/load.ts'
import type { ChangeReturn, ReturnOf, ReturnWritten } from './returns/returns.ts'
import type { RowSetAside } from './settle/bill-rows.ts'
import type { BillImport, ResolvedBills } from './settle/bills.ts'
import type { Stretch } from './settle/due.ts'
import type { ReconcileLoad, ReconcileResult } from './settle/reconcile.ts'
import type { MovedTrack, RecordedTrack } from './settle/tracks.ts'
import type { ReadShortages } from './stock/read-shortages.ts'
import type { UnpulledTask } from './stock/shortages.ts'
import type { NodeFigures, Posted, Posting } from './stock/stock.ts'
import type { Books, ChangedStock, NodeSeq } from './stock/watch-stock.ts'
import type { ShippedOutside } from './tasks/outside.ts'
import type { ParcelGiven, ParcelPutRight } from './tasks/put-right.ts'
import type { Shipped } from './tasks/ship.ts'
import type { Accepted, Extended, PulledTask } from './tasks/tasks.ts'
import type { WhoseParcel } from './tasks/whose-parcel.ts'

/** Events from the platform's push, or from people and stages, to their decision. */
export interface InboxStore {
  /** Durable when it returns; the outcomes are in the sequence of the events. */
  storeEvents(events: readonly InboxEvent[]): Promise<readonly Stored[]>
  /** Undecided events that are due, oldest first. */
  readPending(options: {
    readonly afterSeq: string
    readonly limit: number
    readonly bytesMax?: number
    readonly olderThanMs: number
  }): Promise<readonly PendingEvent[]>
  countPending(): Promise<number>
  /** Puts undecided events aside for a while, as a failed attempt. */
  postpone(seqs: readonly string[], delayMs: number, why: string): Promise<void>
  /** Puts notifications aside whose answer may not show yet what they told of. */
  doubt(seqs: readonly string[], delayMs: number): Promise<void>
  /** Above every number of an event that was given before. */
  nextNumber(): Promise<string>
  isStored(event: Pick<InboxEvent, 'channel' | 'shop' | 'eventId' | 'occurredAt'>): Promise<boolean>
}

/** What wants a person's eye. */
export interface ExceptionStore {
  /** Opens what is not open yet; gives how many were opened. */
  raise(entries: readonly ExceptionEntry[]): Promise<number>
  /** Their fact is over: closes the open ones of a kind, and lets a person's word go; gives how many those were. */
  resolve(kind: string, refs: readonly string[]): Promise<number>
  /** A person ends one, and says how. The same fact is not raised again while it lasts. */
  settleException(kind: string, ref: string, word: PersonsWord): Promise<Settled>
  /** Closes those of events that are decided, and of orders that are fetched, by now. */
  endEventExceptions(): Promise<number>
}

/** A reservation is its node's: another node's may have the same id. */
export interface ReservationName {
  readonly node: string
  readonly reservationId: string
}

export interface CommittedReservations {
  /** Parts those that a committed decision made from all others. */
  partedByCommit<R extends ReservationName>(
    reservations: readonly R[],
  ): Promise<{ readonly committed: readonly R[]; readonly others: readonly R[] }>
}

export interface Figures {
  /** Each node's number and what it can promise, of one instant; unknown nodes are left out. */
  figuresOf(nodes: readonly string[]): Promise<readonly NodeFigures[]>
}

/** What keeping Redis' counters in step needs. */
export interface StockBooks extends Figures {
  currentEpoch(): Promise<number>
  /** Runs `work` while no decision is being committed; what it gives is the new epoch, null leaves it as it is. */
  withEpochLock(work: (inside: LockedBooks, epoch: number) => Promise<number | null>): Promise<number>
  /** The node's numbered changes after one of them, in order. */
  deltasAfter(node: string, fromSeq: number): Promise<readonly NodeDelta[]>
  hasReserved(node: string): Promise<boolean>
}

export interface LockedBooks extends Figures {
  nodeNames(): Promise<readonly string[]>
}

/** What holding Redis against Postgres needs. */
export interface StockWatch {
  nodeSeqs(): Promise<readonly NodeSeq[]>
  /** What is available now of whatever changed at some nodes after a number of theirs. */
  changedSince(nodes: readonly NodeSeq[]): Promise<readonly ChangedStock[]>
  /** A node's figures, and which reservations they include, as one look; null: no such node. */
  figuresWithCommitted(node: string, reservationIds: readonly string[]): Promise<Books | null>
}

/** Receipts and counts, and what follows when a count finds less than is promised. */
export interface StockStore {
  postStock(posting: Posting): Promise<Posted>
  /** Rows that promise more than there is: of one posting's SKUs, or all. */
  shortRows(of: { readonly node: string; readonly skus: readonly string[] } | null): Promise<readonly MissingUnits[]>
  /** The same of the given places, of every place at the given nodes, and of all that are known to be short. */
  shortAmong(places: readonly StockKey[], nodes: readonly string[]): Promise<readonly MissingUnits[]>
  /** Of some places, at one moment: what is missing, which unpulled tasks hold it, newest first, and which are called back. */
  readShortages(places: readonly StockKey[], recallIdOf: (task: UnpulledTask) => string): Promise<ReadShortages>
  /** Ends the exceptions of shortages that are over; gives how many. */
  endShortages(): Promise<number>
}

/** Orders that wait for goods. */
export interface BackorderStore {
  /** SKUs that some order waits for, in order, after the given one. */
  backorderedSkus(afterSku: string, limit: number): Promise<readonly string[]>
  /** The backorders of each of some SKUs behind an order's id, in the sequence in which the orders came. */
  backordersOf(
    of: readonly { readonly sku: string; readonly after: string | null }[],
    limit: { readonly perSku: number; readonly all: number },
  ): Promise<readonly Backorder[]>
}

/** What a thread needs to decide a batch. */
export interface DecisionStore extends CommittedReservations, Figures {
  /** Reads orders until they are some `bytesMax`, in no given sequence, and at least one: `left` names the others. */
  loadSome(keys: readonly OrderKey[], bytesMax: number): Promise<LoadedSome>
  commitDecisions(epoch: number, writes: readonly DecisionWrite[]): Promise<CommitOutcome>
  /** Those of some events that are not decided yet. */
  stillPending(seqs: readonly string[]): Promise<ReadonlySet<string>>
}

export type GivenBack =
  | TaskRefusal
  | { readonly outcome: 'given_back'; readonly seq: string }
  | { readonly outcome: 'already_given_back' }

/** A warehouse's verbs on its tasks. */
export interface TaskStore {
  pullTasks(node: string, limit: number, leaseSeconds: number): Promise<readonly PulledTask[]>
  /** For a pull whose caller is gone: its tasks are offered again at once. */
  endLeases(tasks: readonly PulledTask[]): Promise<void>
  /** `change`: what changed after the pull and is taken with this. */
  acceptTask(node: string, taskId: string, fence: number, change?: number): Promise<Accepted>
  extendLease(node: string, taskId: string, fence: number, leaseSeconds: number): Promise<Extended>
  shipTask(
    node: string,
    taskId: string,
    fence: number,
    packages: readonly Package[],
    words?: ShipWords,
  ): Promise<Shipped>
  /** `commandOf` makes the command that decides about the task; it is stored in the same transaction. */
  giveBack(
    node: string,
    taskId: string,
    fence: number,
    how: GivenBackAs,
    commandOf: (order: Order) => InboxEvent,
  ): Promise<GivenBack>
  /** A parcel that was told wrongly. `commandOf` makes the command that decides about voided units. */
  putParcelRight(
    whose: WhoseParcel,
    word: ParcelWord,
    given: ParcelGiven,
    commandOf: (order: Order) => InboxEvent,
  ): Promise<ParcelPutRight>
  /** A parcel that left outside of any task. `commandOf` makes the command that decides what is left of the order. */
  shipOutside(
    whose: WhoseParcel,
    told: OutsideParcel,
    given: ParcelGiven,
    commandOf: (order: Order) => InboxEvent,
  ): Promise<ShippedOutside>
  /** Tasks that are to be stopped and whose owner let the lease run out. */
  lapsedIntercepts(
    limit: number,
  ): Promise<readonly { readonly taskId: string; readonly fence: number; readonly node: string }[]>
}

/** Order, funds and logistics. */
export interface SettleStore {
  /** In one transaction that holds the orders: what is known of each goes to `resultOf`, and what it gives is written. */
  reconcileTogether(
    orderIds: readonly string[],
    resultOf: (load: ReconcileLoad) => ReconcileResult | null,
  ): Promise<readonly ReconcileResult[]>
  /** Orders that are marked as due, and of which something is overdue; lowest id first, after the given one. */
  dueOrders(afterOrderId: string, limit: number): Promise<readonly string[]>
  unreconciledOrders(afterOrderId: string, look: number): Promise<Stretch>
  /** Each row of each bill once; all or nothing. */
  importBill(
    source: string,
    account: string,
    rows: readonly BillRow[],
    setAside?: readonly RowSetAside[],
  ): Promise<BillImport>
  resolveBillsWithoutOrder(limit: number): Promise<ResolvedBills>
  recordTrack(track: Track, body: string): Promise<RecordedTrack>
  /** Another carrier has the parcel than was told; gives its orders. */
  moveTrack(moved: MovedTrack): Promise<readonly string[]>
}

/** After-sales. */
export interface ReturnStore {
  /** One transaction under the order's lock: what `change` gives is written, and good units become stock. */
  changeReturn<Refused extends { readonly outcome: string }>(
    of: ReturnOf,
    change: ChangeReturn<Refused>,
  ): Promise<ReturnWritten<Refused>>
}

/** The whole way: from the platform's event to the closed order. */
export interface OrderStore
  extends InboxStore,
    ExceptionStore,
    StockBooks,
    StockWatch,
    StockStore,
    BackorderStore,
    DecisionStore,
    TaskStore,
    SettleStore,
    ReturnStore {}
