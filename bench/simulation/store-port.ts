/** Postgres as one simulated process sees it: the same verbs, each over the wire. */

import type { ExceptionEntry } from '../../adapters/store/exceptions.ts'
import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import type { LockedBooks, OrderStore, ReservationName } from '../../adapters/store/order-store.ts'
import type { DecisionWrite } from '../../adapters/store/orders/commit.ts'
import type { Posting } from '../../adapters/store/stock/stock.ts'
import type { NodeSeq } from '../../adapters/store/stock/watch-stock.ts'
import type { PulledTask } from '../../adapters/store/tasks/tasks.ts'
import type { GivenBackAs, Package } from '../../router/task.ts'
import type { Track } from '../../router/track.ts'
import type { Order, OrderKey, StockKey } from '../../router/types.ts'
import { lostConnection, type Wire } from './wire.ts'

type Given<Verb extends keyof OrderStore> = Parameters<OrderStore[Verb]>

export class StorePort implements OrderStore {
  readonly #wire: Wire
  readonly #store: OrderStore

  constructor(wire: Wire, store: OrderStore) {
    this.#wire = wire
    this.#store = store
  }

  #call<T>(name: string, effect: () => Promise<T>, isWhole = true): Promise<T> {
    return this.#wire.call(`postgres ${name}`, lostConnection, effect, isWhole)
  }

  currentEpoch() {
    return this.#call('epoch', () => this.#store.currentEpoch())
  }

  /** The transaction is rolled back when its process dies or its connection breaks inside. */
  withEpochLock(work: (inside: LockedBooks, epoch: number) => Promise<number | null>) {
    const locked = () =>
      this.#store.withEpochLock(async (books, epoch) => {
        const inside: LockedBooks = {
          nodeNames: () => this.#call('node names', () => books.nodeNames()),
          figuresOf: (nodes) => this.#call(`figures of ${nodes.join(' ')}`, () => books.figuresOf(nodes)),
        }
        const through = async (): Promise<number | null> => {
          await this.#call(`epoch ${epoch} locked`, async () => undefined)
          const raised = await work(inside, epoch)
          await this.#call(`epoch ${raised ?? 'stays'}`, async () => undefined)
          return raised
        }
        return await Promise.race([through(), this.#wire.life.died])
      })
    return this.#call('epoch lock', locked, false)
  }

  figuresOf(nodes: readonly string[]) {
    return this.#call(`figures of ${nodes.join(' ')}`, () => this.#store.figuresOf(nodes))
  }

  deltasAfter(node: string, fromSeq: number) {
    return this.#call(`deltas of ${node} after ${fromSeq}`, () => this.#store.deltasAfter(node, fromSeq))
  }

  hasReserved(node: string) {
    return this.#call(`reserved at ${node}`, () => this.#store.hasReserved(node))
  }

  partedByCommit<R extends ReservationName>(reservations: readonly R[]) {
    const names = reservations.map((r) => `${r.node}/${r.reservationId}`).join(' ')
    return this.#call(`which are committed of ${names}`, () => this.#store.partedByCommit(reservations))
  }

  loadByKeys(keys: readonly OrderKey[]) {
    return this.#call(`load ${keys.map((k) => k.orderId).join(' ')}`, () => this.#store.loadByKeys(keys))
  }

  commitDecisions(epoch: number, writes: readonly DecisionWrite[]) {
    const what = writes.map((w) => {
      const made = w.newTasks.map((t) => `+${t.task.node}/${t.reservationId}`)
      const gone = w.releases.map((r) => `-${r.taskId}`)
      return [`${w.order.orderId}v${w.order.version}`, ...made, ...gone].join(' ')
    })
    return this.#call(`commit in ${epoch}: ${what.join(', ')}`, () => this.#store.commitDecisions(epoch, writes))
  }

  stillPending(seqs: readonly string[]) {
    return this.#call(`pending of ${seqs.join(' ')}`, () => this.#store.stillPending(seqs))
  }

  storeEvents(events: readonly InboxEvent[]) {
    return this.#call(`store ${events.map((e) => e.eventId).join(' ')}`, () => this.#store.storeEvents(events))
  }

  readPending(options: Given<'readPending'>[0]) {
    return this.#call('read pending', () => this.#store.readPending(options))
  }

  postStock(posting: Posting) {
    const lines = posting.lines.map((l) => `${l.quantity} ${l.sku}`).join(' ')
    return this.#call(`${posting.kind} ${lines} at ${posting.node}`, () => this.#store.postStock(posting))
  }

  pullTasks(node: string, limit: number, leaseSeconds: number) {
    return this.#call(`pull ${node}`, () => this.#store.pullTasks(node, limit, leaseSeconds))
  }

  acceptTask(node: string, taskId: string, fence: number) {
    return this.#call(`accept ${taskId} ${fence}`, () => this.#store.acceptTask(node, taskId, fence))
  }

  shipTask(node: string, taskId: string, fence: number, packages: readonly Package[]) {
    return this.#call(`ship ${taskId} ${fence}`, () => this.#store.shipTask(node, taskId, fence, packages))
  }

  giveBack(node: string, taskId: string, fence: number, how: GivenBackAs, commandOf: (order: Order) => InboxEvent) {
    const name = `${how.state} ${taskId} ${fence}`
    return this.#call(name, () => this.#store.giveBack(node, taskId, fence, how, commandOf))
  }

  lapsedIntercepts(limit: number) {
    return this.#call('lapsed intercepts', () => this.#store.lapsedIntercepts(limit))
  }

  countPending() {
    return this.#call('count pending', () => this.#store.countPending())
  }

  postpone(seqs: readonly string[], delayMs: number, why: string) {
    return this.#call(`postpone ${seqs.join(' ')}`, () => this.#store.postpone(seqs, delayMs, why))
  }

  doubt(seqs: readonly string[], delayMs: number) {
    return this.#call(`doubt ${seqs.join(' ')}`, () => this.#store.doubt(seqs, delayMs))
  }

  nextNumber() {
    return this.#call('next number', () => this.#store.nextNumber())
  }

  isStored(event: Given<'isStored'>[0]) {
    return this.#call(`is stored ${event.eventId}`, () => this.#store.isStored(event))
  }

  raise(entries: readonly ExceptionEntry[]) {
    return this.#call(`raise ${entries.map((e) => `${e.kind}/${e.ref}`).join(' ')}`, () => this.#store.raise(entries))
  }

  resolve(kind: string, refs: readonly string[]) {
    return this.#call(`resolve ${kind} ${refs.join(' ')}`, () => this.#store.resolve(kind, refs))
  }

  endEventExceptions() {
    return this.#call('end exceptions of events', () => this.#store.endEventExceptions())
  }

  nodeSeqs() {
    return this.#call('numbers of nodes', () => this.#store.nodeSeqs())
  }

  changedSince(nodes: readonly NodeSeq[]) {
    return this.#call(`changed since ${nodes.map((n) => `${n.node} ${n.seq}`).join(' ')}`, () =>
      this.#store.changedSince(nodes),
    )
  }

  figuresWithCommitted(node: string, reservationIds: readonly string[]) {
    return this.#call(`figures of ${node} with committed`, () => this.#store.figuresWithCommitted(node, reservationIds))
  }

  shortRows(of: Given<'shortRows'>[0]) {
    return this.#call(`short rows ${of?.node ?? ''}`, () => this.#store.shortRows(of))
  }

  shortAmong(places: readonly StockKey[], nodes: readonly string[]) {
    return this.#call('short among', () => this.#store.shortAmong(places, nodes))
  }

  readShortages(...given: Given<'readShortages'>) {
    return this.#call('read shortages', () => this.#store.readShortages(...given))
  }

  endShortages() {
    return this.#call('end shortages', () => this.#store.endShortages())
  }

  backorderedSkus(afterSku: string, limit: number) {
    return this.#call(`backordered after ${afterSku}`, () => this.#store.backorderedSkus(afterSku, limit))
  }

  backordersOf(...[of, limit]: Given<'backordersOf'>) {
    return this.#call(`backorders of ${of.map((o) => o.sku).join(' ')}`, () => this.#store.backordersOf(of, limit))
  }

  endLeases(tasks: readonly PulledTask[]) {
    return this.#call(`end leases ${tasks.map((t) => t.taskId).join(' ')}`, () => this.#store.endLeases(tasks))
  }

  extendLease(node: string, taskId: string, fence: number, leaseSeconds: number) {
    return this.#call(`extend ${taskId} ${fence}`, () => this.#store.extendLease(node, taskId, fence, leaseSeconds))
  }

  reconcileTogether(...[orderIds, resultOf]: Given<'reconcileTogether'>) {
    return this.#call(`reconcile ${orderIds.join(' ')}`, () => this.#store.reconcileTogether(orderIds, resultOf))
  }

  dueOrders(afterOrderId: string, limit: number) {
    return this.#call(`due after ${afterOrderId}`, () => this.#store.dueOrders(afterOrderId, limit))
  }

  unreconciledOrders(afterOrderId: string, look: number) {
    return this.#call(`unreconciled after ${afterOrderId}`, () => this.#store.unreconciledOrders(afterOrderId, look))
  }

  importBill(...[source, account, rows]: Given<'importBill'>) {
    return this.#call(`import ${rows.map((r) => r.ref).join(' ')}`, () => this.#store.importBill(source, account, rows))
  }

  resolveBillsWithoutOrder(limit: number) {
    return this.#call('resolve bills', () => this.#store.resolveBillsWithoutOrder(limit))
  }

  recordTrack(track: Track, body: string) {
    return this.#call(`track ${track.waybill} ${track.state}`, () => this.#store.recordTrack(track, body))
  }
}
