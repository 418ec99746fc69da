/**
 * The order's way on plain maps: the same verbs with the same meaning as on Postgres, in one process, without a clock of
 * its own. Every verb happens at one instant; only the epoch lock can make another one wait.
 */
import type { BillRow } from '../../../router/bill.ts'
import type { GivenBackAs, Package } from '../../../router/task.ts'
import type { Track } from '../../../router/track.ts'
import type { Order, OrderKey, StockKey } from '../../../router/types.ts'
import type { ExceptionEntry } from '../exceptions.ts'
import type { InboxEvent } from '../inbox/event.ts'
import type { LockedBooks, OrderStore, ReservationName } from '../order-store.ts'
import type { DecisionWrite } from '../orders/commit.ts'
import { keyOf, type Loaded } from '../orders/load.ts'
import type { UnpulledTask } from '../stock/shortages.ts'
import type { Posting } from '../stock/stock.ts'
import type { NodeSeq } from '../stock/watch-stock.ts'
import type { PulledTask } from '../tasks/tasks.ts'
import { backorderedSkus, backordersOf } from './backorders.ts'
import { commitDecisions } from './commit.ts'
import { endEventExceptions, raise, resolve } from './exceptions.ts'
import { countPending, doubt, isStored, nextNumber, type Page, postpone, readPending, storeEvents } from './inbox.ts'
import {
  dueOrders,
  importBill,
  reconcileTogether,
  recordTrack,
  resolveBillsWithoutOrder,
  unreconciledOrders,
} from './settle.ts'
import { endShortages, readShortages, shortAmong, shortRows } from './shortages.ts'
import { deltasAfter, figuresOf, postStock } from './stock.ts'
import { compare, emptyTables, type MemoryNetwork, pairKey, type Tables } from './tables.ts'
import { acceptTask, endLeases, extendLease, giveBack, lapsedIntercepts, pullTasks, shipTask } from './tasks.ts'
import { changedSince, figuresWithCommitted, nodeSeqs } from './watch-stock.ts'

export class MemoryStore implements OrderStore {
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

  get nowMs(): number {
    return this.#now()
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
    return commitDecisions(this.tables, epoch, writes, this.#transactions, this.#now())
  }

  async stillPending(seqs: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(seqs.filter((seq) => this.tables.pending.has(seq)))
  }

  async storeEvents(events: readonly InboxEvent[]) {
    return storeEvents(this.tables, events, this.#now())
  }

  async readPending(options: Page) {
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

  async countPending() {
    return countPending(this.tables)
  }

  async postpone(seqs: readonly string[], delayMs: number, why: string) {
    postpone(this.tables, seqs, delayMs, why, this.#now())
  }

  async doubt(seqs: readonly string[], delayMs: number) {
    doubt(this.tables, seqs, delayMs, this.#now())
  }

  async nextNumber() {
    return nextNumber(this.tables)
  }

  async isStored(event: Pick<InboxEvent, 'channel' | 'shop' | 'eventId' | 'occurredAt'>) {
    return isStored(this.tables, event)
  }

  async raise(entries: readonly ExceptionEntry[]) {
    return raise(this.tables, entries, this.#now())
  }

  async resolve(kind: string, refs: readonly string[]) {
    return resolve(this.tables, kind, refs, this.#now())
  }

  async endEventExceptions() {
    return endEventExceptions(this.tables, this.#now())
  }

  async nodeSeqs() {
    return nodeSeqs(this.tables)
  }

  async changedSince(nodes: readonly NodeSeq[]) {
    return changedSince(this.tables, nodes)
  }

  async figuresWithCommitted(node: string, reservationIds: readonly string[]) {
    return figuresWithCommitted(this.tables, node, reservationIds)
  }

  async shortRows(of: { readonly node: string; readonly skus: readonly string[] } | null) {
    return shortRows(this.tables, of)
  }

  async shortAmong(places: readonly StockKey[], nodes: readonly string[]) {
    return shortAmong(this.tables, places, nodes)
  }

  async readShortages(places: readonly StockKey[], recallIdOf: (task: UnpulledTask) => string) {
    return readShortages(this.tables, places, recallIdOf)
  }

  async endShortages() {
    return endShortages(this.tables, this.#now())
  }

  async backorderedSkus(afterSku: string, limit: number) {
    return backorderedSkus(this.tables, afterSku, limit)
  }

  async backordersOf(...args: Parameters<OrderStore['backordersOf']>) {
    return backordersOf(this.tables, ...args)
  }

  async endLeases(tasks: readonly PulledTask[]) {
    endLeases(this.tables, tasks, this.#now())
  }

  async extendLease(node: string, taskId: string, fence: number, leaseSeconds: number) {
    return extendLease(this.tables, { node, taskId, fence, nowMs: this.#now() }, leaseSeconds)
  }

  async reconcileTogether(...[orderIds, resultOf]: Parameters<OrderStore['reconcileTogether']>) {
    return reconcileTogether(this.tables, orderIds, resultOf, this.#now())
  }

  async dueOrders(afterOrderId: string, limit: number) {
    return dueOrders(this.tables, afterOrderId, limit)
  }

  async unreconciledOrders(afterOrderId: string, look: number) {
    return unreconciledOrders(this.tables, afterOrderId, look)
  }

  async resolveBillsWithoutOrder(limit: number) {
    return resolveBillsWithoutOrder(this.tables, limit, this.#now())
  }

  async recordTrack(track: Track, body: string) {
    return recordTrack(this.tables, track, body)
  }

  async importBill(source: string, account: string, rows: readonly BillRow[]) {
    return importBill(this.tables, source, account, rows, this.#now())
  }
}
