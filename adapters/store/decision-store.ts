/**
 * What the way of an order needs of Postgres, as verbs. `PostgresStore` answers them from a database, `MemoryStore` from plain
 * maps with the same meaning: versions, guarded stock, all or nothing, the epoch lock. The same tests run on both.
 *
 * What fails for want of Postgres throws with a `code` that `isRetryable` knows; whether it took effect is unknown then.
 */
import type { Order, OrderKey } from '../../router/types.ts'
import type { InboxEvent, PendingEvent, Stored } from './inbox/inbox.ts'
import type { CommitOutcome, DecisionWrite } from './orders/commit.ts'
import type { Loaded } from './orders/load.ts'
import type { NodeDelta } from './stock/move-stock.ts'
import type { NodeFigures, Posted, Posting } from './stock/stock.ts'
import type { Shipped } from './tasks/ship.ts'
import type { giveBack, Package, PulledTask, TaskRefusal } from './tasks/tasks.ts'

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

export type GivenBackAs = Parameters<typeof giveBack>[4]

/** What a thread needs to decide a batch. */
export interface DecisionStore extends CommittedReservations, Figures {
  /** By `keyOf`; unknown orders are absent. */
  loadByKeys(keys: readonly OrderKey[]): Promise<ReadonlyMap<string, Loaded>>
  commitDecisions(epoch: number, writes: readonly DecisionWrite[]): Promise<CommitOutcome>
  /** Those of some events that nobody has decided yet. */
  stillPending(seqs: readonly string[]): Promise<ReadonlySet<string>>
}

/** The whole way: from the platform's event to the parcel. */
export interface OrderStore extends StockBooks, DecisionStore {
  storeEvents(events: readonly InboxEvent[]): Promise<readonly Stored[]>
  readPending(options: {
    readonly afterSeq: string
    readonly limit: number
    readonly olderThanMs: number
  }): Promise<readonly PendingEvent[]>
  postStock(posting: Posting): Promise<Posted>
  pullTasks(node: string, limit: number, leaseSeconds: number): Promise<readonly PulledTask[]>
  acceptTask(
    node: string,
    taskId: string,
    fence: number,
  ): Promise<TaskRefusal | { readonly outcome: 'accepted' | 'already_accepted' }>
  shipTask(node: string, taskId: string, fence: number, packages: readonly Package[]): Promise<Shipped>
  /** `commandOf` makes the command that decides about the task; it is stored in the same transaction. */
  giveBack(
    node: string,
    taskId: string,
    fence: number,
    how: GivenBackAs,
    commandOf: (order: Order) => InboxEvent,
  ): Promise<
    TaskRefusal | { readonly outcome: 'given_back'; readonly seq: string } | { readonly outcome: 'already_given_back' }
  >
  lapsedIntercepts(
    limit: number,
  ): Promise<readonly { readonly taskId: string; readonly fence: number; readonly node: string }[]>
}
