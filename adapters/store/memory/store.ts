/**
 * The order's way on plain maps: the same verbs with the same meaning as on Postgres, in one process, without a clock of
 * its own. Every verb happens at one instant; only the epoch lock can make another one wait.
 */
import type { OrderKey, StockKey } from '../../../router/types.ts'
import type { ExceptionEntry } from '../exceptions.ts'
import type { InboxEvent } from '../inbox/event.ts'
import type { LockedBooks, OrderStore, ReservationName } from '../order-store.ts'
import type { DecisionWrite } from '../orders/commit.ts'
import type { Posting } from '../stock/stock.ts'
import type { NodeSeq } from '../stock/watch-stock.ts'
import type { PulledTask } from '../tasks/tasks.ts'
import { backorderedSkus, backordersOf } from './backorders.ts'
import { importBill, resolveBillsWithoutOrder } from './bills.ts'
import { commitDecisions } from './commit.ts'
import { dueOrders, unreconciledOrders } from './due.ts'
import { EpochLock } from './epoch-lock.ts'
import { endEventExceptions, raise, resolve, settleException } from './exceptions.ts'
import { isStored, nextNumber, storeEvents } from './intake.ts'
import { loadSome } from './orders.ts'
import { shipOutside } from './outside.ts'
import { countPending, doubt, postpone, readPending, stillPending } from './pending.ts'
import { putParcelRight } from './put-right.ts'
import { reconcileTogether } from './reconcile.ts'
import { changeReturn } from './returns.ts'
import { endShortages, readShortages, shortAmong, shortRows } from './shortages.ts'
import { deltasAfter, figuresOf, hasReserved, lockedBooks, partedByCommit, postStock } from './stock.ts'
import { emptyTables, type MemoryNetwork, type Tables } from './tables.ts'
import { acceptTask, endLeases, extendLease, giveBack, lapsedIntercepts, pullTasks, shipTask } from './tasks.ts'
import { moveTrack, recordTrack } from './tracks.ts'
import { changedSince, figuresWithCommitted, nodeSeqs } from './watch-stock.ts'

type Given<Verb extends keyof OrderStore> = Parameters<OrderStore[Verb]>

export class MemoryStore implements OrderStore {
  readonly tables: Tables
  readonly #now: () => number
  readonly #lock = new EpochLock()
  #transactions = 0

  /** `now`: epoch milliseconds, for leases and ages. */
  constructor(network: MemoryNetwork, now: () => number) {
    this.tables = emptyTables(network)
    this.#now = now
  }

  /** Whether a transaction holds the epoch lock, or waits for it. */
  get locked(): boolean {
    return this.#lock.isHeld
  }

  async currentEpoch(): Promise<number> {
    return this.tables.epoch
  }

  unlocked(): Promise<void> {
    return this.#lock.free()
  }

