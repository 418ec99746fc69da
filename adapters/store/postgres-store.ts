/** The way's verbs on a real database: each is the function of its matter, and nothing of its own. */
import type { BillRow } from '../../router/bill.ts'
import type { Track } from '../../router/track.ts'
import type { OrderKey, StockKey } from '../../router/types.ts'
import { settleException } from './exception-acts.ts'
import { type ExceptionEntry, endEventExceptions, raise, resolve } from './exceptions.ts'
import type { InboxEvent } from './inbox/event.ts'
import { insertEvent } from './inbox/insert-event.ts'
import { countPending, doubt, postpone, readPending, stillPending } from './inbox/pending.ts'
import { isStored, nextNumber, storeEvents } from './inbox/store-events.ts'
import type { LockedBooks, OrderStore, ReservationName } from './order-store.ts'
import { backorderedSkus, backordersOf } from './orders/backorders.ts'
import { commitDecisions, type DecisionWrite } from './orders/commit.ts'
import { loadSome } from './orders/load.ts'
import type { Sql } from './postgres/connect.ts'
import { changeReturn } from './returns/returns.ts'
import { importBill, resolveBillsWithoutOrder } from './settle/bills.ts'
import { dueOrders, unreconciledOrders } from './settle/due.ts'
import { type ReconcileLoad, type ReconcileResult, reconcileTogether } from './settle/reconcile.ts'
import { moveTrack, recordTrack } from './settle/tracks.ts'
import { currentEpoch, hasReserved, nodeNames, withEpochLock } from './stock/epoch.ts'
import { readShortages } from './stock/read-shortages.ts'
import { partedByCommit } from './stock/reservations.ts'
import { endShortages, shortAmong, shortRows, type UnpulledTask } from './stock/shortages.ts'
import { deltasAfter, figuresOf, type Posting, postStock } from './stock/stock.ts'
import { changedSince, figuresWithCommitted, type NodeSeq, nodeSeqs } from './stock/watch-stock.ts'
import { shipOutside } from './tasks/outside.ts'
import { putParcelRight } from './tasks/put-right.ts'
import { shipTask } from './tasks/ship.ts'
import {
  acceptTask,
  endLeases,
  extendLease,
  giveBack,
  lapsedIntercepts,
  type PulledTask,
  pullTasks,
} from './tasks/tasks.ts'

type Options<Verb extends keyof OrderStore, At extends number> = OrderStore[Verb] extends (
  ...args: infer Args
) => unknown
  ? Args[At]
  : never

export class PostgresStore implements OrderStore {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  // ─────────────────────────────────────────────────────────────── events

