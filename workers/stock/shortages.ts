/**
 * A count found less than is promised. It is believed: the shortage is raised, and tasks that nobody pulled yet are
 * sourced elsewhere, newest first. All of it is read from the database, so that whoever comes after a crash does the rest.
 */

import { raise } from '../../adapters/store/exceptions.ts'
import type { Transaction } from '../../adapters/store/postgres/connect.ts'
import {
  type Shortage,
  shortAt,
  shortRows,
  type UnpulledTask,
  unpulledTasks,
} from '../../adapters/store/stock/stock.ts'
import { pendingAmong } from '../../adapters/store/sweep.ts'
import type { ChannelName } from '../../router/types.ts'
import type { Service } from '../context.ts'
import { commandEvent } from '../intake/commands.ts'
import type { EventToStore } from '../intake/intake.ts'

/** Of one posting's SKUs, or all there are. Repeating it does nothing. Gives the shortages that it found. */
export async function answerShortages(
  service: Service,
  of: { readonly node: string; readonly skus: readonly string[] } | null,
): Promise<readonly Shortage[]> {
  return await answerShort(service, await shortRows(service.sql, of))
}

interface Place {
  readonly node: string
  readonly sku: string
}

/** The same of rows that somebody found short: by now others may have answered for them. */
export async function answerShort({ sql, intake }: Service, places: readonly Place[]): Promise<readonly Shortage[]> {
  if (places.length === 0) return []
  const { short, tasks, commands, recalled } = await sql.begin(asOneMoment, (tx) => readShort(tx, places))
  if (short.length === 0) return []
  await raise(
    sql,
    short.map(({ node, sku, missing }) => ({
      kind: 'shortage',
      ref: `${node}/${sku}`,
      detail: { node, sku, missing },
    })),
  )
  const isRecalled = (task: UnpulledTask) => recalled.has(commands.get(task.taskId)!.eventId)
  const missing = new Map(short.map((s) => [`${s.node}/${s.sku}`, s.missing]))
  const wanted = new Map<string, EventToStore>()
  // What is called back already, and not decided yet, counts first.
  for (const task of [...tasks.filter(isRecalled), ...tasks.filter((t) => !isRecalled(t))]) {
    const key = `${task.node}/${task.sku}`
    const left = missing.get(key)!
    if (left <= 0) continue
    missing.set(key, left - task.quantity)
    if (!isRecalled(task)) wanted.set(task.taskId, commands.get(task.taskId)!)
  }
  await Promise.all([...wanted.values()].map((command) => intake.storeOwn(command)))
  return short.map(({ sku, missing }) => ({ sku, missing }))
}

// What is missing, who holds it, and what is called back already: a decision between two of these readings would be counted
// twice or not at all, and a task too many called back.
const asOneMoment = 'isolation level repeatable read read only'

async function readShort(tx: Transaction, places: readonly Place[]) {
  const short = await shortAt(tx, places)
  const tasks = short.length === 0 ? [] : await unpulledTasks(tx, short)
  const commands = new Map(tasks.map((task) => [task.taskId, recallOf(task)]))
  const recalled = await pendingAmong(
    tx,
    [...commands.values()].map((c) => c.eventId),
  )
  return { short, tasks, commands, recalled }
}

/** Its id is the task's alone: a task is called back for a shortage once, however many find it. */
function recallOf({ taskId, channel, shop, orderId }: UnpulledTask): EventToStore {
  const key = { channel: channel as ChannelName, shop, orderId }
  return commandEvent(key, { type: 'take_back', taskId, why: 'shortage', lines: [] }, Date.now(), `${taskId}.shortage`)
}
