/** Postgres as one simulated process sees it: the same verbs, each over the wire. */

import type { InboxEvent } from '../../adapters/store/inbox/event.ts'
import type { MemoryVerbs } from '../../adapters/store/memory/store.ts'
import type { LockedBooks, ReservationName } from '../../adapters/store/order-store.ts'
import type { DecisionWrite } from '../../adapters/store/orders/commit.ts'
import type { Posting } from '../../adapters/store/stock/stock.ts'
import type { GivenBackAs, Package } from '../../router/task.ts'
import type { Order, OrderKey } from '../../router/types.ts'
import { lostConnection, type Wire } from './wire.ts'

export class StorePort implements MemoryVerbs {
  readonly #wire: Wire
  readonly #store: MemoryVerbs

  constructor(wire: Wire, store: MemoryVerbs) {
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

  readPending(options: { readonly afterSeq: string; readonly limit: number; readonly olderThanMs: number }) {
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
}