  storeEvents(events: readonly InboxEvent[]) {
    return storeEvents(this.#sql, events)
  }

  readPending(options: Options<'readPending', 0>) {
    return readPending(this.#sql, options)
  }

  countPending() {
    return countPending(this.#sql)
  }

  postpone(seqs: readonly string[], delayMs: number, why: string) {
    return postpone(this.#sql, seqs, delayMs, why)
  }

  doubt(seqs: readonly string[], delayMs: number) {
    return doubt(this.#sql, seqs, delayMs)
  }

  nextNumber() {
    return nextNumber(this.#sql)
  }

  isStored(event: Options<'isStored', 0>) {
    return isStored(this.#sql, event)
  }

  stillPending(seqs: readonly string[]) {
    return stillPending(this.#sql, seqs)
  }

  // ─────────────────────────────────────────────────────────────── exceptions

  raise(entries: readonly ExceptionEntry[]) {
    return raise(this.#sql, entries)
  }

  resolve(kind: string, refs: readonly string[]) {
    return resolve(this.#sql, kind, refs)
  }

  settleException(...[kind, ref, word]: Parameters<OrderStore['settleException']>) {
    return settleException(this.#sql, kind, ref, word)
  }

  endEventExceptions() {
    return endEventExceptions(this.#sql)
  }

  // ─────────────────────────────────────────────────────────────── decisions

  loadSome(keys: readonly OrderKey[], bytesMax: number) {
    return loadSome(this.#sql, keys, bytesMax)
  }

  commitDecisions(epoch: number, writes: readonly DecisionWrite[]) {
    return commitDecisions(this.#sql, epoch, writes)
  }

  partedByCommit<R extends ReservationName>(reservations: readonly R[]) {
    return partedByCommit(this.#sql, reservations)
  }

  // ─────────────────────────────────────────────────────────────── stock

  currentEpoch() {
    return currentEpoch(this.#sql)
  }

  withEpochLock(work: (inside: LockedBooks, epoch: number) => Promise<number | null>) {
    return withEpochLock(this.#sql, (tx, epoch) =>
      work({ nodeNames: () => nodeNames(tx), figuresOf: (nodes) => figuresOf(tx, nodes) }, epoch),
    )
  }

  figuresOf(nodes: readonly string[]) {
    return figuresOf(this.#sql, nodes)
  }

  deltasAfter(node: string, fromSeq: number) {
    return deltasAfter(this.#sql, node, fromSeq)
  }

  hasReserved(node: string) {
    return hasReserved(this.#sql, node)
  }

  nodeSeqs() {
    return nodeSeqs(this.#sql)
  }

  changedSince(nodes: readonly NodeSeq[]) {
    return changedSince(this.#sql, nodes)
  }

  figuresWithCommitted(node: string, reservationIds: readonly string[]) {
    return figuresWithCommitted(this.#sql, node, reservationIds)
  }

  postStock(posting: Posting) {
    return postStock(this.#sql, posting)
  }

  shortRows(of: Options<'shortRows', 0>) {
    return shortRows(this.#sql, of)
  }

  shortAmong(places: readonly StockKey[], nodes: readonly string[]) {
    return shortAmong(this.#sql, places, nodes)
  }

  readShortages(places: readonly StockKey[], recallIdOf: (task: UnpulledTask) => string) {
    return readShortages(this.#sql, places, recallIdOf)
  }

  endShortages() {
    return endShortages(this.#sql)
  }

  backorderedSkus(afterSku: string, limit: number) {
    return backorderedSkus(this.#sql, afterSku, limit)
  }

  backordersOf(of: Options<'backordersOf', 0>, limit: Options<'backordersOf', 1>) {
    return backordersOf(this.#sql, of, limit)
  }

  // ─────────────────────────────────────────────────────────────── tasks

  pullTasks(node: string, limit: number, leaseSeconds: number) {
    return pullTasks(this.#sql, node, limit, leaseSeconds)
  }
  endLeases(tasks: readonly PulledTask[]) {
    return endLeases(this.#sql, tasks)
  }
  acceptTask(node: string, taskId: string, fence: number, change?: number) {
    return acceptTask(this.#sql, node, taskId, fence, change)
  }
  extendLease(node: string, taskId: string, fence: number, leaseSeconds: number) {
    return extendLease(this.#sql, node, taskId, fence, leaseSeconds)
  }
  shipTask(...given: Parameters<OrderStore['shipTask']>) {
    return shipTask(this.#sql, ...given)
  }
  async giveBack(...[node, taskId, fence, how, commandOf]: Parameters<OrderStore['giveBack']>) {
    const done = await giveBack(this.#sql, node, taskId, fence, how, (tx, order) => insertEvent(tx, commandOf(order)))
    return done.outcome === 'given_back' ? ({ outcome: 'given_back', seq: done.command } as const) : done
  }
  putParcelRight(...given: Parameters<OrderStore['putParcelRight']>) {
    return putParcelRight(this.#sql, ...given)
  }
  shipOutside(...given: Parameters<OrderStore['shipOutside']>) {
    return shipOutside(this.#sql, ...given)
  }
  lapsedIntercepts(limit: number) {
    return lapsedIntercepts(this.#sql, limit)
  }

  // ─────────────────────────────────────────────────────────────── settling

  reconcileTogether(orderIds: readonly string[], resultOf: (load: ReconcileLoad) => ReconcileResult | null) {
    return reconcileTogether(this.#sql, orderIds, resultOf)
  }

  dueOrders(afterOrderId: string, limit: number) {
    return dueOrders(this.#sql, afterOrderId, limit)
  }

  unreconciledOrders(afterOrderId: string, look: number) {
    return unreconciledOrders(this.#sql, afterOrderId, look)
  }

  resolveBillsWithoutOrder(limit: number) {
    return resolveBillsWithoutOrder(this.#sql, limit)
  }

  importBill(source: string, account: string, rows: readonly BillRow[], setAside: Options<'importBill', 3> = []) {
    return importBill(this.#sql, source, account, rows, setAside)
  }

  recordTrack(track: Track, body: string) {
    return recordTrack(this.#sql, track, body)
  }
  moveTrack(...given: Parameters<OrderStore['moveTrack']>) {
    return moveTrack(this.#sql, ...given)
  }

  changeReturn: OrderStore['changeReturn'] = (of, change) => changeReturn(this.#sql, of, change)
}
