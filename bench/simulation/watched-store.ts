/** The store with somebody who looks on: what happens in it to tasks and acknowledgements goes into the ledger. */

import { pairKey, type Tables } from '../../adapters/store/memory/tables.ts'
import type { OrderStore, ReadShortages } from '../../adapters/store/order-store.ts'
import type { UnpulledTask } from '../../adapters/store/stock/shortages.ts'
import { availableOf } from '../../router/stock.ts'
import type { Ledger } from './ledger.ts'

export type Verbs = { readonly [K in keyof OrderStore]: OrderStore[K] }

/** All verbs of a store as an object of its own, so that some of them can be replaced. */
export function verbsOf(store: OrderStore): Verbs {
  return {
    currentEpoch: () => store.currentEpoch(),
    withEpochLock: (work) => store.withEpochLock(work),
    figuresOf: (nodes) => store.figuresOf(nodes),
    deltasAfter: (node, fromSeq) => store.deltasAfter(node, fromSeq),
    hasReserved: (node) => store.hasReserved(node),
    partedByCommit: (reservations) => store.partedByCommit(reservations),
    loadByKeys: (keys) => store.loadByKeys(keys),
    commitDecisions: (epoch, writes) => store.commitDecisions(epoch, writes),
    stillPending: (seqs) => store.stillPending(seqs),
    storeEvents: (events) => store.storeEvents(events),
    readPending: (options) => store.readPending(options),
    postStock: (posting) => store.postStock(posting),
    pullTasks: (node, limit, leaseSeconds) => store.pullTasks(node, limit, leaseSeconds),
    acceptTask: (node, taskId, fence) => store.acceptTask(node, taskId, fence),
    shipTask: (node, taskId, fence, packages) => store.shipTask(node, taskId, fence, packages),
    giveBack: (node, taskId, fence, how, commandOf) => store.giveBack(node, taskId, fence, how, commandOf),
    lapsedIntercepts: (limit) => store.lapsedIntercepts(limit),
    countPending: () => store.countPending(),
    postpone: (seqs, delayMs, why) => store.postpone(seqs, delayMs, why),
    doubt: (seqs, delayMs) => store.doubt(seqs, delayMs),
    nextNumber: () => store.nextNumber(),
    isStored: (event) => store.isStored(event),
    raise: (entries) => store.raise(entries),
    resolve: (kind, refs) => store.resolve(kind, refs),
    endEventExceptions: () => store.endEventExceptions(),
    nodeSeqs: () => store.nodeSeqs(),
    changedSince: (nodes) => store.changedSince(nodes),
    figuresWithCommitted: (node, reservationIds) => store.figuresWithCommitted(node, reservationIds),
    shortRows: (of) => store.shortRows(of),
    shortAmong: (places, nodes) => store.shortAmong(places, nodes),
    readShortages: (places, recallIdOf) => store.readShortages(places, recallIdOf),
    endShortages: () => store.endShortages(),
    backorderedSkus: (afterSku, limit) => store.backorderedSkus(afterSku, limit),
    backordersOf: (of, limit) => store.backordersOf(of, limit),
    endLeases: (tasks) => store.endLeases(tasks),
    extendLease: (node, taskId, fence, leaseSeconds) => store.extendLease(node, taskId, fence, leaseSeconds),
    reconcileTogether: (orderIds, resultOf) => store.reconcileTogether(orderIds, resultOf),
    dueOrders: (afterOrderId, limit) => store.dueOrders(afterOrderId, limit),
    unreconciledOrders: (afterOrderId, look) => store.unreconciledOrders(afterOrderId, look),
    importBill: (source, account, rows) => store.importBill(source, account, rows),
    resolveBillsWithoutOrder: (limit) => store.resolveBillsWithoutOrder(limit),
    recordTrack: (track, body) => store.recordTrack(track, body),
  }
}