  /** When `work` throws, the lock is free and the epoch as it was. */
  withEpochLock(work: (inside: LockedBooks, epoch: number) => Promise<number | null>): Promise<number> {
    return this.#lock.hold(async () => {
      const raised = await work(lockedBooks(this.tables), this.tables.epoch)
      if (raised !== null) this.tables.epoch = raised
      return this.tables.epoch
    })
  }

  // ─────────────────────────────────────────────────────────────── events

  async storeEvents(events: readonly InboxEvent[]) {
    return storeEvents(this.tables, events, this.#now())
  }

  async readPending(options: Given<'readPending'>[0]) {
    return readPending(this.tables, options, this.#now())
  }

  async countPending() {
    return countPending(this.tables)
  }

  async postpone(seqs: readonly string[], delayMs: number, why: string) {
    postpone(this.tables, seqs, why, this.#now() + delayMs)
  }

  async doubt(seqs: readonly string[], delayMs: number) {
    doubt(this.tables, seqs, this.#now() + delayMs)
  }

  async nextNumber() {
    return nextNumber(this.tables)
  }

  async isStored(event: Given<'isStored'>[0]) {
    return isStored(this.tables, event)
  }

  async stillPending(seqs: readonly string[]) {
    return stillPending(this.tables, seqs)
  }

  // ─────────────────────────────────────────────────────────────── exceptions

  async raise(entries: readonly ExceptionEntry[]) {
    return raise(this.tables, entries, this.#now())
  }

  async resolve(kind: string, refs: readonly string[]) {
    return resolve(this.tables, kind, refs, this.#now())
  }

  async settleException(...[kind, ref, { as }]: Given<'settleException'>) {
    return settleException(this.tables, kind, ref, as, this.#now())
  }

  async endEventExceptions() {
    return endEventExceptions(this.tables, this.#now())
  }

  // ─────────────────────────────────────────────────────────────── decisions

  async loadSome(keys: readonly OrderKey[], bytesMax: number) {
    return loadSome(this.tables, keys, bytesMax)
  }

  async commitDecisions(epoch: number, writes: readonly DecisionWrite[]) {
    await this.unlocked()
    this.#transactions += 1
    return commitDecisions(this.tables, epoch, writes, this.#transactions, this.#now())
  }

  async partedByCommit<R extends ReservationName>(reservations: readonly R[]) {
    return partedByCommit(this.tables, reservations)
  }

  // ─────────────────────────────────────────────────────────────── stock

  async figuresOf(nodes: readonly string[]) {
    return figuresOf(this.tables, nodes)
  }

  async deltasAfter(node: string, fromSeq: number) {
    return deltasAfter(this.tables, node, fromSeq)
  }

  hasReserved: OrderStore['hasReserved'] = async (node) => hasReserved(this.tables, node)

  async nodeSeqs() {
    return nodeSeqs(this.tables)
  }

  async changedSince(nodes: readonly NodeSeq[]) {
    return changedSince(this.tables, nodes)
  }

  async figuresWithCommitted(node: string, reservationIds: readonly string[]) {
    return figuresWithCommitted(this.tables, node, reservationIds)
  }

  async postStock(posting: Posting) {
    return postStock(this.tables, posting, this.#now())
  }

  async shortRows(of: Given<'shortRows'>[0]) {
    return shortRows(this.tables, of)
  }

  async shortAmong(places: readonly StockKey[], nodes: readonly string[]) {
    return shortAmong(this.tables, places, nodes)
  }

  async readShortages(...[places, recallIdOf]: Given<'readShortages'>) {
    return readShortages(this.tables, places, recallIdOf)
  }

  async endShortages() {
    return endShortages(this.tables, this.#now())
  }

  async backorderedSkus(afterSku: string, limit: number) {
    return backorderedSkus(this.tables, afterSku, limit)
  }

  async backordersOf(...given: Given<'backordersOf'>) {
    return backordersOf(this.tables, ...given)
  }

  // ─────────────────────────────────────────────────────────────── tasks

  async pullTasks(node: string, limit: number, leaseSeconds: number) {
    return pullTasks(this.tables, node, limit, leaseSeconds, this.#now())
  }
  async endLeases(tasks: readonly PulledTask[]) {
    endLeases(this.tables, tasks, this.#now())
  }
  async acceptTask(node: string, taskId: string, fence: number, change?: number) {
    return acceptTask(this.tables, node, taskId, fence, this.#now(), change)
  }
  async extendLease(node: string, taskId: string, fence: number, leaseSeconds: number) {
    return extendLease(this.tables, { node, taskId, fence, nowMs: this.#now() }, leaseSeconds)
  }
  async shipTask(...[node, taskId, fence, packages, words]: Given<'shipTask'>) {
    return shipTask(this.tables, { node, taskId, fence, nowMs: this.#now() }, packages, words)
  }
  async giveBack(...[node, taskId, fence, how, commandOf]: Given<'giveBack'>) {
    return giveBack(this.tables, { node, taskId, fence, nowMs: this.#now() }, how, commandOf)
  }
  async putParcelRight(...[whose, word, , commandOf]: Given<'putParcelRight'>) {
    return putParcelRight(this.tables, whose, word, commandOf, this.#now())
  }
  async shipOutside(...[whose, told, , commandOf]: Given<'shipOutside'>) {
    return shipOutside(this.tables, whose, told, commandOf, ++this.#transactions, this.#now())
  }
  async lapsedIntercepts(limit: number) {
    return lapsedIntercepts(this.tables, limit, this.#now())
  }

  // ─────────────────────────────────────────────────────────────── settling

  async reconcileTogether(...[orderIds, resultOf]: Given<'reconcileTogether'>) {
    return reconcileTogether(this.tables, orderIds, resultOf, this.#now())
  }

  async dueOrders(afterOrderId: string, limit: number) {
    return dueOrders(this.tables, afterOrderId, limit, this.#now())
  }

  async unreconciledOrders(afterOrderId: string, look: number) {
    return unreconciledOrders(this.tables, afterOrderId, look)
  }

  async importBill(...[source, account, rows, setAside = []]: Given<'importBill'>) {
    return importBill(this.tables, source, account, rows, setAside, this.#now())
  }

  async resolveBillsWithoutOrder(limit: number) {
    return resolveBillsWithoutOrder(this.tables, limit, this.#now())
  }

  async recordTrack(...[track, body]: Given<'recordTrack'>) {
    return recordTrack(this.tables, track, body, this.#now())
  }
  async moveTrack(...[moved]: Given<'moveTrack'>) {
    return moveTrack(this.tables, moved, this.#now())
  }

  changeReturn: OrderStore['changeReturn'] = async (of, change) => changeReturn(this.tables, of, change, this.#now())
}
