/**
 * The order's way on plain maps: the same verbs with the same meaning as on Postgres, in one process, without a clock of
 * its own. Every verb happens at one instant; only the epoch lock can make another one wait.
 */
import type { GivenBackAs, Package } from '../../../router/task.ts'
import type { Order, OrderKey } from '../../../router/types.ts'
import type { InboxEvent } from '../inbox/event.ts'
import type {
  DecisionStore,
  InboxStore,
  LockedBooks,
  ReservationName,
  StockBooks,
  StockStore,
  TaskStore,
} from '../order-store.ts'
import type { DecisionWrite } from '../orders/commit.ts'
import { keyOf, type Loaded } from '../orders/load.ts'
import type { Posting } from '../stock/stock.ts'
import { commitDecisions } from './commit.ts'
import { readPending, storeEvents } from './intake.ts'
import { deltasAfter, figuresOf, postStock } from './stock.ts'
import { compare, emptyTables, type MemoryNetwork, pairKey, type Tables } from './tables.ts'
import { acceptTask, giveBack, lapsedIntercepts, pullTasks, shipTask } from './tasks.ts'

/** The matters that have a twin in memory. */
export type MemoryVerbs = StockBooks &
  DecisionStore &
  Pick<InboxStore, 'storeEvents' | 'readPending'> &
  Pick<StockStore, 'postStock'> &
  Omit<TaskStore, 'endLeases' | 'extendLease'>

export class MemoryStore implements MemoryVerbs {
  readonly tables: Tables
  readonly #now: () => number
  #transactions = 0
  #lock: Promise<unknown> = Promise.resolve()
  #locked = 0

  /** `now`: epoch milliseconds, for leases and ages. */
  constructor(network: MemoryNetwork, now: () => number) {
    this.tables = emptyTables(network)
    this.#now = now
  }

  /** Whether somebody holds the epoch lock, or waits for it. */
  get locked(): boolean {
    return this.#locked > 0
  }

  async currentEpoch(): Promise<number> {
    return this.tables.epoch
  }

  /** Resolves when nobody holds the epoch lock. */
  async unlocked(): Promise<void> {
    while (this.locked) await this.#lock
  }

  /** When `work` throws, the lock is free and the epoch as it was. */
  async withEpochLock(work: (inside: LockedBooks, epoch: number) => Promise<number | null>): Promise<number> {
    const before = this.#lock
    let free: () => void = () => undefined
    this.#lock = new Promise<void>((resolve) => {
      free = resolve
    })
    this.#locked += 1
    await before
    try {
      const raised = await work(this.#inside, this.tables.epoch)
      if (raised !== null) this.tables.epoch = raised
      return this.tables.epoch
    } finally {
      this.#locked -= 1
      free()
    }
  }

  readonly #inside: LockedBooks = {
    nodeNames: async () => [...this.tables.nodes.keys()].sort(compare),
    figuresOf: async (nodes) => figuresOf(this.tables, nodes),
  }

  async figuresOf(nodes: readonly string[]) {
    return figuresOf(this.tables, nodes)
  }

  async deltasAfter(node: string, fromSeq: number) {
    return deltasAfter(this.tables, node, fromSeq)
  }

  async hasReserved(node: string): Promise<boolean> {
    return [...(this.tables.stock.get(node)?.values() ?? [])].some((row) => row.reserved > 0)
  }

  async partedByCommit<R extends ReservationName>(reservations: readonly R[]) {
    const isCommitted = (r: R): boolean => this.tables.reserved.has(pairKey(r.node, r.reservationId))
    return { committed: reservations.filter(isCommitted), others: reservations.filter((r) => !isCommitted(r)) }
  }

  async loadByKeys(keys: readonly OrderKey[]): Promise<ReadonlyMap<string, Loaded>> {
    const loaded = new Map<string, Loaded>()
    for (const key of keys) {
      const id = this.tables.idByKey.get(keyOf(key))
      if (id === undefined) continue
      const rows = [...(this.tables.tasksOf.get(id) ?? [])]
      rows.sort((a, b) => a.createdAt - b.createdAt || compare(a.task.taskId, b.task.taskId))
      loaded.set(keyOf(key), { order: this.tables.orders.get(id)!, tasks: rows.map((r) => r.task) })
    }
    return loaded
  }

  async commitDecisions(epoch: number, writes: readonly DecisionWrite[]) {
    await this.unlocked()
    this.#transactions += 1
    return commitDecisions(this.tables, epoch, writes, this.#transactions)
  }

  async stillPending(seqs: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(seqs.filter((seq) => this.tables.pending.has(seq)))
  }

  async storeEvents(events: readonly InboxEvent[]) {
    return storeEvents(this.tables, events, this.#now())
  }

  async readPending(options: { readonly afterSeq: string; readonly limit: number; readonly olderThanMs: number }) {
    return readPending(this.tables, options, this.#now())
  }

  async postStock(posting: Posting) {
    return postStock(this.tables, posting)
  }

  async pullTasks(node: string, limit: number, leaseSeconds: number) {
    return pullTasks(this.tables, node, limit, leaseSeconds, this.#now())
  }

  async acceptTask(node: string, taskId: string, fence: number) {
    return acceptTask(this.tables, node, taskId, fence, this.#now())
  }

  async shipTask(node: string, taskId: string, fence: number, packages: readonly Package[]) {
    return shipTask(this.tables, { node, taskId, fence, nowMs: this.#now() }, packages)
  }

  async giveBack(
    node: string,
    taskId: string,
    fence: number,
    how: GivenBackAs,
    commandOf: (order: Order) => InboxEvent,
  ) {
    return giveBack(this.tables, { node, taskId, fence, nowMs: this.#now() }, how, commandOf)
  }

  async lapsedIntercepts(limit: number) {
    return lapsedIntercepts(this.tables, limit, this.#now())
  }
}
