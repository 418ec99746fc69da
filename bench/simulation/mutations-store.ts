/** Guards of Postgres taken away. */

import { commitDecisions } from '../../adapters/store/memory/commit.ts'
import type { MemoryStore } from '../../adapters/store/memory/store.ts'
import { pairKey } from '../../adapters/store/memory/tables.ts'
import type { DecisionWrite } from '../../adapters/store/orders/commit.ts'
import { type Verbs, verbsOf } from './watched-store.ts'
import type { Mutation } from './wiring.ts'

type Broken = (store: MemoryStore, sound: Verbs) => Partial<Verbs>

function inStore(name: string, broken: Broken): Mutation {
  return {
    name,
    wiring: {
      store: (store) => {
        const sound = verbsOf(store)
        return { ...sound, ...broken(store, sound) }
      },
    },
  }
}

/** A commit with another look at the same tables: it waits for nobody. */
let commits = 1_000_000

const intakeAndEvents: readonly Mutation[] = [
  inStore('no look for a known event at intake', (_, sound) => {
    let copies = 0
    return {
      storeEvents: (events) => sound.storeEvents(events.map((e) => ({ ...e, eventId: `${e.eventId}#${++copies}` }))),
    }
  }),
  inStore('an event that is settled is not asked for again at commit', (store, sound) => ({
    commitDecisions: (epoch, writes) => {
      const rows = new Map([...store.tables.inbox.values()].map((row) => [row.seq, row]))
      for (const seq of writes.flatMap((w) => w.seqs))
        store.tables.pending.set(seq, { ...rows.get(seq)!, attempts: 0, notBeforeMs: 0, lastError: null })
      return sound.commitDecisions(epoch, writes)
    },
  })),
  inStore('a refused commit leaves its events settled', (store, sound) => ({
    async commitDecisions(epoch, writes) {
      const done = await sound.commitDecisions(epoch, writes)
      if (done.outcome === 'stock_refused')
        for (const seq of writes.flatMap((w) => w.seqs)) store.tables.pending.delete(seq)
      return done
    },
  })),
  inStore('what a warehouse gives back and the command about it are not one transaction', (store, sound) => {
    let count = 0
    return {
      async giveBack(node, taskId, fence, how, commandOf) {
        const done = await sound.giveBack(node, taskId, fence, how, commandOf)
        count += 1
        if (done.outcome === 'given_back' && count % 3 === 0) store.tables.pending.delete(done.seq)
        return done
      },
    }
  }),
]

const commit: readonly Mutation[] = [
  inStore('no look at the epoch at commit', (store) => ({
    async commitDecisions(_, writes) {
      await store.unlocked()
      return commitDecisions(store.tables, store.tables.epoch, writes, ++commits, 0)
    },
  })),
  {
    name: 'a commit carries its keeper’s epoch, not that of its reservations',
    wiring: {
      perProcess: (verbs, epoch) => ({
        ...verbs,
        commitDecisions: (_, writes) => verbs.commitDecisions(epoch(), writes),
      }),
    },
  },
  inStore('commits do not wait for the epoch lock', (store) => ({
    commitDecisions: async (epoch, writes) => commitDecisions(store.tables, epoch, writes, ++commits, 0),
  })),
  inStore('an epoch is not raised by a recovery', (store, sound) => ({
    withEpochLock: (work) =>
      sound.withEpochLock(async (inside, epoch) => {
        const raised = await work(inside, epoch)
        // The first one has to come about.
        return epoch === 0 ? raised : null
      }),
    currentEpoch: () => sound.currentEpoch().then((epoch) => Math.max(epoch, store.tables.epoch)),
  })),
  inStore('no guard on the stock row', (store) => ({
    async commitDecisions(epoch, writes) {
      await store.unlocked()
      const rows = rowsOf(store, writes)
      for (const row of rows) row.onHand += 1_000
      const done = commitDecisions(store.tables, epoch, writes, ++commits, 0)
      for (const row of rows) row.onHand -= 1_000
      return done
    },
  })),
  inStore('no look at the order’s version', (store, sound) => ({
    commitDecisions: (epoch, writes) =>
      sound.commitDecisions(
        epoch,
        writes.map((w) => withCurrentVersion(store, w)),
      ),
  })),
  inStore('no look at the order’s tasks', (store, sound) => ({
    commitDecisions: (epoch, writes) =>
      sound.commitDecisions(
        epoch,
        writes.map((w) => withCurrentTasks(store, w)),
      ),
  })),
  inStore('committed reservations are known by their id alone', (store) => ({
    async partedByCommit(reservations) {
      const ids = new Set([...store.tables.reserved].map((key) => key.split('\u0000')[1]))
      return {
        committed: reservations.filter((r) => ids.has(r.reservationId)),
        others: reservations.filter((r) => !ids.has(r.reservationId)),
      }
    },
  })),
  inStore('nothing counts as committed', (_, sound) => ({
    partedByCommit: async (reservations) => ({ ...(await sound.partedByCommit([])), others: reservations }),
  })),
]

