/**
 * When tasks became visible to a warehouse, seen from outside.
 *
 * `created_at` is the beginning of the transaction that made a task, and a commit's own timestamp is taken before its
 * fsync: both are earlier than the instant from which a pull finds the task. So an observer asks Postgres a few hundred
 * times a second which transactions are over (`pg_current_snapshot`, which reads no table), and notes when the answer
 * came. A task is visible from the first snapshot that no longer holds its transaction (`xmin`) for running: at most
 * one interval late, never early. Subtransactions are not listed in snapshots; the service uses none.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../adapters/store/postgres/connect.ts'

export interface Snapshot {
  /** Epoch milliseconds at which its text was here. */
  readonly atMs: number
  /** Transactions from this one on had not begun. */
  readonly xmax: number
  /** Below `xmax` and still running. */
  readonly running: readonly number[]
}

export interface VisibilityWatch {
  stop(): Promise<readonly Snapshot[]>
}

const everyMsDefault = 4

/** Takes one connection of `sql`. */
export function watchVisibility(sql: Sql, everyMs = everyMsDefault): VisibilityWatch {
  const seen: Snapshot[] = []
  let stopped = false
  const look = async (): Promise<void> => {
    const [row] = await sql<{ text: string }[]>`select pg_current_snapshot()::text as text`
    seen.push(parseSnapshot(row!.text, Date.now()))
  }
  const watching = (async () => {
    while (!stopped) {
      await look()
      await delay(everyMs)
    }
    await look()
  })()
  return {
    stop: async () => {
      stopped = true
      await watching
      return seen
    },
  }
}

/** `xmin:xmax:running,…` */
export function parseSnapshot(text: string, atMs: number): Snapshot {
  const [, xmax = '', running = ''] = text.split(':')
  return { atMs, xmax: Number(xmax), running: running === '' ? [] : running.split(',').map(Number) }
}

/** Epoch milliseconds of the first snapshot in which transaction `xid` is over; null when none shows it. */
export function visibleAtMs(seen: readonly Snapshot[], xid: number): number | null {
  // Once over, it stays over: the snapshots are ordered by it.
  let low = 0
  let high = seen.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const { xmax, running } = seen[middle]!
    if (xid < xmax && !running.includes(xid)) high = middle
    else low = middle + 1
  }
  return seen[low]?.atMs ?? null
}

export interface VisibleTask {
  readonly orderId: string
  /** Of the transaction that made it or changed it last. */
  readonly xid: number
}

/** Tasks by the platform's order id. A task that was changed since tells of the change: leave those orders out. */
export async function tasksSince(sql: Sql, sinceMs: number): Promise<VisibleTask[]> {
  const rows = await sql<{ orderId: string; xid: string }[]>`
    select o.order_id as "orderId", t.xmin::text as xid from task t join orders o on o.id = t.order_id
    where t.created_at >= ${new Date(sinceMs)}`
  return rows.map(({ orderId, xid }) => ({ orderId, xid: Number(xid) }))
}
