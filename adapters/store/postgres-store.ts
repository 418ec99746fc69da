/** The way's verbs on a real database: each is the function of its stage, and nothing of its own. */
import type { Order, OrderKey } from '../../router/types.ts'
import type {
  DecisionStore,
  GivenBackAs,
  LockedBooks,
  OrderStore,
  ReservationName,
  StockBooks,
} from './decision-store.ts'
import { type InboxEvent, readPending, storeEvents } from './inbox/inbox.ts'
import { commitDecisions, type DecisionWrite } from './orders/commit.ts'
import { loadByKeys } from './orders/load.ts'
import type { Sql, Transaction } from './postgres/connect.ts'
import { currentEpoch, nodeNames, withEpochLock } from './stock/epoch.ts'
import { deltasAfter, figuresOf, type Posting, postStock } from './stock/stock.ts'
import { partedByCommit } from './sweep.ts'
import { shipTask } from './tasks/ship.ts'
import { acceptTask, giveBack, lapsedIntercepts, type Package, pullTasks } from './tasks/tasks.ts'

/** What keepers and threads use. */
export class PostgresStore implements StockBooks, DecisionStore {
  protected readonly sql: Sql

  constructor(sql: Sql) {
    this.sql = sql
  }

  currentEpoch() {
    return currentEpoch(this.sql)
  }

  withEpochLock(work: (inside: LockedBooks, epoch: number) => Promise<number | null>) {
    return withEpochLock(this.sql, (tx, epoch) =>
      work({ nodeNames: () => nodeNames(tx), figuresOf: (nodes) => figuresOf(tx, nodes) }, epoch),
    )
  }

  figuresOf(nodes: readonly string[]) {
    return figuresOf(this.sql, nodes)
  }

  deltasAfter(node: string, fromSeq: number) {
    return deltasAfter(this.sql, node, fromSeq)
  }

  async hasReserved(node: string): Promise<boolean> {
    const [row] = await this.sql`select 1 from stock where node = ${node} and reserved > 0 limit 1`
    return row !== undefined
  }

  partedByCommit<R extends ReservationName>(reservations: readonly R[]) {
    return partedByCommit(this.sql, reservations)
  }

  loadByKeys(keys: readonly OrderKey[]) {
    return loadByKeys(this.sql, keys)
  }

  commitDecisions(epoch: number, writes: readonly DecisionWrite[]) {
    return commitDecisions(this.sql, epoch, writes)
  }

  async stillPending(seqs: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.sql<{ seq: string }[]>`
      select seq from pending where seq = any(${seqs as string[]}::bigint[])`
    return new Set(rows.map((r) => r.seq))
  }
}

export type InsertCommand = (tx: Transaction, event: InboxEvent) => Promise<string>

/** The whole way; who inserts a command inside somebody else's transaction is told from outside. */
export class PostgresOrderStore extends PostgresStore implements OrderStore {
  readonly #insertCommand: InsertCommand

  constructor(sql: Sql, insertCommand: InsertCommand) {
    super(sql)
    this.#insertCommand = insertCommand
  }

  storeEvents(events: readonly InboxEvent[]) {
    return storeEvents(this.sql, events)
  }

  readPending(options: { readonly afterSeq: string; readonly limit: number; readonly olderThanMs: number }) {
    return readPending(this.sql, options)
  }

  postStock(posting: Posting) {
    return postStock(this.sql, posting)
  }

  pullTasks(node: string, limit: number, leaseSeconds: number) {
    return pullTasks(this.sql, node, limit, leaseSeconds)
  }

  acceptTask(node: string, taskId: string, fence: number) {
    return acceptTask(this.sql, node, taskId, fence)
  }

  shipTask(node: string, taskId: string, fence: number, packages: readonly Package[]) {
    return shipTask(this.sql, node, taskId, fence, packages)
  }

  async giveBack(
    node: string,
    taskId: string,
    fence: number,
    how: GivenBackAs,
    commandOf: (order: Order) => InboxEvent,
  ) {
    const done = await giveBack(this.sql, node, taskId, fence, how, (tx, order) =>
      this.#insertCommand(tx, commandOf(order)),
    )
    return done.outcome === 'given_back' ? ({ outcome: 'given_back', seq: done.command } as const) : done
  }

  lapsedIntercepts(limit: number) {
    return lapsedIntercepts(this.sql, limit)
  }
}