const tasks: readonly Mutation[] = [
  inStore('no look at the fence', (store, sound) => {
    const now = (taskId: string, fence: number): number => store.tables.tasks.get(taskId)?.task.fence ?? fence
    return {
      acceptTask: (node, taskId, fence, change) => sound.acceptTask(node, taskId, now(taskId, fence), change),
      shipTask: (node, taskId, fence, packages) => sound.shipTask(node, taskId, now(taskId, fence), packages),
      giveBack: (node, taskId, fence, how, commandOf) =>
        sound.giveBack(node, taskId, now(taskId, fence), how, commandOf),
    }
  }),
  inStore('a task is given away while somebody has it', (store, sound) => ({
    pullTasks: (node, limit, leaseSeconds) => {
      for (const row of store.tables.tasks.values()) if (row.task.node === node) row.leaseUntilMs = null
      return sound.pullTasks(node, limit, leaseSeconds)
    },
  })),
  inStore('a task still ships to an address that changed', (store, sound) => ({
    shipTask: (node, taskId, fence, packages) => {
      const row = store.tables.tasks.get(taskId)
      if (row !== undefined) row.task = { ...row.task, changeTaken: row.task.change }
      return sound.shipTask(node, taskId, fence, packages)
    },
  })),
  inStore('a task that is to be stopped still ships', (store, sound) => ({
    shipTask: (node, taskId, fence, packages) => {
      const row = store.tables.tasks.get(taskId)
      if (row !== undefined) row.task = { ...row.task, interceptRequested: false }
      return sound.shipTask(node, taskId, fence, packages)
    },
  })),
  inStore('a package that is told twice leaves twice', (_, sound) => {
    let copies = 0
    return {
      shipTask: (node, taskId, fence, packages) =>
        sound.shipTask(
          node,
          taskId,
          fence,
          packages.map((p) => ({ ...p, waybill: `${p.waybill}#${++copies}` })),
        ),
    }
  }),
]

export const storeMutations: readonly Mutation[] = [...intakeAndEvents, ...commit, ...tasks]

function rowsOf(store: MemoryStore, writes: readonly DecisionWrite[]) {
  const rows = new Map<string, { onHand: number }>()
  for (const { task } of writes.flatMap((w) => w.newTasks)) {
    for (const { sku } of task.lines) {
      const row = store.tables.stock.get(task.node)?.get(sku)
      if (row !== undefined) rows.set(pairKey(task.node, sku), row)
    }
  }
  return [...rows.values()]
}

function withCurrentVersion(store: MemoryStore, write: DecisionWrite): DecisionWrite {
  const now = store.tables.orders.get(write.before.id)
  if (now === undefined || write.before.version === 0) return write
  const before = { ...write.before, version: now.version }
  return { ...write, before, order: write.order === write.before ? before : write.order }
}

/** The tasks that were decided on pass for those that there are. */
function withCurrentTasks(store: MemoryStore, write: DecisionWrite): DecisionWrite {
  const tasksBefore = write.tasksBefore.map((t) => store.tables.tasks.get(t.taskId)?.task ?? t)
  const tasks = write.tasks.map((t, i) => (t === write.tasksBefore[i] ? tasksBefore[i]! : t))
  return { ...write, tasksBefore, tasks }
}