export function watched(verbs: Verbs, tables: Tables, ledger: Ledger, now: () => number): Verbs {
  return {
    ...verbs,
    async commitDecisions(epoch, writes) {
      const done = await verbs.commitDecisions(epoch, writes)
      if (done.outcome !== 'committed') return done
      writes.forEach(({ newTasks }, i) => {
        if (done.conflicts.includes(i)) return
        for (const { task, reservationId } of newTasks) {
          for (const { sku } of task.lines) {
            const left = leftAfter(tables, task.node, sku, reservationId)
            if (left < 0) ledger.broken.push(`oversold: ${sku} at ${task.node}, ${left} left after ${task.taskId}`)
          }
        }
      })
      return done
    },
    async postStock(posting) {
      const posted = await verbs.postStock(posting)
      if (posted.outcome === 'posted')
        for (const { sku } of posted.shortages) ledger.short.add(pairKey(posting.node, sku))
      return posted
    },
    async readShortages(places, recallIdOf) {
      const found = await verbs.readShortages(places, recallIdOf)
      for (const task of toCallBack(found, recallIdOf)) ledger.mayBeRecalled.add(recallIdOf(task))
      return found
    },
    async storeEvents(events) {
      const stored = await verbs.storeEvents(events)
      for (const { eventId } of events)
        if (eventId.endsWith('.shortage') && !ledger.mayBeRecalled.has(eventId))
          ledger.broken.push(`called back without need: ${eventId}`)
      return stored
    },
    async pullTasks(node, limit, leaseSeconds) {
      const tasks = await verbs.pullTasks(node, limit, leaseSeconds)
      ledger.leased(tasks, now())
      return tasks
    },
    async endLeases(tasks) {
      const ended = tasks.filter(({ taskId }) => {
        const task = tables.tasks.get(taskId)?.task
        return task?.state === 'pulled' && !task.interceptRequested
      })
      await verbs.endLeases(tasks)
      ledger.unheard(ended, now())
    },
    async extendLease(node, taskId, fence, leaseSeconds) {
      const done = await verbs.extendLease(node, taskId, fence, leaseSeconds)
      if (done.outcome === 'extended') ledger.extended(taskId, fence, done.leaseUntil.getTime(), now())
      return done
    },
    async acceptTask(node, taskId, fence) {
      const done = await verbs.acceptTask(node, taskId, fence)
      if (done.outcome === 'accepted') ledger.acted('accept', taskId, fence, now())
      return done
    },
    async shipTask(node, taskId, fence, packages) {
      const stopped = tables.tasks.get(taskId)?.task.interceptRequested
      const done = await verbs.shipTask(node, taskId, fence, packages)
      if (done.outcome === 'shipped' || done.outcome === 'partly_shipped') {
        ledger.acted('ship', taskId, fence, now())
        if (stopped) ledger.broken.push(`shipped although it was to be stopped: ${taskId}`)
        ledger.left(taskId, packages)
      }
      return done
    },
    async giveBack(node, taskId, fence, how, commandOf) {
      const done = await verbs.giveBack(node, taskId, fence, how, commandOf)
      if (done.outcome === 'given_back') {
        ledger.acted('give back', taskId, fence, now(), how.state === 'intercepted' && how.lapsed === true)
      }
      return done
    },
  }
}

/** Tasks without which some place would still be short, when all that are newer were called back. */
function toCallBack({ short, tasks, recalled }: ReadShortages, recallIdOf: (task: UnpulledTask) => string) {
  return tasks.filter((task, at) => {
    const { missing } = short.find(({ node, sku }) => node === task.node && sku === task.sku)!
    const first = tasks.filter((other, i) => {
      const isAtPlace = other.node === task.node && other.sku === task.sku
      return isAtPlace && other.taskId !== task.taskId && (i < at || recalled.has(recallIdOf(other)))
    })
    return first.reduce((sum, { quantity }) => sum + quantity, 0) < missing
  })
}

/** What could be promised when the reservation had been committed: now others may have changed it. */
function leftAfter(tables: Tables, node: string, sku: string, reservationId: string): number {
  const row = tables.stock.get(node)?.get(sku)
  if (row === undefined) return -1
  let left = availableOf(row)
  for (let i = tables.movements.length - 1; i >= 0; i--) {
    const movement = tables.movements[i]!
    if (movement.node !== node) continue
    if (movement.kind === 'reserve' && movement.ref === reservationId) break
    for (const l of movement.lines) if (l.sku === sku) left -= availableOf(l)
  }
  return left
}
