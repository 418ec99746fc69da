/** The store with an observer: what happens in it to tasks and acknowledgements goes into the ledger. */

import { pairKey, type Tables } from '../../adapters/store/memory/tables.ts'
import type { OrderStore } from '../../adapters/store/order-store.ts'
import type { ReadShortages } from '../../adapters/store/stock/read-shortages.ts'
import type { UnpulledTask } from '../../adapters/store/stock/shortages.ts'
import { availableOf } from '../../router/stock.ts'
import { isChanged } from '../../router/task.ts'
import type { Ledger } from './ledger.ts'

export type Verbs = { readonly [K in keyof OrderStore]: OrderStore[K] }

/** Every verb once: a new one that is missing here does not compile. */
const known: Readonly<Record<keyof OrderStore, true>> = {
  ...{ storeEvents: true, readPending: true, countPending: true, postpone: true, doubt: true, nextNumber: true },
  ...{ isStored: true, stillPending: true, raise: true, resolve: true, endEventExceptions: true },
  ...{ settleException: true },
  ...{ currentEpoch: true, withEpochLock: true, figuresOf: true, deltasAfter: true, hasReserved: true },
  ...{ nodeSeqs: true, changedSince: true, figuresWithCommitted: true, partedByCommit: true },
  ...{ postStock: true, shortRows: true, shortAmong: true, readShortages: true, endShortages: true },
  ...{ backorderedSkus: true, backordersOf: true, loadSome: true, commitDecisions: true },
  ...{ pullTasks: true, endLeases: true, acceptTask: true, extendLease: true, shipTask: true, giveBack: true },
  ...{ putParcelRight: true, shipOutside: true },
  ...{ lapsedIntercepts: true, reconcileTogether: true, dueOrders: true, unreconciledOrders: true },
  ...{ resolveBillsWithoutOrder: true, recordTrack: true, moveTrack: true, importBill: true },
  ...{ changeReturn: true },
}
export const verbNames = Object.keys(known) as readonly (keyof OrderStore)[]

/** All verbs of a store as an object of its own, so that some of them can be replaced. */
export function verbsOf(store: OrderStore): Verbs {
  const verbs: Record<string, unknown> = {}
  for (const verb of verbNames) verbs[verb] = (store[verb] as (...given: unknown[]) => unknown).bind(store)
  return verbs as unknown as Verbs
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
      for (const task of toCallBack(found, recallIdOf))
        if (tables.tasks.get(task.taskId)?.task.state === 'ready') ledger.mayBeRecalled.add(recallIdOf(task))
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
    async acceptTask(node, taskId, fence, change) {
      const done = await verbs.acceptTask(node, taskId, fence, change)
      if (done.outcome === 'accepted') ledger.acted('accept', taskId, fence, now())
      return done
    },
    shipTask: watchedShipping(verbs, { tables, ledger, now }),
    async giveBack(node, taskId, fence, how, commandOf) {
      const done = await verbs.giveBack(node, taskId, fence, how, commandOf)
      if (done.outcome === 'given_back') {
        ledger.acted(
          'give back',
          taskId,
          fence,
          now(),
          how.state === 'intercepted' && how.lapsed === true ? 'after' : 'during',
        )
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

function watchedShipping(
  verbs: Pick<OrderStore, 'shipTask'>,
  { tables, ledger, now }: { readonly tables: Tables; readonly ledger: Ledger; readonly now: () => number },
): OrderStore['shipTask'] {
  return async (node, taskId, fence, packages, words) => {
    const task = tables.tasks.get(taskId)?.task
    const stopped = task?.interceptRequested
    const isOld = task !== undefined && isChanged(task) && words?.change !== task.change
    const done = await verbs.shipTask(node, taskId, fence, packages, words)
    if (done.outcome === 'shipped' || done.outcome === 'partly_shipped') {
      // What has left has left, whenever it is told.
      ledger.acted('ship', taskId, fence, now(), 'either')
      if (isOld && words?.alreadyGone !== true) ledger.broken.push(`shipped to an address that changed: ${taskId}`)
      if (stopped) ledger.broken.push(`shipped although it was to be stopped: ${taskId}`)
      ledger.left(taskId, packages)
    }
    return done
  }
}
